import { describe, expect, it } from 'vitest'
import {
  mergeMetrics,
  metricsText,
  parseMetrics,
  type MergeableMetric,
} from '../../../src/observability/merged-metrics.js'
import { parseExposition } from './exposition.js'

type Values = readonly (readonly [labels: Record<string, string>, value: number, metricName?: string])[]

function metric(type: string, name: string, values: Values): MergeableMetric {
  const full = values.map(([labels, value, metricName]) => ({ labels, value, ...(metricName && { metricName }) }))
  return { name, help: `Help of ${name}.`, type, values: full }
}

/** What the metric is on both pages together, labels as text. */
function merged(one: MergeableMetric, other: MergeableMetric): Record<string, number> {
  const pages = [
    { worker: '0', metrics: [one] },
    { worker: '1', metrics: [other] },
  ]
  const values = mergeMetrics(pages).flatMap(({ values }) => values)
  return Object.fromEntries(
    values.map(({ labels, value, metricName = '' }) => [`${metricName}${JSON.stringify(labels)}`, value]),
  )
}

function both(type: string, name: string, one: Values, other: Values): Record<string, number> {
  return merged(metric(type, name, one), metric(type, name, other))
}

describe('mergeMetrics', () => {
  it('adds up counters by their labels, in whatever order these come', () => {
    const one: Values = [
      [{ app_id: '1', code: '4200' }, 3],
      [{ app_id: '2', code: '1000' }, 1],
    ]
    expect(both('counter', 'belfry_disconnections_total', one, [[{ code: '4200', app_id: '1' }, 4]])).toEqual({
      '{"app_id":"1","code":"4200"}': 7,
      '{"app_id":"2","code":"1000"}': 1,
    })
  })

  it('adds up histograms, bucket by bucket', () => {
    const name = 'belfry_trigger_duration_seconds'
    const values = (count: number): Values => [
      [{ le: '0.1' }, count, `${name}_bucket`],
      [{ le: '+Inf' }, count + 1, `${name}_bucket`],
      [{}, count / 10, `${name}_sum`],
      [{}, count + 1, `${name}_count`],
    ]
    expect(both('histogram', name, values(2), values(5))).toEqual({
      [`${name}_bucket{"le":"0.1"}`]: 7,
      [`${name}_bucket{"le":"+Inf"}`]: 9,
      [`${name}_sum{}`]: 0.7,
      [`${name}_count{}`]: 9,
    })
  })

  it('adds up gauges of apps, and amounts', () => {
    expect(both('gauge', 'belfry_connected', [[{ app_id: '1' }, 3]], [[{ app_id: '1' }, 4]])).toEqual({
      '{"app_id":"1"}': 7,
    })
    expect(both('gauge', 'belfry_backpressure_bytes', [[{}, 3]], [[{}, 4]])).toEqual({ '{}': 7 })
    expect(both('gauge', 'belfry_webhook_queue', [[{}, 3]], [[{}, 4]])).toEqual({ '{}': 7 })
  })

  it('shows the worst of a state', () => {
    expect(both('gauge', 'belfry_bus_up', [[{}, 1]], [[{}, 0]])).toEqual({ '{}': 0 })
    expect(both('gauge', 'belfry_draining', [[{}, 1]], [[{}, 0]])).toEqual({ '{}': 1 })
  })

  it.each([
    ['gauge', 'belfry_process_resident_memory_bytes'],
    ['counter', 'belfry_process_cpu_seconds_total'],
    ['gauge', 'belfry_a_gauge_nobody_knows_here'],
  ])('labels by worker what adding up would make meaningless: %s %s', (type, name) => {
    expect(both(type, name, [[{}, 1]], [[{}, 2]])).toEqual({ '{"worker":"0"}': 1, '{"worker":"1"}': 2 })
  })

  it('keeps the builds of all nodes', () => {
    const build = (node: string): Values => [[{ version: '1', node }, 1]]
    expect(Object.values(both('gauge', 'belfry_build_info', build('a'), build('b')))).toEqual([1, 1])
  })
})

describe('metricsText', () => {
  it('is what Prometheus takes, special characters included', () => {
    const odd = 'a"b\\c\nd'
    const metrics = [
      metric('counter', 'belfry_a_total', [[{ app_id: odd }, 1.5]]),
      metric('gauge', 'belfry_b', [[{}, Number.POSITIVE_INFINITY]]),
      metric('gauge', 'belfry_empty', []),
    ]
    const families = parseExposition(metricsText(metrics))
    expect([...families.keys()]).toEqual(['belfry_a_total', 'belfry_b', 'belfry_empty'])
    expect(families.get('belfry_a_total')?.series[0]).toMatchObject({ labels: { app_id: odd }, value: 1.5 })
    expect(metricsText(metrics)).toContain('\nbelfry_b +Inf\n')
  })
})

describe('parseMetrics', () => {
  it('reads what prom-client writes as JSON', () => {
    const one = metric('counter', 'belfry_a_total', [[{ app_id: '1' }, 1, 'belfry_a_total']])
    expect(parseMetrics(JSON.stringify([{ ...one, aggregator: 'sum' }]))).toEqual([one])
  })

  it('reads labels that are numbers as text: histograms have such', () => {
    const text =
      '[{"name":"h","help":"","type":"histogram","values":[{"labels":{"le":0.1},"value":1,"metricName":"h_bucket"}]}]'
    expect(parseMetrics(text)[0]?.values).toEqual([{ labels: { le: '0.1' }, value: 1, metricName: 'h_bucket' }])
  })

  it.each(['', 'no JSON', '7', '{}', '[null]', '[{"name":"a"}]', '[{"name":1,"help":"","type":"gauge","values":[]}]'])(
    'makes nothing of %j',
    (text) => expect(parseMetrics(text)).toEqual([]),
  )

  it('leaves out values that are no numbers', () => {
    const text =
      '[{"name":"a","help":"","type":"gauge","values":[null,{"value":null},{"value":"1"},{"labels":{},"value":2}]}]'
    expect(parseMetrics(text)[0]?.values).toEqual([{ labels: {}, value: 2 }])
  })
})
