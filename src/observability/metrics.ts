import { Registry } from 'prom-client'
import { registerAppMetrics } from './app-metrics.js'
import { LatencyCounter } from '../core/counters.js'
import { registerBusMetrics } from './bus-metrics.js'
import { type HttpObserver, registerHttpMetrics } from './http-metrics.js'
import { LatencyHistogram } from './latency-histogram.js'
import type { AppSample, MetricsSource, WebhooksSample } from './metrics-source.js'
import { registerProcessMetrics } from './process-metrics.js'
import { registerCounter, registerGauge } from './sample-metrics.js'
import { registerSoketiMetrics } from './soketi-metrics.js'

const prefix = 'belfry_'

export interface MetricsOptions {
  readonly source: MetricsSource
  /** Labels of `belfry_build_info`: our version, and the node's name as on every log line. */
  readonly build: { readonly version: string; readonly node: string }
  /** Present with `metrics.soketiNames: true`; `port` is the public port. */
  readonly soketiNames?: { readonly port: () => number }
}

/** The node's metrics. They are read and written out only while somebody scrapes. */
export interface Metrics {
  /** Counts a finished HTTP request; `route` is a constant name of the router, never a path. Never throws. */
  readonly httpObserver: HttpObserver
  readonly contentType: string
  /** The Prometheus text format. */
  text(): Promise<string>
  /** The same as JSON: an array of `{ name, help, type, values: [{ labels, value, metricName? }] }`. */
  json(): Promise<string>
}

/** Builds the metrics of one node in a registry of their own. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { source, build } = options
  const registry = new Registry()
  // Read once per scrape: every metric of one answer shows the same moment.
  let samples: readonly AppSample[] = []
  registerGauge(registry, {
    name: `${prefix}build_info`,
    help: 'Always 1; what is running is in the labels.',
    labelNames: ['version', 'node'],
    read: () => [{ labels: { ...build }, value: 1 }],
  })
  registerAppMetrics(registry, prefix, source.node, () => samples)
  registerNodeMetrics(registry, source)
  registerWebhookMetrics(registry, source.webhooks)
  if (source.bus !== undefined) registerBusMetrics(registry, prefix, source.bus)
  const httpObserver = withTriggers(registry, registerHttpMetrics(registry, prefix))
  registerProcessMetrics(registry, prefix)
  if (options.soketiNames !== undefined) registerSoketiMetrics(registry, () => samples, options.soketiNames.port)
  const sampled = async <Result>(write: () => Promise<Result>): Promise<Result> => {
    samples = [...source.apps()]
    return write()
  }
  return {
    httpObserver,
    contentType: registry.contentType,
    text: shared(() => sampled(() => registry.metrics())),
    json: shared(async () => JSON.stringify(await sampled(() => registry.getMetricsAsJSON()))),
  }
}

function registerNodeMetrics(registry: Registry, source: MetricsSource): void {
  registerGauge(registry, {
    name: `${prefix}draining`,
    help: '1 from the signal to stop until the end, else 0.',
    labelNames: [],
    read: () => [{ labels: {}, value: source.draining() ? 1 : 0 }],
  })
  registerGauge(registry, {
    name: `${prefix}backpressure_bytes`,
    help: 'Bytes that wait in the send buffers of all connections.',
    labelNames: [],
    read: () => [{ labels: {}, value: source.backpressureBytes() }],
  })
  registerCounter(registry, {
    name: `${prefix}hold_back_overflows_total`,
    help: 'Frames dropped for a joining subscription whose buffer was full; its snapshot was taken again.',
    labelNames: [],
    read: () => [{ labels: {}, value: source.node.holdBackOverflows }],
  })
  registerCounter(registry, {
    name: `${prefix}outbox_dropped_total`,
    help: 'Transitions for webhooks dropped because too many waited to be sent.',
    labelNames: [],
    read: () => [{ labels: {}, value: source.outboxDropped() }],
  })
}

function registerWebhookMetrics(registry: Registry, webhooks: WebhooksSample): void {
  registerGauge(registry, {
    name: `${prefix}webhook_queue`,
    help: 'Webhook events of this node that wait to be delivered, once per address.',
    labelNames: [],
    read: () => [{ labels: {}, value: webhooks.queued() }],
  })
  new LatencyHistogram(
    registry,
    `${prefix}webhook_duration_seconds`,
    'Time of one attempt to deliver webhook events, whatever came of it.',
    webhooks.durations,
  )
}

/** Routes that publish: their answer 200 is the confirmation of the broker. */
const triggerRoutes: ReadonlySet<string> = new Set(['events', 'batch_events'])

/** Accepted triggers in a histogram of their own, from the same measurement. */
function withTriggers(registry: Registry, observeHttp: HttpObserver): HttpObserver {
  const accepted = new LatencyCounter()
  new LatencyHistogram(
    registry,
    `${prefix}trigger_duration_seconds`,
    'Time from a trigger or batch to its confirmation by the broker.',
    accepted,
  )
  return (route, status, seconds) => {
    observeHttp(route, status, seconds)
    if (status === 200 && triggerRoutes.has(route)) accepted.observe(seconds)
  }
}

/** Callers who ask while an answer is being made share it: a crowd of scrapers costs as much as one. */
function shared<Result>(make: () => Promise<Result>): () => Promise<Result> {
  let pending: Promise<Result> | undefined
  return () => {
    pending ??= make().finally(() => {
      pending = undefined
    })
    return pending
  }
}
