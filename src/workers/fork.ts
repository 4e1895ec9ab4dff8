import { fork } from 'node:child_process'
import type { Fork } from './worker.js'

/** Starts workers as processes of their own. @param program path of the program whose command `worker` serves */
export function forkOf(program: string): Fork {
  return (index, listener) => {
    const child = fork(program, ['worker', String(index)], {
      // Their lines go where ours go.
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      // A debugger's port cannot be shared.
      execArgv: process.execArgv.filter((argument) => !argument.startsWith('--inspect')),
    })
    let isOver = false
    const over = (exitCode: number | null, signal: string | null) => {
      if (isOver) return
      isOver = true
      listener.ended(exitCode, signal)
    }
    child.on('message', (message) => listener.message(message))
    child.on('exit', over)
    child.on('error', () => {
      // No process without a number; every other failure is followed by the end of the process.
      if (child.pid === undefined) over(null, null)
    })
    return {
      pid: child.pid,
      send(message) {
        if (child.connected) child.send(message, () => undefined)
      },
      kill() {
        child.kill('SIGKILL')
      },
    }
  }
}
