import { describe, expect, it } from 'vitest'
import { AppCounters, BusCounters, LatencyCounter, NodeCounters } from '../../../src/core/counters.js'
import { createMetrics, type MetricsOptions } from '../../../src/observability/metrics.js'
import type { AppSample, MetricsSource } from '../../../src/observability/metrics-source.js'
import { type Family, parseExposition } from './exposition.js'

/** The part of operations.md ("Metrics") that every node has. */
const contract: Readonly<Record<string, { readonly type: string; readonly labels: readonly string[] }>> = {
  belfry_connected: { type: 'gauge', labels: ['app_id'] },
  belfry_connections_total: { type: 'counter', labels: ['app_id'] },
  belfry_disconnections_total: { type: 'counter', labels: ['app_id', 'code'] },
  belfry_channels: { type: 'gauge', labels: ['app_id'] },
  belfry_subscriptions: { type: 'gauge', labels: ['app_id'] },
  belfry_presence_members: { type: 'gauge', labels: ['app_id'] },
  belfry_ws_messages_received_total: { type: 'counter', labels: ['app_id'] },
  belfry_ws_messages_sent_total: { type: 'counter', labels: ['app_id'] },
  belfry_socket_received_bytes_total: { type: 'counter', labels: ['app_id'] },
  belfry_socket_sent_bytes_total: { type: 'counter', labels: ['app_id'] },
  belfry_http_requests_total: { type: 'counter', labels: ['route', 'status'] },
  belfry_http_request_duration_seconds: { type: 'histogram', labels: [] },
  belfry_trigger_duration_seconds: { type: 'histogram', labels: [] },
  belfry_auth_failures_total: { type: 'counter', labels: ['app_id', 'kind'] },
  belfry_protocol_errors_total: { type: 'counter', labels: ['app_id', 'kind'] },
  belfry_rate_limited_total: { type: 'counter', labels: ['app_id', 'kind'] },
  belfry_slow_consumer_closed_total: { type: 'counter', labels: ['app_id'] },
  belfry_webhooks_total: { type: 'counter', labels: ['app_id', 'outcome'] },
  belfry_webhook_queue: { type: 'gauge', labels: [] },
  belfry_webhook_duration_seconds: { type: 'histogram', labels: [] },
  belfry_backpressure_bytes: { type: 'gauge', labels: [] },
  belfry_draining: { type: 'gauge', labels: [] },
  belfry_build_info: { type: 'gauge', labels: ['version', 'node'] },
}

/** The part that a node among others has as well. */
const busContract: Readonly<Record<string, { readonly type: string; readonly labels: readonly string[] }>> = {
  belfry_bus_up: { type: 'gauge', labels: [] },
  belfry_bus_publish_duration_seconds: { type: 'histogram', labels: [] },
  belfry_bus_reconnects_total: { type: 'counter', labels: [] },
  belfry_bus_gaps_total: { type: 'counter', labels: [] },
  belfry_bus_lost_total: { type: 'counter', labels: [] },
  belfry_bus_dropped_total: { type: 'counter', labels: ['reason'] },
  belfry_bus_unsure_total: { type: 'counter', labels: [] },
  belfry_bus_unconfirmed_subscriptions_total: { type: 'counter', labels: [] },
  belfry_lease_takeovers_total: { type: 'counter', labels: [] },
  belfry_delivery_latency_seconds: { type: 'histogram', labels: [] },
}

class FakeSource implements MetricsSource {
  readonly samples = new Map<string, AppSample>()
  readonly node = new NodeCounters()
  readonly counters = new BusCounters()
  /** Set to make this a node among others. */
  isUp: boolean | undefined
  isDraining = false
  waitingBytes = 0
  waitingEvents = 0
  readonly webhooks = { queued: () => this.waitingEvents, durations: new LatencyCounter() }
  reads = 0;

  *apps(): Iterable<AppSample> {
    this.reads += 1
    yield* this.samples.values()
  }

  get bus() {
    return this.isUp === undefined ? undefined : { counters: this.counters, up: () => this.isUp === true }
  }

  outboxDropped(): number {
    return this.counters.outboxDropped
  }

  draining(): boolean {
    return this.isDraining
  }

  backpressureBytes(): number {
    return this.waitingBytes
  }

  add(appId: string, values: Partial<AppSample> = {}): AppCounters {
    const counters = values.counters ?? new AppCounters()
    this.samples.set(appId, {
      appId,
      connected: 0,
      channels: 0,
      subscriptions: 0,
      presenceMembers: 0,
      ...values,
      counters,
    })
    return counters
  }
}

function create(source: FakeSource, options: Partial<MetricsOptions> = {}) {
  return createMetrics({ source, build: { version: '1.2.3', node: 'n1' }, ...options })
}

function valueOf(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number | undefined {
  for (const family of families.values()) {
    for (const series of family.series) {
      if (series.name === name && sameLabels(series.labels, labels)) return series.value
    }
  }
  return undefined
}

function sameLabels(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key])
}

function busyApp(source: FakeSource): void {
  const counters = source.add('1', { connected: 3, channels: 4, subscriptions: 5, presenceMembers: 2 })
  Object.assign(counters, {
    connectionsTotal: 10,
    messagesReceived: 11,
    messagesSent: 12,
    bytesReceived: 13,
    bytesSent: 14,
  })
  for (const code of [1000, 1000, 4201, 3777]) counters.countDisconnection(code)
  counters.authFailures.channel = 15
  counters.protocolErrors.malformed = 16
  counters.rateLimited.triggers = 17
  counters.slowConsumersClosed = 18
}

describe('a scrape', () => {
  it('is valid for Prometheus, line by line', async () => {
    const source = new FakeSource()
    busyApp(source)
    source.add('quotes " and \\ and \n')
    const metrics = create(source, { soketiNames: { port: () => 6001 } })
    metrics.httpObserver('POST /events', 200, 0.001)
    const families = parseExposition(await metrics.text())
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(valueOf(families, 'belfry_connected', { app_id: 'quotes " and \\ and \n' })).toBe(0)
    for (const { name, type, help } of families.values()) {
      expect(help, name).not.toBe('')
      expect(name).toMatch(/^(belfry|soketi)_/)
      if (name.startsWith('belfry_') && !name.includes('_nodejs_'))
        expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter'])
    }
  })

  it('has every name of the contract with its type and labels', async () => {
    const source = new FakeSource()
    busyApp(source)
    const metrics = create(source)
    metrics.httpObserver('POST /events', 200, 0.001)
    const families = parseExposition(await metrics.text())
    for (const [name, { type, labels }] of Object.entries(contract)) {
      const family = families.get(name)
      expect(family?.type, name).toBe(type)
      expect(family?.series.length, name).toBeGreaterThan(0)
      for (const series of family?.series ?? []) {
        expect(
          Object.keys(series.labels)
            .filter((label) => label !== 'le')
            .sort(),
          name,
        ).toEqual([...labels].sort())
      }
    }
    const others = [...families.keys()].filter((name) => !(name in contract) && !/^belfry_(process|nodejs)_/.test(name))
    expect(others).toEqual(['belfry_hold_back_overflows_total', 'belfry_outbox_dropped_total'])
    expect([...families.keys()].filter((name) => name in busContract)).toEqual([])
  })

  it('of a node among others has those of the bus too', async () => {
    const source = new FakeSource()
    source.isUp = true
    const families = parseExposition(await create(source).text())
    for (const [name, { type, labels }] of Object.entries(busContract)) {
      const family = families.get(name)
      expect([name, family?.type]).toEqual([name, type])
      for (const { labels: found } of family?.series ?? []) {
        expect(Object.keys(found).filter((label) => label !== 'le')).toEqual(labels)
      }
    }
    const known = (name: string) => name in contract || name in busContract || /^belfry_(process|nodejs)_/.test(name)
    expect([...families.keys()].filter((name) => !known(name))).toEqual([
      'belfry_hold_back_overflows_total',
      'belfry_outbox_dropped_total',
    ])
  })

  it('shows what the bus has counted', async () => {
    const source = new FakeSource()
    source.isUp = true
    Object.assign(source.counters, {
      reconnects: 1,
      gaps: 2,
      lost: 3,
      droppedJunk: 4,
      droppedNotBridged: 5,
      subscribedUnconfirmed: 6,
      unsure: 7,
      leaseTakeovers: 8,
      outboxDropped: 9,
    })
    source.counters.publishSeconds.observe(0.002)
    source.counters.deliverySeconds.observe(0.0004)
    // Clocks of two machines that differ.
    source.counters.deliverySeconds.observe(-0.1)
    const metrics = create(source)
    const families = parseExposition(await metrics.text())
    const value = (name: string, labels: Record<string, string> = {}) => valueOf(families, `belfry_${name}`, labels)
    expect(value('bus_up')).toBe(1)
    expect(value('bus_reconnects_total')).toBe(1)
    expect(value('bus_gaps_total')).toBe(2)
    expect(value('bus_lost_total')).toBe(3)
    expect(value('bus_dropped_total', { reason: 'junk' })).toBe(4)
    expect(value('bus_dropped_total', { reason: 'not_bridged' })).toBe(5)
    expect(value('bus_unconfirmed_subscriptions_total')).toBe(6)
    expect(value('bus_unsure_total')).toBe(7)
    expect(value('lease_takeovers_total')).toBe(8)
    expect(value('outbox_dropped_total')).toBe(9)
    expect(value('bus_publish_duration_seconds_bucket', { le: '0.001' })).toBe(0)
    expect(value('bus_publish_duration_seconds_bucket', { le: '0.0025' })).toBe(1)
    expect(value('bus_publish_duration_seconds_sum')).toBeCloseTo(0.002)
    expect(value('delivery_latency_seconds_count')).toBe(2)
    expect(value('delivery_latency_seconds_sum')).toBeCloseTo(0.0004)
    source.isUp = false
    expect(await metrics.text()).toContain('belfry_bus_up 0')
  })

  it('shows what the core has counted', async () => {
    const source = new FakeSource()
    busyApp(source)
    source.node.refusals.set('4001', 19)
    source.node.holdBackOverflows = 20
    source.isDraining = true
    source.waitingBytes = 21
    const families = parseExposition(await create(source).text())
    const ofApp = (name: string, labels: Record<string, string> = {}): number | undefined =>
      valueOf(families, `belfry_${name}`, { app_id: '1', ...labels })
    expect(['connected', 'channels', 'subscriptions', 'presence_members'].map((name) => ofApp(name))).toEqual([
      3, 4, 5, 2,
    ])
    expect(ofApp('connections_total')).toBe(10)
    expect(ofApp('ws_messages_received_total')).toBe(11)
    expect(ofApp('ws_messages_sent_total')).toBe(12)
    expect(ofApp('socket_received_bytes_total')).toBe(13)
    expect(ofApp('socket_sent_bytes_total')).toBe(14)
    expect(ofApp('disconnections_total', { code: '1000' })).toBe(2)
    expect(ofApp('disconnections_total', { code: '4201' })).toBe(1)
    expect(ofApp('disconnections_total', { code: 'other' })).toBe(1)
    expect(ofApp('auth_failures_total', { kind: 'channel' })).toBe(15)
    expect(ofApp('auth_failures_total', { kind: 'rest' })).toBe(0)
    expect(ofApp('protocol_errors_total', { kind: 'malformed' })).toBe(16)
    expect(ofApp('rate_limited_total', { kind: 'triggers' })).toBe(17)
    expect(ofApp('slow_consumer_closed_total')).toBe(18)
    expect(valueOf(families, 'belfry_disconnections_total', { app_id: '', code: '4001' })).toBe(19)
    expect(valueOf(families, 'belfry_hold_back_overflows_total')).toBe(20)
    expect(valueOf(families, 'belfry_draining')).toBe(1)
    expect(valueOf(families, 'belfry_backpressure_bytes')).toBe(21)
    expect(valueOf(families, 'belfry_build_info', { version: '1.2.3', node: 'n1' })).toBe(1)
  })

  it('shows what became of webhooks', async () => {
    const source = new FakeSource()
    const counters = source.add('1')
    source.add('2')
    Object.assign(counters.webhooks, { delivered: 1, retried: 2, given_up: 3, dropped: 4, paired: 5 })
    source.waitingEvents = 6
    for (const seconds of [0.02, 5.1, 59, 61]) source.webhooks.durations.observe(seconds)
    const families = parseExposition(await create(source).text())
    const { series = [] } = families.get('belfry_webhooks_total') ?? {}
    const ofApp = (appId: string) =>
      series.filter(({ labels }) => labels['app_id'] === appId).map(({ labels, value }) => [labels['outcome'], value])
    expect(Object.fromEntries(ofApp('1'))).toEqual({ delivered: 1, retried: 2, given_up: 3, dropped: 4, paired: 5 })
    expect(ofApp('2').map(([, value]) => value)).toEqual([0, 0, 0, 0, 0])
    expect(valueOf(families, 'belfry_webhook_queue')).toBe(6)
    const upTo = (le: string) => valueOf(families, 'belfry_webhook_duration_seconds_bucket', { le })
    // The longest that may be configured is a minute: only what a timeout itself took is above.
    expect(['0.025', '5', '10', '60', '+Inf'].map(upTo)).toEqual([1, 1, 2, 3, 4])
    expect(valueOf(families, 'belfry_webhook_duration_seconds_sum')).toBeCloseTo(125.12)
  })

  it('reads the counters anew each time, once, and forgets an app that is gone', async () => {
    const source = new FakeSource()
    const counters = source.add('1')
    source.add('2')
    const metrics = create(source)
    counters.messagesSent = 5
    await metrics.text()
    counters.messagesSent = 7
    source.samples.delete('2')
    const text = await metrics.text()
    expect(valueOf(parseExposition(text), 'belfry_ws_messages_sent_total', { app_id: '1' })).toBe(7)
    expect(text).not.toContain('app_id="2"')
    expect(source.reads).toBe(2)
  })

  it('is shared by those who ask at the same time', async () => {
    const source = new FakeSource()
    const metrics = create(source)
    const answers = await Promise.all(Array.from({ length: 20 }, () => metrics.text()))
    expect(new Set(answers).size).toBe(1)
    expect(source.reads).toBe(1)
    const [text, json] = await Promise.all([metrics.text(), metrics.json()])
    expect(text).toContain('belfry_draining 0')
    expect(json).toContain('belfry_draining')
  })

  it('answers again after its source has failed once', async () => {
    const source = new FakeSource()
    let fails = true
    source.draining = () => {
      if (fails) throw new Error('not ready')
      return false
    }
    const metrics = create(source)
    await expect(metrics.text()).rejects.toThrow('not ready')
    fails = false
    expect(await metrics.text()).toContain('belfry_draining 0')
  })

  it('survives a counter that is no number', async () => {
    const source = new FakeSource()
    Object.assign(source.add('1', { connected: Number.NaN }), { messagesSent: -1, bytesSent: Infinity })
    const families = parseExposition(await create(source).text())
    expect(valueOf(families, 'belfry_ws_messages_sent_total', { app_id: '1' })).toBe(0)
    expect(valueOf(families, 'belfry_connected', { app_id: '1' })).toBe(0)
  })

  it('has the process metrics, without those that cost an idle node its rest', async () => {
    const families = parseExposition(await create(new FakeSource()).text())
    expect(valueOf(families, 'belfry_process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(valueOf(families, 'belfry_process_open_fds')).toBeGreaterThan(2)
    expect(families.has('belfry_process_cpu_seconds_total')).toBe(true)
    expect(families.has('belfry_nodejs_eventloop_lag_seconds')).toBe(true)
    expect(families.has('belfry_nodejs_eventloop_lag_p99_seconds')).toBe(false)
  })

  it('is also JSON', async () => {
    const source = new FakeSource()
    busyApp(source)
    const metrics = create(source)
    metrics.httpObserver('GET /channels', 200, 0.2)
    const families: unknown = JSON.parse(await metrics.json())
    expect(families).toContainEqual(
      expect.objectContaining({
        name: 'belfry_connected',
        type: 'gauge',
        values: [{ value: 3, labels: { app_id: '1' } }],
      }),
    )
    expect(families).toContainEqual(
      expect.objectContaining({ name: 'belfry_http_request_duration_seconds', type: 'histogram' }),
    )
  })
})

describe('HTTP requests', () => {
  it('are counted by route and status, and their durations summed up', async () => {
    const metrics = create(new FakeSource())
    for (let index = 0; index < 3; index += 1) metrics.httpObserver('POST /events', 200, 0.002)
    metrics.httpObserver('POST /events', 401, 0.0001)
    metrics.httpObserver('GET /channels', 200, 3)
    const families = parseExposition(await metrics.text())
    const requests = (route: string, status: string) =>
      valueOf(families, 'belfry_http_requests_total', { route, status })
    expect([
      requests('POST /events', '200'),
      requests('POST /events', '401'),
      requests('GET /channels', '200'),
    ]).toEqual([3, 1, 1])
    const duration = 'belfry_http_request_duration_seconds'
    expect(valueOf(families, `${duration}_count`)).toBe(5)
    expect(valueOf(families, `${duration}_sum`)).toBeCloseTo(3.0061)
    expect(valueOf(families, `${duration}_bucket`, { le: '0.0005' })).toBe(1)
    expect(valueOf(families, `${duration}_bucket`, { le: '0.0025' })).toBe(4)
    expect(valueOf(families, `${duration}_bucket`, { le: '+Inf' })).toBe(5)
  })

  it('time triggers and batches that were accepted', async () => {
    const metrics = create(new FakeSource())
    metrics.httpObserver('events', 200, 0.002)
    metrics.httpObserver('batch_events', 200, 0.004)
    metrics.httpObserver('events', 503, 1)
    metrics.httpObserver('channels', 200, 1)
    const families = parseExposition(await metrics.text())
    expect(valueOf(families, 'belfry_trigger_duration_seconds_count')).toBe(2)
    expect(valueOf(families, 'belfry_trigger_duration_seconds_sum')).toBeCloseTo(0.006)
  })

  it('never fail by being counted, and never make labels without end', async () => {
    const metrics = create(new FakeSource())
    for (const seconds of [Number.NaN, Infinity, -1]) metrics.httpObserver('odd', 200, seconds)
    for (let index = 0; index < 10_000; index += 1) {
      metrics.httpObserver(`/apps/${index}`, 200, 0)
      metrics.httpObserver('odd', index, 0)
    }
    const families = parseExposition(await metrics.text())
    const series = families.get('belfry_http_requests_total')?.series ?? []
    expect(series.length).toBeLessThanOrEqual(128)
    expect(series.reduce((sum, { value }) => sum + value, 0)).toBe(20_003)
    expect(valueOf(families, 'belfry_http_requests_total', { route: 'other', status: '200' })).toBeGreaterThan(9_000)
  })
})

describe("soketi's names", () => {
  const sixteen = {
    soketi_connected: 'gauge',
    soketi_new_connections_total: 'counter',
    soketi_new_disconnections_total: 'counter',
    soketi_socket_received_bytes: 'counter',
    soketi_socket_transmitted_bytes: 'counter',
    soketi_ws_messages_received_total: 'counter',
    soketi_ws_messages_sent_total: 'counter',
    soketi_http_received_bytes: 'counter',
    soketi_http_transmitted_bytes: 'counter',
    soketi_http_calls_received_total: 'counter',
    soketi_horizontal_adapter_resolved_promises: 'counter',
    soketi_horizontal_adapter_uncomplete_promises: 'counter',
    soketi_horizontal_adapter_sent_requests: 'counter',
    soketi_horizontal_adapter_received_requests: 'counter',
    soketi_horizontal_adapter_received_responses: 'counter',
    soketi_horizontal_adapter_resolve_time: 'histogram',
  }

  it('are absent unless asked for', async () => {
    const source = new FakeSource()
    busyApp(source)
    expect(await create(source).text()).not.toContain('soketi')
  })

  it('are all sixteen, with app_id and port', async () => {
    const source = new FakeSource()
    busyApp(source)
    const families = parseExposition(await create(source, { soketiNames: { port: () => 6001 } }).text())
    const found = [...families.values()].filter(({ name }) => name.startsWith('soketi_'))
    expect(Object.fromEntries(found.map(({ name, type }) => [name, type]))).toEqual(sixteen)
    const value = (name: string) => valueOf(families, name, { app_id: '1', port: '6001' })
    expect(value('soketi_connected')).toBe(3)
    expect(value('soketi_new_connections_total')).toBe(10)
    expect(value('soketi_new_disconnections_total')).toBe(4)
    expect(value('soketi_socket_received_bytes')).toBe(13)
    expect(value('soketi_socket_transmitted_bytes')).toBe(14)
    expect(value('soketi_ws_messages_received_total')).toBe(11)
    expect(value('soketi_ws_messages_sent_total')).toBe(12)
    expect(value('soketi_horizontal_adapter_sent_requests')).toBe(0)
    expect(value('soketi_horizontal_adapter_resolve_time_count')).toBe(0)
  })

  it('show REST traffic per app where it is counted, and no wrong zero where it is not', async () => {
    const source = new FakeSource()
    source.add('counted', { http: { requests: 5, bytesReceived: 600, bytesSent: 70 } })
    source.add('uncounted')
    const families = parseExposition(await create(source, { soketiNames: { port: () => 1 } }).text())
    const value = (name: string, app_id: string) => valueOf(families, name, { app_id, port: '1' })
    expect(value('soketi_http_calls_received_total', 'counted')).toBe(5)
    expect(value('soketi_http_received_bytes', 'counted')).toBe(600)
    expect(value('soketi_http_transmitted_bytes', 'counted')).toBe(70)
    expect(value('soketi_http_calls_received_total', 'uncounted')).toBeUndefined()
  })
})
