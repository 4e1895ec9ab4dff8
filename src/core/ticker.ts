import type { Clock } from '../base/clock.js'

/** Whole seconds of monotonic time, read once per sweep, so that "heard now" costs one assignment per frame. */
export class Ticker {
  nowS: number
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
    this.nowS = this.#read()
  }

  advance(): void {
    this.nowS = this.#read()
  }

  /** Never 0, which stands for "not yet". */
  #read(): number {
    return Math.floor(this.#clock.monotonicMs() / 1000) + 1
  }
}
