/** One place among the workers: a process, and after its end the next one. */
import type { Clock, Timer } from '../base/clock.js'
import type { Logger } from '../core/ports/logger.js'
import { decodeFromWorker, type Answers, type Question, type ToWorker } from './messages.js'

/** A started process. */
export interface WorkerProcess {
  readonly pid: number | undefined
  /** What cannot be sent any more is dropped: the end of the process tells the rest. */
  send(message: ToWorker): void
  /** Ends it at once. */
  kill(): void
}

export interface WorkerProcessListener {
  message(message: unknown): void
  /** Called once. Without exit code and signal it could not even be started. */
  ended(exitCode: number | null, signal: string | null): void
}

export type Fork = (index: number, listener: WorkerProcessListener) => WorkerProcess

export interface WorkerParts {
  readonly fork: Fork
  readonly clock: Clock
  readonly logger: Logger
  /** What a worker that starts now needs. */
  readonly start: () => unknown
  /** A process has ended, before the next one starts. */
  readonly onEnded: (index: number) => void
}

/** `starting` until it serves; `waiting` for its next start; `ended` for good. */
export type WorkerStatus = 'starting' | 'serving' | 'waiting' | 'ended'

/** A replacement that ends sooner than this after its start is not replaced at once, but after a growing delay. */
const shortLifeMs = 5000
const firstDelayMs = 1000
const delayMsMax = 30_000
const answerTimeoutMs = 1000
/** Questions that wait for an answer; one more gets none. */
const questionsMax = 64
/** A worker that left so many pulses unanswered hangs: the kernel still gives it its part of the new connections. */
const pulsesUnansweredMax = 6

export class Worker {
  readonly index: number
  readonly #parts: WorkerParts
  readonly #questions = new Map<number, { readonly settle: (answer: unknown) => void; readonly timer: Timer }>()
  #process: WorkerProcess | undefined
  #status: WorkerStatus = 'waiting'
  #startedAtMs = 0
  #shortLives = 0
  #questionId = 0
  #pulsesUnanswered = 0
  #restart: Timer | undefined
  /** Set until the first process serves. */
  #first: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined
  #failure: string | undefined
  /** Set from the order to stop on: no process follows. */
  #stopped: ((exitCode: number | null, signal: string | null) => void) | undefined
  /** Processes that took the place of one that had ended. */
  restarts = 0

  constructor(index: number, parts: WorkerParts) {
    this.index = index
    this.#parts = parts
  }

  get status(): WorkerStatus {
    return this.#status
  }

  /** Starts the first process. @throws (rejects) with one sentence when it ends before it serves */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject }
      this.#spawn()
    })
  }

  /** Lets it drain; one that does not serve yet is ended. @returns whether it ended as it should */
  stop(): Promise<boolean> {
    this.#restart?.stop()
    if (this.#status === 'waiting' || this.#status === 'ended') {
      this.#status = 'ended'
      return Promise.resolve(true)
    }
    const wasServing = this.#status === 'serving'
    return new Promise((resolve) => {
      this.#stopped = (exitCode, signal) => {
        const polite = exitCode === 0 || !wasServing
        const fields = { worker: this.index, exit_code: exitCode, signal }
        if (!polite) this.#parts.logger.error(fields, 'a worker did not end properly')
        resolve(polite)
      }
      if (wasServing) this.#process?.send({ type: 'drain' })
      else this.#process?.kill()
    })
  }

  /** Ends it at once and for good. */
  kill(): void {
    this.#restart?.stop()
    this.#stopped ??= () => undefined
    this.#process?.kill()
  }

  /** Dropped when no process is there: the next one learns it at its start. */
  tell(message: ToWorker): void {
    this.#process?.send(message)
  }

  /** @returns undefined when it does not serve or does not answer within a second */
  ask<Asked extends Question>(question: Asked): Promise<Answers[Asked] | undefined> {
    if (this.#status !== 'serving' || this.#questions.size >= questionsMax) return Promise.resolve(undefined)
    const id = ++this.#questionId
    return new Promise((resolve) => {
      const settle = (answer: unknown) => {
        this.#questions.get(id)?.timer.stop()
        this.#questions.delete(id)
        // Ours by the id, and the worker is the same program.
        resolve(answer as Answers[Asked] | undefined)
      }
      this.#questions.set(id, { settle, timer: this.#parts.clock.after(answerTimeoutMs, () => settle(undefined)) })
      this.#process?.send({ type: 'ask', id, question })
    })
  }

  /** Called every few seconds; ends a process that hangs. */
  pulse(): void {
    if (this.#status !== 'serving') return
    if (this.#pulsesUnanswered >= pulsesUnansweredMax) {
      this.#parts.logger.error({ worker: this.index, pid: this.#process?.pid }, 'a worker hangs and is killed')
      this.#process?.kill()
      return
    }
    this.#pulsesUnanswered += 1
    void this.ask('state')
  }

  #spawn(): void {
    this.#status = 'starting'
    this.#failure = undefined
    this.#pulsesUnanswered = 0
    this.#startedAtMs = this.#parts.clock.monotonicMs()
    this.#process = this.#parts.fork(this.index, {
      message: (message) => this.#receive(message),
      ended: (exitCode, signal) => this.#ended(exitCode, signal),
    })
    this.#process.send({ type: 'start', start: this.#parts.start() })
  }

  #receive(received: unknown): void {
    const message = decodeFromWorker(received)
    if (message === undefined) return
    this.#pulsesUnanswered = 0
    switch (message.type) {
      case 'serving':
        this.#serving()
        return
      case 'failed':
        this.#failure = message.reason
        return
      case 'answer':
        this.#questions.get(message.id)?.settle(message.answer)
        return
    }
  }

  #serving(): void {
    if (this.#status !== 'starting') return
    this.#status = 'serving'
    if (this.#first === undefined) {
      const startMs = Math.round(this.#parts.clock.monotonicMs() - this.#startedAtMs)
      this.#parts.logger.info(
        { worker: this.index, pid: this.#process?.pid, start_ms: startMs },
        'a worker is replaced',
      )
    }
    this.#first?.resolve()
    this.#first = undefined
  }

  #ended(exitCode: number | null, signal: string | null): void {
    const pid = this.#process?.pid
    this.#process = undefined
    for (const { settle } of [...this.#questions.values()]) settle(undefined)
    this.#parts.onEnded(this.index)
    if (this.#stopped !== undefined || this.#first !== undefined) {
      this.#status = 'ended'
      this.#stopped?.(exitCode, signal)
      this.#first?.reject(
        new Error(this.#failure ?? `Worker ${this.index} ended with ${howOf(exitCode, signal)} before it served`),
      )
      return
    }
    this.#replace(pid, exitCode, signal)
  }

  #replace(pid: number | undefined, exitCode: number | null, signal: string | null): void {
    const { clock, logger } = this.#parts
    const livedMs = Math.round(clock.monotonicMs() - this.#startedAtMs)
    this.#shortLives = livedMs < shortLifeMs ? this.#shortLives + 1 : 0
    const delayMs = restartDelayMs(this.#shortLives)
    const fields = { worker: this.index, pid, exit_code: exitCode, signal, lived_ms: livedMs, restart_in_ms: delayMs }
    const reason = this.#failure === undefined ? '' : `: ${this.#failure}`
    // Somebody may drain one worker by a signal of its own.
    if (exitCode === 0) logger.info(fields, 'a worker ended')
    else logger.error(fields, `a worker ended unexpectedly${reason}`)
    this.restarts += 1
    if (delayMs === 0) {
      this.#spawn()
      return
    }
    this.#status = 'waiting'
    this.#restart = clock.after(delayMs, () => this.#spawn())
  }
}

/** @param shortLives lives in a row that were short: the first is replaced at once, it may have been an accident */
function restartDelayMs(shortLives: number): number {
  return shortLives < 2 ? 0 : Math.min(delayMsMax, firstDelayMs * 2 ** (shortLives - 2))
}

function howOf(exitCode: number | null, signal: string | null): string {
  if (signal !== null) return signal
  return exitCode === null ? 'no start' : `exit code ${exitCode}`
}
