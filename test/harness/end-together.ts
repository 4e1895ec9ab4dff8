/**
 * Processes and folders that end with this process, however it ends: a small shell holds the other end of a pipe, and when that
 * closes (a return, an exception, a SIGKILL) it kills and removes what is still on its list.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { Socket } from 'node:net'

/** `+PID`, `-PID` and `f PATH` come in line by line; after the last one everything that is left goes. */
const guardScript = `
pids=' '
folders=
while read -r sign what; do
  case $sign in
    +) pids="$pids$what " ;;
    -) pids="\${pids%% $what *} \${pids#* $what }" ;;
    f) folders="$folders$what
" ;;
  esac
done
kill -9 $pids 2>/dev/null
IFS='
'
[ -z "$folders" ] || rm -rf $folders
`

let guard: Socket | undefined

/** The child is killed when this process ends before it. */
export function endTogether(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return
  tell(`+ ${pid}`)
  child.once('exit', () => tell(`- ${pid}`))
}

/** The folder is removed when this process ends; `removeFolder` does it earlier. */
export function removeTogether(folder: string): void {
  tell(`f ${folder}`)
}

export function removeFolder(folder: string): void {
  // What a process that was just killed still had open is gone a moment later.
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}

function tell(line: string): void {
  guard ??= startGuard()
  guard.write(`${line}\n`)
}

function startGuard(): Socket {
  // Detached: the interrupt that ends this process by its group must not end the guard.
  const shell = spawn('/bin/sh', ['-c', guardScript], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  if (!(shell.stdin instanceof Socket)) throw new Error('the guard has no pipe')
  shell.unref()
  shell.stdin.unref()
  shell.stdin.on('error', () => (guard = undefined))
  return shell.stdin
}
