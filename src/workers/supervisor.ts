/** Keeps a number of workers running, and takes them down together. */
import type { Timer } from '../base/clock.js'
import type { Answers, Question, ToWorker } from './messages.js'
import { Worker, type WorkerParts } from './worker.js'

const pulsePeriodMs = 5000

export interface Answered<Asked extends Question> {
  readonly index: number
  readonly answer: Answers[Asked]
}

export class Supervisor {
  readonly #workers: readonly Worker[]
  readonly #parts: WorkerParts
  #pulse: Timer | undefined

  constructor(count: number, parts: WorkerParts) {
    this.#parts = parts
    this.#workers = Array.from({ length: count }, (_, index) => new Worker(index, parts))
  }

  /** Resolves when all serve. @throws (rejects) with one sentence when one of them cannot; then none is left */
  async start(): Promise<void> {
    try {
      await Promise.all(this.#workers.map((worker) => worker.start()))
    } catch (error) {
      this.kill()
      throw error
    }
    this.#pulse = this.#parts.clock.every(pulsePeriodMs, () => {
      for (const worker of this.#workers) worker.pulse()
    })
  }

  /** All drain at once. Resolves when all have ended. @throws (rejects) when one did not end as it should */
  async drain(): Promise<void> {
    const polite = await Promise.all(this.#workers.map((worker) => worker.stop()))
    this.#pulse?.stop()
    if (polite.includes(false)) throw new Error('not all workers ended properly')
  }

  /** Ends all at once. */
  kill(): void {
    this.#pulse?.stop()
    for (const worker of this.#workers) worker.kill()
  }

  tell(message: ToWorker): void {
    for (const worker of this.#workers) worker.tell(message)
  }

  /**
   * Asks all workers that serve. `each` hears an answer at once, before that worker's end can be told.
   * @returns the answers that came within a second
   */
  async ask<Asked extends Question>(
    question: Asked,
    each: (answered: Answered<Asked>) => void = () => undefined,
  ): Promise<Answered<Asked>[]> {
    const answered: Answered<Asked>[] = []
    const asked = this.#workers.map(async (worker) => {
      if (worker.status !== 'serving') return
      const answer = await worker.ask(question)
      if (answer === undefined) return
      const one: Answered<Asked> = { index: worker.index, answer }
      answered.push(one)
      each(one)
    })
    await Promise.all(asked)
    return answered
  }

  /** How many workers are in which state. */
  counts(): { starting: number; serving: number; waiting: number } {
    const counts = { starting: 0, serving: 0, waiting: 0 }
    for (const { status } of this.#workers) if (status !== 'ended') counts[status] += 1
    return counts
  }

  /** Processes that took the place of one that had ended. */
  restarts(): number {
    return this.#workers.reduce((sum, worker) => sum + worker.restarts, 0)
  }
}
