import type { Registry } from 'prom-client'
import type { NodeCounters } from '../core/counters.js'
import type { AppSample } from './metrics-source.js'
import { type LabelledValue, registerCounter, registerGauge } from './sample-metrics.js'

interface AppMetric {
  readonly name: string
  readonly help: string
  readonly read: (sample: AppSample) => number
}

interface AppMetricByLabel {
  readonly name: string
  readonly help: string
  readonly label: 'code' | 'kind' | 'outcome'
  readonly read: (sample: AppSample) => Iterable<readonly [string, number]>
}

const gauges: readonly AppMetric[] = [
  { name: 'connected', help: 'Open WebSocket connections.', read: (app) => app.connected },
  { name: 'channels', help: 'Occupied channels.', read: (app) => app.channels },
  { name: 'subscriptions', help: 'Subscriptions of connections to channels.', read: (app) => app.subscriptions },
  { name: 'presence_members', help: 'Users present, summed over channels.', read: (app) => app.presenceMembers },
]

const counters: readonly AppMetric[] = [
  {
    name: 'connections_total',
    help: 'WebSocket connections established.',
    read: ({ counters }) => counters.connectionsTotal,
  },
  {
    name: 'ws_messages_received_total',
    help: 'WebSocket messages received.',
    read: ({ counters }) => counters.messagesReceived,
  },
  { name: 'ws_messages_sent_total', help: 'WebSocket messages sent.', read: ({ counters }) => counters.messagesSent },
  {
    name: 'socket_received_bytes_total',
    help: 'Bytes of WebSocket messages received.',
    read: ({ counters }) => counters.bytesReceived,
  },
  {
    name: 'socket_sent_bytes_total',
    help: 'Bytes of WebSocket messages sent.',
    read: ({ counters }) => counters.bytesSent,
  },
  {
    name: 'slow_consumer_closed_total',
    help: 'Connections closed because they did not read what was sent to them.',
    read: ({ counters }) => counters.slowConsumersClosed,
  },
]

const countersByLabel: readonly AppMetricByLabel[] = [
  {
    name: 'auth_failures_total',
    help: 'Signatures refused, by what they were for.',
    label: 'kind',
    read: ({ counters }) => Object.entries(counters.authFailures),
  },
  {
    name: 'protocol_errors_total',
    help: 'WebSocket messages that are not valid in the protocol.',
    label: 'kind',
    read: ({ counters }) => Object.entries(counters.protocolErrors),
  },
  {
    name: 'rate_limited_total',
    help: 'Requests and messages refused by a rate or a quota.',
    label: 'kind',
    read: ({ counters }) => Object.entries(counters.rateLimited),
  },
  {
    name: 'webhooks_total',
    help: 'Webhook events by what became of them, once per address; a failed attempt that is followed by another counts them as retried.',
    label: 'outcome',
    read: ({ counters }) => Object.entries(counters.webhooks),
  },
]

/** The metrics of each app. A closed connection whose app is unknown (4001) counts under the empty `app_id`. */
export function registerAppMetrics(
  registry: Registry,
  prefix: string,
  node: NodeCounters,
  samples: () => readonly AppSample[],
): void {
  for (const metric of gauges) registerGauge(registry, described(prefix, metric, samples))
  for (const metric of counters) registerCounter(registry, described(prefix, metric, samples))
  for (const metric of countersByLabel) {
    registerCounter(registry, {
      name: prefix + metric.name,
      help: metric.help,
      labelNames: ['app_id', metric.label],
      read: () => samples().flatMap((app) => labelled(app.appId, metric.label, metric.read(app))),
    })
  }
  registerCounter(registry, {
    name: `${prefix}disconnections_total`,
    help: 'WebSocket connections closed or refused, by close code.',
    labelNames: ['app_id', 'code'],
    read: () => [
      ...samples().flatMap((app) => labelled(app.appId, 'code', app.counters.disconnections)),
      ...labelled('', 'code', node.refusals),
    ],
  })
}

function described(prefix: string, metric: AppMetric, samples: () => readonly AppSample[]) {
  return {
    name: prefix + metric.name,
    help: metric.help,
    labelNames: ['app_id'] as const,
    read: () => samples().map((app) => ({ labels: { app_id: app.appId }, value: metric.read(app) })),
  }
}

function labelled<Label extends string>(
  appId: string,
  label: Label,
  values: Iterable<readonly [string, number]>,
): LabelledValue<'app_id' | Label>[] {
  const found: LabelledValue<'app_id' | Label>[] = []
  for (const [kind, value] of values) found.push({ labels: withLabel(appId, label, kind), value })
  return found
}

function withLabel<Label extends string>(appId: string, label: Label, kind: string): Record<'app_id' | Label, string> {
  const labels: Record<string, string> = { app_id: appId, [label]: kind }
  return labels
}
