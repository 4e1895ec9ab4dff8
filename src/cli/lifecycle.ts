/** What ends a running server, and with which exit code. */
import type { Logger } from '../core/ports/logger.js'

/** The part of `process` that tells of signals and of errors nobody caught. */
export interface ProcessEvents {
  on(event: string, listener: (detail: unknown) => void): unknown
  off(event: string, listener: (detail: unknown) => void): unknown
}

export interface LifecycleOptions {
  readonly events: ProcessEvents
  /** The whole polite way down. */
  readonly drainAndStop: () => Promise<void>
  /** What SIGHUP asks for. */
  readonly reload: () => Promise<void>
  readonly logger: Logger
}

/** As shells tell of a process that a signal has ended: 128 + its number. */
const signalExitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/**
 * Resolves with the exit code when the process is to end: 0 after a drain, which the first SIGTERM or SIGINT begins; at once
 * with 130 or 143 at the second; at once with 1 after an error nobody caught, because then nothing can be relied on.
 */
export function untilStopped({ events, drainAndStop, reload, logger }: LifecycleOptions): Promise<number> {
  return new Promise((resolve) => {
    const listeners = new Map<string, (detail: unknown) => void>()
    const end = (exitCode: number) => {
      for (const [event, listener] of listeners) events.off(event, listener)
      resolve(exitCode)
    }
    let stopping = false
    const stop = (signal: 'SIGINT' | 'SIGTERM') => {
      if (stopping) {
        logger.warn({ signal }, 'second signal: ending at once')
        end(signalExitCodes[signal])
        return
      }
      stopping = true
      logger.info({ signal }, 'stopping: connections are closed bit by bit; a second signal ends at once')
      drainAndStop().then(
        () => end(0),
        (error: unknown) => fail('the stop failed', error),
      )
    }
    const fail = (what: string, error: unknown) => {
      logger.error({ err: error }, `${what}: ending`)
      end(1)
    }
    listeners.set('SIGINT', () => stop('SIGINT'))
    listeners.set('SIGTERM', () => stop('SIGTERM'))
    listeners.set('SIGHUP', () => {
      reload().catch((error: unknown) => fail('unexpected error', error))
    })
    listeners.set('uncaughtException', (error) => fail('unexpected error', error))
    listeners.set('unhandledRejection', (error) => fail('unexpected error', error))
    for (const [event, listener] of listeners) events.on(event, listener)
  })
}
