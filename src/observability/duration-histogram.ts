import { Histogram, type MetricObjectWithValues, type MetricValueWithName, type Registry } from 'prom-client'

/** From half a millisecond, where a trigger should be, to where a client gives up. */
export const durationBucketsSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/**
 * A histogram of durations without labels whose `observeSeconds` is a comparison and two additions: prom-client's own `observe`
 * checks and hashes labels each time, which was 12 % of a whole trigger. What a scrape shows is the same.
 */
export class DurationHistogram extends Histogram {
  readonly #name: string
  /** Gives everything of an answer but the values. */
  readonly #template: Histogram
  /** One count per bucket, not cumulative, and a last one for what is above them all. */
  readonly #counts = new Float64Array(durationBucketsSeconds.length + 1)
  #sumSeconds = 0

  constructor(registry: Registry, name: string, help: string) {
    super({ name, help, registers: [registry], buckets: durationBucketsSeconds })
    this.#name = name
    this.#template = new Histogram({ name, help, registers: [], buckets: durationBucketsSeconds })
  }

  /** Never throws: what is no duration counts as 0. */
  observeSeconds(seconds: number): void {
    const duration = seconds >= 0 && seconds < Infinity ? seconds : 0
    let bucket = 0
    while (duration > (durationBucketsSeconds[bucket] ?? Infinity)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sumSeconds += duration
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const values: MetricValueWithName<string>[] = []
    let total = 0
    for (const [index, count] of this.#counts.entries()) {
      total += count
      const le = durationBucketsSeconds[index] ?? '+Inf'
      values.push({ metricName: `${this.#name}_bucket`, labels: { le }, value: total })
    }
    values.push({ metricName: `${this.#name}_sum`, labels: {}, value: this.#sumSeconds })
    values.push({ metricName: `${this.#name}_count`, labels: {}, value: total })
    return { ...(await this.#template.get()), values }
  }

  /** What the registry asks first; the inherited one would show prom-client's own, empty counts. */
  getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    return this.get()
  }
}
