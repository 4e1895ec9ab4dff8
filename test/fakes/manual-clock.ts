import type { Clock, Timer } from '../../src/base/clock.js'

interface Waiting {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

/** A clock whose time moves only by `advance`; due timers run in the order of their times, each seeing its own time. */
export class ManualClock implements Clock {
  readonly #wallStartMs: number
  readonly #waiting = new Set<Waiting>()
  #elapsedMs = 0
  #wallStepMs = 0
  #order = 0

  /** @param wallStartMs what `nowMs` says at first */
  constructor(wallStartMs = 1_700_000_000_000) {
    this.#wallStartMs = wallStartMs
  }

  nowMs(): number {
    return this.#wallStartMs + this.#elapsedMs + this.#wallStepMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, callback: () => void): Timer {
    const waiting = { dueMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, callback }
    this.#waiting.add(waiting)
    return { stop: () => void this.#waiting.delete(waiting) }
  }

  every(periodMs: number, callback: () => void): Timer {
    if (!(periodMs > 0)) throw new Error('a period must be positive')
    const tick = (): void => {
      timer = this.after(periodMs, tick)
      callback()
    }
    let timer = this.after(periodMs, tick)
    return { stop: () => timer.stop() }
  }

  /** Lets time pass and runs what becomes due, also what those callbacks start. */
  advance(ms: number): void {
    const endMs = this.#elapsedMs + ms
    for (let next = this.#nextDue(endMs); next !== undefined; next = this.#nextDue(endMs)) {
      this.#waiting.delete(next)
      this.#elapsedMs = next.dueMs
      next.callback()
    }
    this.#elapsedMs = endMs
  }

  /** Sets the wall clock forwards or back, as an operator or NTP does; durations are not touched and no timer runs. */
  stepWall(ms: number): void {
    this.#wallStepMs += ms
  }

  /** Timers that are started and neither stopped nor run. */
  get timers(): number {
    return this.#waiting.size
  }

  #nextDue(endMs: number): Waiting | undefined {
    let first: Waiting | undefined
    for (const waiting of this.#waiting) {
      if (waiting.dueMs > endMs) continue
      if (first === undefined || waiting.dueMs < first.dueMs) first = waiting
      else if (waiting.dueMs === first.dueMs && waiting.order < first.order) first = waiting
    }
    return first
  }
}
