import type { Clock } from '../base/clock.js'

/** Counts what the stores are told without anybody waiting for it, so that an end can wait until it has been told. */
export class PendingWrites {
  #open = 0
  /** Called when nothing is under way. */
  readonly #waiting = new Set<() => void>()
  /** One for all writes: there is one for every subscription that comes or goes. */
  readonly #done = (): void => {
    this.#open -= 1
    if (this.#open > 0) return
    for (const settled of this.#waiting) settled()
  }

  /** Watches a write until it ends; never rejects. @param failed told why it was rejected, unless the write tells that itself */
  watch(write: Promise<unknown>, failed?: (error: unknown) => void): void {
    this.#open += 1
    write.then(this.#done, (error: unknown) => {
      this.#done()
      failed?.(error)
    })
  }

  /** Resolves when nothing is under way, and after `limitMs` in any case. */
  async settled(clock: Clock, limitMs: number): Promise<void> {
    if (this.#open === 0) return
    await new Promise<void>((resolve) => {
      const settled = (): void => {
        this.#waiting.delete(settled)
        timer.stop()
        resolve()
      }
      const timer = clock.after(limitMs, settled)
      this.#waiting.add(settled)
    })
  }
}
