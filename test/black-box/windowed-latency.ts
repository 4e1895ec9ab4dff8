import { median } from '../../bench/measure/statistics.js'
import type { LatencyHistogram } from './latency.js'

/**
 * The p99 of a stream in short windows. A machine that does other things too stalls everything for a while, which spoils the
 * p99 of the whole time but only some windows; what a fault does to others shows in most of them.
 */
export class WindowedLatency {
  readonly p99sMs: number[] = []
  readonly #latency: LatencyHistogram
  readonly #timer: NodeJS.Timeout

  /** Begins; clears the histogram now and at the end of every window. */
  constructor(latency: LatencyHistogram, windowMs: number) {
    this.#latency = latency
    latency.clear()
    this.#timer = setInterval(() => this.#endWindow(), windowMs)
  }

  /** @returns the p99 of each whole window */
  stop(): readonly number[] {
    clearInterval(this.#timer)
    return this.p99sMs
  }

  #endWindow(): void {
    if (this.#latency.count > 0) this.p99sMs.push(this.#latency.quantileMs(0.99))
    this.#latency.clear()
  }
}

/** The middle window and the range, as a table shows them. */
export function windowsText(p99sMs: readonly number[]): string {
  const sorted = p99sMs.toSorted((a, b) => a - b)
  const [least, most] = [sorted[0] ?? NaN, sorted.at(-1) ?? NaN]
  return `${median(p99sMs).toFixed(1)} ms (${least.toFixed(1)} to ${most.toFixed(1)} in ${p99sMs.length} windows)`
}
