/** The only source of time. Tests replace it by a manual clock (test/fakes/manual-clock.ts). */
export interface Clock {
  /** Wall clock, Unix milliseconds: for timestamps that leave the process. */
  nowMs(): number
  /** Milliseconds from an arbitrary start that never step back: for durations. */
  monotonicMs(): number
  /** Calls once after `delayMs`. */
  after(delayMs: number, callback: () => void): Timer
  /** Calls every `periodMs`. */
  every(periodMs: number, callback: () => void): Timer
}

/** A started timer; its owner stops it. Stopping twice is harmless. */
export interface Timer {
  stop(): void
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs)
    return { stop: () => clearTimeout(handle) }
  },
  every(periodMs, callback) {
    const handle = setInterval(callback, periodMs)
    return { stop: () => clearInterval(handle) }
  },
}
