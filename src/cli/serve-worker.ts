/** Runs one of several processes on a port, as their parent says. */
import { randomBytes } from 'node:crypto'
import { StaticAppRegistry } from '../apps/static.js'
import { systemClock } from '../base/clock.js'
import type { Config } from '../config/schema.js'
import { createLogger, type ClosableLogger } from '../observability/logger.js'
import { Redactor } from '../observability/redact.js'
import { startServer, type RunningNode } from '../server.js'
import type { WorkerStart } from '../workers.js'
import type { Answers, FromWorker, Question, ToWorker } from '../workers/messages.js'
import type { Console } from './command.js'
import type { ProcessEvents } from './lifecycle.js'
import { hideAppSecrets, hideSecrets } from './hide-secrets.js'

/** The part of `process` that a worker needs: signals, errors, and the channel to its parent. */
export interface WorkerChannel extends ProcessEvents {
  readonly connected: boolean
  send?(message: unknown, handle: undefined, options: undefined, sent: (error: Error | null) => void): unknown
}

export interface WorkerOptions {
  readonly index: number
  readonly channel: WorkerChannel
  readonly console: Console
}

/** Without a parent nobody will start another one here: the clients are told to come back, and soon it is over. */
const orphanDrain: Config['drain'] = { preStopDelayMs: 0, periodMs: 1000, reconnect: 'at-once' }
const orphanEndMs = 5000

/** @returns the exit code: 0 after a drain; 1 when it cannot start (the parent says why) or after an error nobody caught */
export function serveWorker(options: WorkerOptions): Promise<number> {
  return new Promise((resolve) => new ServingWorker(options, resolve).listen())
}

class ServingWorker {
  readonly #options: WorkerOptions
  readonly #resolve: (exitCode: number) => void
  #logger: ClosableLogger | undefined
  #registry: StaticAppRegistry | undefined
  #redactor = new Redactor()
  #server: RunningNode | undefined
  #stopping = false
  #signals = 0
  #isOver = false

  constructor(options: WorkerOptions, end: (exitCode: number) => void) {
    this.#options = options
    this.#resolve = end
  }

  listen(): void {
    const { channel } = this.#options
    // From our own parent, which runs the same program.
    channel.on('message', (message) => this.#receive(message as ToWorker<WorkerStart>))
    channel.on('disconnect', () => this.#orphaned())
    // A terminal and systemd signal the parent and all workers; whoever signals one worker alone drains that one.
    channel.on('SIGTERM', () => this.#signalled())
    channel.on('SIGINT', () => this.#signalled())
    channel.on('uncaughtException', (error) => this.#failed(error))
    channel.on('unhandledRejection', (error) => this.#failed(error))
  }

  #receive(message: ToWorker<WorkerStart>): void {
    switch (message.type) {
      case 'start':
        void this.#start(message.start)
        return
      case 'apps':
        hideAppSecrets(this.#redactor, message.apps)
        this.#registry?.replace(message.apps)
        return
      case 'ask':
        void this.#answer(message.question).then((answer) => this.#send({ type: 'answer', id: message.id, answer }))
        return
      case 'drain':
        this.#drain()
        return
    }
  }

  async #start({ config, version, count }: WorkerStart): Promise<void> {
    const { index, console } = this.#options
    const { level, format } = config.log
    const colour = console.isTerminal && console.environment['NO_COLOR'] === undefined
    const node = randomBytes(4).toString('hex')
    hideSecrets(this.#redactor, config)
    const redactor = this.#redactor
    const logger = createLogger({ level, format, node, worker: index, clock: systemClock, redactor, colour })
    this.#logger = logger
    this.#registry = new StaticAppRegistry(config.apps)
    try {
      this.#server = await startServer({ config, registry: this.#registry, logger, version, node, workers: count })
    } catch (error) {
      // The parent says it, once for all workers.
      await this.#send({ type: 'failed', reason: error instanceof Error ? error.message : String(error) })
      this.#end(1)
      return
    }
    await this.#send({ type: 'serving' })
    logger.debug({ pid: process.pid }, 'worker serves')
  }

  async #answer(question: Question): Promise<Answers[Question]> {
    switch (question) {
      case 'metrics':
        return (await this.#server?.metricsJson()) ?? ''
      case 'state': {
        const { ready, reason, degraded } = this.#server?.readiness() ?? { ready: false }
        return { ready, reason, degraded, residentBytes: process.memoryUsage.rss() }
      }
      case 'certificates':
        return this.#reloadCertificates()
    }
  }

  async #reloadCertificates(): Promise<string> {
    try {
      await this.#server?.reloadCertificates()
      return ''
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #signalled(): void {
    this.#signals += 1
    if (this.#signals > 1) this.#end(1)
    else this.#drain()
  }

  #orphaned(): void {
    if (this.#isOver) return
    this.#logger?.error({}, 'the parent process is gone: ending')
    systemClock.after(orphanEndMs, () => this.#end(1))
    this.#drain(orphanDrain)
  }

  /** @param drain other delays than those of the configuration */
  #drain(drain?: Config['drain']): void {
    if (this.#stopping) return
    this.#stopping = true
    if (this.#server === undefined) {
      this.#end(0)
      return
    }
    this.#server.drainAndStop(drain).then(
      () => this.#end(0),
      (error: unknown) => this.#failed(error),
    )
  }

  #failed(error: unknown): void {
    this.#logger?.error({ err: error }, 'unexpected error: ending')
    this.#end(1)
  }

  #end(exitCode: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#logger?.close()
    this.#resolve(exitCode)
  }

  /** Resolves when it is on its way; what cannot be sent is dropped, because then the parent is gone. */
  #send(message: FromWorker): Promise<void> {
    const { channel } = this.#options
    return new Promise((resolve) => {
      if (!channel.connected || channel.send === undefined) resolve()
      else channel.send(message, undefined, undefined, () => resolve())
    })
  }
}
