import type { Clock } from '../base/clock.js'

/** How long the event loop may take for one turn before requests are shed. */
const lagMaxMs = 200
/** Below this the allowed rate grows again. */
const lagCalmMs = 80
/** At most one measurement is under way, and they are at least this far apart. */
const measureEveryMs = 50
const cutFactor = 0.7
const growFactor = 1.15
const perSecondMin = 100
/** A lag is of our own making only when so many requests were admitted meanwhile, … */
const admittedMin = 50
/** … and when it shows so many times in a row: a machine that paused the process shows it once. */
const laggedMin = 2

/**
 * Sheds requests when the event loop cannot keep up (R33): more than it can deliver is answered at once instead of waiting in a
 * queue that only grows. While the loop turns fast enough it costs two comparisons per request, and nothing while idle.
 *
 * The lag is the time a zero timer takes (or has taken so far), measured while requests come. A long turn cuts the allowed rate
 * below the rate admitted during it; short turns raise it until it stands above what is asked for.
 */
export class Overload {
  readonly #clock: Clock
  #perSecond = Infinity
  #tokens = 0
  #filledAtMs = 0
  #measuring = false
  #startedAtMs = 0
  #measuredAtMs = -Infinity
  #admitted = 0
  #asked = 0
  #lagged = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether the request may be worked on. @param nowMs monotonic */
  admit(nowMs: number): boolean {
    this.#asked += 1
    if (this.#measuring) {
      // With more requests ready than the loop takes at once, it goes on without ever coming to its timers.
      if (nowMs - this.#startedAtMs > lagMaxMs) this.#conclude(nowMs)
    } else if (nowMs - this.#measuredAtMs >= measureEveryMs) this.#measure(nowMs)
    if (this.#perSecond !== Infinity && !this.#take(nowMs)) return false
    this.#admitted += 1
    return true
  }

  #take(nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst(), this.#tokens + ((nowMs - this.#filledAtMs) * this.#perSecond) / 1000)
    this.#filledAtMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  #burst(): number {
    return (this.#perSecond * lagMaxMs) / 1000
  }

  #measure(nowMs: number): void {
    this.#measuring = true
    this.#startedAtMs = nowMs
    this.#clock.after(0, () => {
      this.#measuring = false
      this.#conclude(this.#clock.monotonicMs())
    })
  }

  /** Ends a measurement, and begins the next where the timer is still to come. */
  #conclude(nowMs: number): void {
    const lagMs = nowMs - this.#startedAtMs
    const sinceMs = this.#startedAtMs - this.#measuredAtMs
    this.#measuredAtMs = nowMs
    this.#startedAtMs = nowMs
    this.#adjust(lagMs, Math.min(sinceMs, 10 * measureEveryMs) + lagMs, nowMs)
    this.#admitted = 0
    this.#asked = 0
  }

  #adjust(lagMs: number, elapsedMs: number, nowMs: number): void {
    const admittedPerSecond = (this.#admitted * 1000) / elapsedMs
    const askedPerSecond = (this.#asked * 1000) / elapsedMs
    this.#lagged = lagMs > lagMaxMs && this.#admitted >= admittedMin ? this.#lagged + 1 : 0
    if (this.#lagged >= laggedMin) {
      const wasOpen = this.#perSecond === Infinity
      this.#perSecond = Math.max(perSecondMin, Math.min(this.#perSecond, admittedPerSecond) * cutFactor)
      if (wasOpen) {
        this.#tokens = this.#burst()
        this.#filledAtMs = nowMs
      }
    } else if (lagMs < lagCalmMs && this.#perSecond !== Infinity) {
      this.#perSecond *= growFactor
      if (this.#perSecond > 2 * Math.max(perSecondMin, askedPerSecond)) this.#perSecond = Infinity
    }
  }
}
