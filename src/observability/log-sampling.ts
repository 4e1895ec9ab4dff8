import type { Clock, Timer } from '../base/clock.js'

/** How often one message is written in a period before the rest is only counted. */
export const linesPerPeriod = 10
export const samplePeriodMs = 60_000
/** Messages told apart in one period; messages are constants of our own, so only a mistake reaches this. */
export const messagesMax = 256
const otherMessages = 'other messages'

interface Seen {
  readonly level: SampledLevel
  readonly message: string
  written: number
  left: number
}

export type SampledLevel = 'warn' | 'error'
export type Summarise = (level: SampledLevel, message: string, suppressed: number, periodMs: number) => void

/**
 * Lets the first lines of a message through, counts the others, and reports each count once at the end of the period: a client in
 * a loop must not fill a disk (R21), and nobody must miss that it happened. No timer runs while there is nothing to report.
 */
export class LogSampler {
  readonly #seen = new Map<string, Seen>()
  readonly #clock: Clock
  readonly #summarise: Summarise
  #timer: Timer | undefined
  #closed = false

  constructor(clock: Clock, summarise: Summarise) {
    this.#clock = clock
    this.#summarise = summarise
  }

  /** Whether this line is written. */
  admit(level: SampledLevel, message: string): boolean {
    const seen = this.#find(level, message)
    if (seen.written < linesPerPeriod) {
      seen.written += 1
      return true
    }
    seen.left += 1
    return false
  }

  /** Reports what was left out so far and stops the timer; no new one starts. */
  close(): void {
    this.#closed = true
    this.#timer?.stop()
    this.#endPeriod()
  }

  #find(level: SampledLevel, message: string): Seen {
    const known = this.#seen.get(level + message)
    if (known !== undefined) return known
    if (!this.#closed) this.#timer ??= this.#clock.after(samplePeriodMs, () => this.#endPeriod())
    if (this.#seen.size >= messagesMax - 2 && message !== otherMessages) return this.#find(level, otherMessages)
    const seen = { level, message, written: 0, left: 0 }
    this.#seen.set(level + message, seen)
    return seen
  }

  #endPeriod(): void {
    this.#timer = undefined
    const ended = [...this.#seen.values()]
    this.#seen.clear()
    for (const { level, message, left } of ended) {
      if (left > 0) this.#summarise(level, message, left, samplePeriodMs)
    }
  }
}
