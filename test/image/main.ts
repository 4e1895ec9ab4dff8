/**
 * Builds the image without a container engine and starts it: `npm run test:image [-- --base FILE]`.
 *
 * The instructions of the Dockerfile are performed one by one in Debian roots that debootstrap has made. The result runs on
 * a read-only root, as the user and with the command that the file names, and is then looked through. What an engine does
 * and this does not: layers as files, cgroups, a network of its own, a seccomp profile.
 *
 * `--base FILE` is a tar file that keeps what debootstrap made: taken when it is there, else written.
 *
 * Needs Linux, root, debootstrap, npm with a package registry, and Debian's mirror; without the first three everything is
 * skipped. The last line is `N passed, N failed, N skipped`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = resolve(import.meta.dirname, '../..')
const { values } = parseArgs({ options: { base: { type: 'string' } } })
const folder = mkdtempSync(join(tmpdir(), 'belfry-image-'))
try {
  process.exitCode = await prove()
} finally {
  // The mounts ended with the namespace that they were made in: nothing of the host lies below.
  rmSync(folder, { recursive: true, force: true })
}

async function prove(): Promise<number> {
  const reason = missing()
  if (reason !== undefined) {
    console.log(`skipped: ${reason}\n\n0 passed, 0 failed, 1 skipped`)
    return 0
  }
  const proof = [join(root, '.ci/run-ts.js'), join(import.meta.dirname, 'proof.ts'), root, folder]
  if (values.base !== undefined) proof.push(resolve(values.base))
  // All that is started and mounted below ends with one process, and that one with this, however it ends.
  const namespaces = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc']
  const command = ['--pdeathsig', 'KILL', 'unshare', ...namespaces, process.execPath, ...proof]
  const child = spawn('setpriv', command, { stdio: ['ignore', 'inherit', 'inherit'] })
  const end = () => void child.kill('SIGKILL')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('exit', (code) => done(code ?? 1))
  })
}

/** In one sentence why this machine cannot do it. */
function missing(): string | undefined {
  if (process.platform !== 'linux') return `needs Linux, and this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'needs root, to make a Debian root and to mount it'
  const program = ['debootstrap', 'npm', 'unshare', 'nsenter', 'setpriv'].find((name) => !isInPath(name))
  if (program !== undefined) return `needs ${program}: it is not in PATH`
  const parts = ['lower', 'upper', 'work', 'merged'].map((name) => join(folder, `probe-${name}`))
  for (const part of parts) mkdirSync(part)
  const [lower, upper, work, merged] = parts
  const mount = `mount -t overlay overlay -o lowerdir=${lower},upperdir=${upper},workdir=${work} ${merged}`
  const probe = spawnSync('unshare', ['--mount', '--pid', '--fork', '/bin/sh', '-c', mount], { encoding: 'utf8' })
  if (probe.status === 0) return undefined
  return `needs the right to make namespaces and overlay mounts: ${(probe.error?.message ?? probe.stderr).trim()}`
}

function isInPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((path) => path !== '' && existsSync(join(path, program)))
}
