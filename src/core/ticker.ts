import type { Clock } from '../base/clock.js'

/** Monotonic time in whole seconds, the unit of everything the sweep looks at. Never 0, which stands for "not yet". */
export class Ticker {
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get nowS(): number {
    return Math.floor(this.#clock.monotonicMs() / 1000) + 1
  }
}
