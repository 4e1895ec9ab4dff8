/**
 * Tells systemd how far the service is (`Type=notify`). Node.js has no datagram sockets of that kind, so systemd's own program
 * sends the words; it comes with every system that has systemd.
 */
import { spawn } from 'node:child_process'
import type { Logger } from '../core/ports/logger.js'

/** `READY=1`: it serves. `STOPPING=1`: it drains. */
export type SystemdState = 'READY=1' | 'STOPPING=1'

export interface SystemdOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly logger: Logger
  /** How the program is run; for tests. @throws (rejects) when it did not end with 0 */
  readonly run?: (program: string, argument: string) => Promise<void>
}

/** The program waits until systemd has read it, and a silent systemd must not hold up a stop. */
const programEndsMs = 5000

export class Systemd {
  readonly #options: SystemdOptions
  /** So that systemd hears of the states in their order. */
  #told: Promise<void> = Promise.resolve()
  #failed = false

  constructor(options: SystemdOptions) {
    this.#options = options
  }

  /** Does nothing where no systemd listens. Never rejects: the first failure is logged, and nothing is told after it. */
  tell(state: SystemdState): Promise<void> {
    if ((this.#options.environment['NOTIFY_SOCKET'] ?? '') === '') return Promise.resolve()
    this.#told = this.#told.then(() => this.#tellNow(state))
    return this.#told
  }

  async #tellNow(state: SystemdState): Promise<void> {
    if (this.#failed) return
    try {
      await (this.#options.run ?? runProgram)('systemd-notify', state)
    } catch (error) {
      this.#failed = true
      const reason = error instanceof Error ? error.message : String(error)
      this.#options.logger.warn(
        {},
        `systemd could not be told ${state} (${reason}): with Type=notify it waits for that`,
      )
    }
  }
}

/** Without a shell, and with nothing of ours in its output. */
function runProgram(program: string, argument: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [argument], { stdio: 'ignore', timeout: programEndsMs, killSignal: 'SIGKILL' })
    child.on('error', (error) => reject(new Error(`${program} cannot be run: ${error.message}`)))
    child.on('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${program} ended with ${code ?? signal}`))
    })
  })
}
