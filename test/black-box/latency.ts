const binMs = 0.1
const bins = 200_000

/** Latencies in bins of 0.1 ms up to 20 s: cheap to count, exact enough to compare. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(bins)
  count = 0
  maxMs = 0

  add(latencyMs: number): void {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(latencyMs / binMs)))
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1
    this.count += 1
    if (latencyMs > this.maxMs) this.maxMs = latencyMs
  }

  /** @param part 0.99 for p99; NaN of nothing */
  quantileMs(part: number): number {
    let left = Math.ceil(this.count * part)
    if (left === 0) return NaN
    for (let bin = 0; bin < bins; bin += 1) {
      left -= this.#counts[bin] ?? 0
      if (left <= 0) return (bin + 1) * binMs
    }
    return NaN
  }

  clear(): void {
    this.#counts.fill(0)
    this.count = 0
    this.maxMs = 0
  }
}
