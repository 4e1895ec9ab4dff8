/** Of one run, in milliseconds. */
export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
}

/** The middle value; the mean of the two middle ones of an even number. NaN of nothing. */
export function median(values: readonly number[]): number {
  return (quantile(values, 0.5) + quantile(values, 0.5, Math.ceil)) / 2
}

export function latencyOf(samplesMs: readonly number[]): Latency {
  return { p50Ms: quantile(samplesMs, 0.5), p99Ms: quantile(samplesMs, 0.99) }
}

/**
 * Server ÷ reference of each pair of runs that stood next to each other: a machine that drifts between the pairs moves
 * both sides of one pair alike.
 */
export function pairRatios(values: readonly number[], references: readonly number[]): number[] {
  const ratios: number[] = []
  for (const [index, value] of values.entries()) {
    const reference = references[index]
    if (reference !== undefined && Number.isFinite(value / reference)) ratios.push(value / reference)
  }
  return ratios
}

function quantile(values: readonly number[], part: number, round: (n: number) => number = Math.floor): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[round((sorted.length - 1) * part)] ?? NaN
}
