import type { Node } from '../core/node.js'
import type { AppRegistry } from '../core/ports/app-registry.js'
import type { Backend } from '../core/ports/backend.js'
import type { AppSample, MetricsSource, WebhooksSample } from './metrics-source.js'
import type { RestTraffic } from './rest-traffic.js'

export interface MeasuredNode {
  readonly node: Node
  readonly backend: Backend
  readonly registry: AppRegistry
  /** Whether other nodes can be there. */
  readonly hasBus: boolean
  readonly webhooks: WebhooksSample
  readonly draining: () => boolean
  /** Absent where nothing counts it. */
  readonly rest?: RestTraffic | undefined
}

/** What the metrics read of a running node. */
export function nodeMetricsSource(measured: MeasuredNode): MetricsSource {
  const { node, backend, hasBus, webhooks, draining } = measured
  const { counters } = backend
  return {
    bus: hasBus ? { counters, up: () => backend.downSinceMs() === undefined } : undefined,
    outboxDropped: () => counters.outboxDropped,
    apps: () => samples(measured),
    node: node.counters,
    webhooks,
    draining,
    backpressureBytes: () => node.slowConsumers.bufferedBytes,
  }
}

function* samples({ node, backend, registry, rest }: MeasuredNode): Iterable<AppSample> {
  for (const app of registry.all()) {
    const local = node.hub.localApp(app)
    yield {
      appId: app.id,
      counters: local.counters,
      connected: local.connections.size,
      channels: local.channels.size,
      subscriptions: local.subscriptions,
      presenceMembers: backend.presence.localMembers(app.id),
      ...(rest === undefined ? {} : { http: rest.of(app.id) }),
    }
  }
}
