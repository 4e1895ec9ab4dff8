import { Counter, Gauge, type Registry } from 'prom-client'

/** A value and the labels it stands under. */
export interface LabelledValue<Label extends string> {
  readonly labels: Record<Label, string>
  readonly value: number
}

export interface SampleMetric<Label extends string> {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly Label[]
  /** Called once per scrape; what it no longer yields is gone from the metrics. */
  readonly read: () => Iterable<LabelledValue<Label>>
}

/** A Prometheus counter whose truth is a plain number elsewhere: set anew at every scrape. */
export function registerCounter<Label extends string>(registry: Registry, metric: SampleMetric<Label>): void {
  const counter = new Counter<Label>({
    name: metric.name,
    help: metric.help,
    labelNames: metric.labelNames,
    registers: [registry],
    collect() {
      counter.reset()
      for (const { labels, value } of metric.read()) counter.inc(labels, countable(value))
    },
  })
}

export function registerGauge<Label extends string>(registry: Registry, metric: SampleMetric<Label>): void {
  const gauge = new Gauge<Label>({
    name: metric.name,
    help: metric.help,
    labelNames: metric.labelNames,
    registers: [registry],
    collect() {
      gauge.reset()
      for (const { labels, value } of metric.read()) gauge.set(labels, Number.isFinite(value) ? value : 0)
    },
  })
}

/** One wrong number must not cost the whole scrape: prom-client throws on what no counter can be. */
function countable(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0
}
