import type { Clock } from '../../base/clock.js'
import type { UnfitError } from './capabilities.js'

/** How long a start waits for Redis; after it the node starts without. */
const firstAttemptMs = 3000

/** The end of the first attempt to connect: it works, it does not, or the server is not fit. */
export class FirstAttempt {
  readonly #clock: Clock
  #end: ((error?: UnfitError) => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves at `over()`, or after 3 s. @throws UnfitError of `over` */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(firstAttemptMs, () => this.over())
      this.#end = (error) => {
        timer.stop()
        if (error === undefined) resolve()
        else reject(error)
      }
    })
  }

  /** Only the first call counts. */
  over(error?: UnfitError): void {
    const end = this.#end
    this.#end = undefined
    end?.(error)
  }
}
