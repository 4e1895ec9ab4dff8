/** The metrics of several processes as those of one. */

/** One metric as prom-client's JSON has it. */
export interface MergeableMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly MergeableValue[]
}

export interface MergeableValue {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Of histograms: the name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string
}

/** The metrics of one process, which the label `worker` names where figures are not added up. */
export interface MetricsPage {
  readonly worker: string
  readonly metrics: readonly MergeableMetric[]
}

/** Of the process itself: added up they would say nothing about any of them. */
const processNames = /^belfry_(process|nodejs)_/
/** Gauges that are amounts without an app: two processes have the sum of both. */
const amounts: ReadonlySet<string> = new Set(['belfry_backpressure_bytes', 'belfry_webhook_queue'])
/** A bus that is down for one is what an alarm must see. */
const lowest: ReadonlySet<string> = new Set(['belfry_bus_up'])
const highest: ReadonlySet<string> = new Set(['belfry_draining'])
/** Their labels keep them apart. */
const distinct: ReadonlySet<string> = new Set(['belfry_build_info', 'belfry_workers'])

type Rule = 'sum' | 'min' | 'max' | 'each'

/** A gauge that nobody knows here gets a label: that is never wrong. */
function ruleOf({ name, type, values }: MergeableMetric): Rule {
  if (processNames.test(name)) return 'each'
  if (type !== 'gauge' || amounts.has(name) || distinct.has(name)) return 'sum'
  if (lowest.has(name)) return 'min'
  if (highest.has(name)) return 'max'
  return values.some(({ labels }) => 'app_id' in labels) ? 'sum' : 'each'
}

/** Whether what a process has counted stays true after its end. */
export function isLasting(metric: MergeableMetric): boolean {
  return metric.type !== 'gauge' && ruleOf(metric) === 'sum'
}

/**
 * One list for all pages, each metric where it first occurs: counters and histograms added up, gauges of apps too, the lowest
 * `bus_up`, and everything about a process itself with the label `worker`.
 */
export function mergeMetrics(pages: readonly MetricsPage[]): MergeableMetric[] {
  const merged = new Map<string, { metric: MergeableMetric; values: Map<string, MergeableValue> }>()
  for (const { worker, metrics } of pages) {
    for (const metric of metrics) {
      const rule = ruleOf(metric)
      let entry = merged.get(metric.name)
      if (entry === undefined) merged.set(metric.name, (entry = { metric, values: new Map() }))
      for (const value of metric.values) {
        addValue(entry.values, rule, rule === 'each' ? { ...value, labels: { ...value.labels, worker } } : value)
      }
    }
  }
  return [...merged.values()].map(({ metric, values }) => ({ ...metric, values: [...values.values()] }))
}

function addValue(values: Map<string, MergeableValue>, rule: Rule, added: MergeableValue): void {
  const key = keyOf(added)
  const before = values.get(key)
  values.set(key, before === undefined ? added : { ...before, value: combined(rule, before.value, added.value) })
}

function combined(rule: Rule, one: number, other: number): number {
  switch (rule) {
    case 'sum':
      return one + other
    case 'min':
      return Math.min(one, other)
    case 'max':
    case 'each':
      return Math.max(one, other)
  }
}

/** The same for the same labels, in whatever order they come. */
function keyOf({ metricName = '', labels }: MergeableValue): string {
  const pairs = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify([metricName, pairs])
}

/** The Prometheus text format, version 0.0.4. */
export function metricsText(metrics: readonly MergeableMetric[]): string {
  return metrics.map((metric) => `${metricText(metric)}\n`).join('\n')
}

function metricText({ name, help, type, values }: MergeableMetric): string {
  const lines = values.map(
    ({ metricName = name, labels, value }) => `${metricName}${labelsText(labels)} ${figure(value)}`,
  )
  return [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`, ...lines].join('\n')
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value).replaceAll('"', '\\"')}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function figure(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/** The metrics in a JSON text; what is none of them is left out, and so are values that are no numbers. */
export function parseMetrics(text: string): MergeableMetric[] {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    return []
  }
  return Array.isArray(content) ? content.flatMap(parseMetric) : []
}

function parseMetric(metric: unknown): MergeableMetric[] {
  if (typeof metric !== 'object' || metric === null) return []
  if (!('name' in metric && 'help' in metric && 'type' in metric && 'values' in metric)) return []
  const { name, help, type, values } = metric
  if (typeof name !== 'string' || typeof help !== 'string' || typeof type !== 'string') return []
  return Array.isArray(values) ? [{ name, help, type, values: values.flatMap(parseValue) }] : []
}

function parseValue(value: unknown): MergeableValue[] {
  if (typeof value !== 'object' || value === null || !('value' in value) || typeof value.value !== 'number') return []
  const labels = 'labels' in value && typeof value.labels === 'object' && value.labels !== null ? value.labels : {}
  const texts = Object.fromEntries(Object.entries(labels).map(([label, text]) => [label, String(text)]))
  const named = 'metricName' in value && typeof value.metricName === 'string' ? { metricName: value.metricName } : {}
  return [{ labels: texts, value: value.value, ...named }]
}
