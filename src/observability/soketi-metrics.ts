import { Histogram, type Registry } from 'prom-client'
import type { AppSample } from './metrics-source.js'
import { registerCounter, registerGauge } from './sample-metrics.js'

type Read = (sample: AppSample) => number | undefined

/** soketi's name (without `soketi_`) → help, and where the value comes from; undefined = no value. */
const counters: Readonly<Record<string, readonly [help: string, read: Read]>> = {
  new_connections_total: ['WebSocket connections established.', ({ counters }) => counters.connectionsTotal],
  new_disconnections_total: ['WebSocket connections closed.', ({ counters }) => sum(counters.disconnections.values())],
  socket_received_bytes: ['Bytes of WebSocket messages received.', ({ counters }) => counters.bytesReceived],
  socket_transmitted_bytes: ['Bytes of WebSocket messages sent.', ({ counters }) => counters.bytesSent],
  ws_messages_received_total: ['WebSocket messages received.', ({ counters }) => counters.messagesReceived],
  ws_messages_sent_total: ['WebSocket messages sent.', ({ counters }) => counters.messagesSent],
  http_received_bytes: ['Bytes of REST request bodies.', ({ http }) => http?.bytesReceived],
  http_transmitted_bytes: ['Bytes of REST answers.', ({ http }) => http?.bytesSent],
  http_calls_received_total: ['REST requests.', ({ http }) => http?.requests],
  // Belfry never asks all nodes, so there are no such requests: always 0.
  horizontal_adapter_resolved_promises: ['Always 0: no node asks the others.', () => 0],
  horizontal_adapter_uncomplete_promises: ['Always 0: no node asks the others.', () => 0],
  horizontal_adapter_sent_requests: ['Always 0: no node asks the others.', () => 0],
  horizontal_adapter_received_requests: ['Always 0: no node asks the others.', () => 0],
  horizontal_adapter_received_responses: ['Always 0: no node asks the others.', () => 0],
}

/**
 * The sixteen names of soketi's dashboards, labels `app_id` and `port`, so that panels and alerts survive the move. The five of
 * its horizontal adapter are 0 and its histogram empty: a panel shows a flat line rather than "no data".
 * @param port the public port, known once the server listens
 */
export function registerSoketiMetrics(
  registry: Registry,
  samples: () => readonly AppSample[],
  port: () => number,
): void {
  const labelNames = ['app_id', 'port'] as const
  const labelsOf = (app: AppSample) => ({ app_id: app.appId, port: String(port()) })
  registerGauge(registry, {
    name: 'soketi_connected',
    help: 'Open WebSocket connections.',
    labelNames,
    read: () => samples().map((app) => ({ labels: labelsOf(app), value: app.connected })),
  })
  for (const [name, [help, read]] of Object.entries(counters)) {
    registerCounter(registry, {
      name: `soketi_${name}`,
      help,
      labelNames,
      read: () =>
        samples().flatMap((app) => {
          const value = read(app)
          return value === undefined ? [] : [{ labels: labelsOf(app), value }]
        }),
    })
  }
  const resolveTime = new Histogram({
    name: 'soketi_horizontal_adapter_resolve_time',
    help: 'Always empty: no node asks the others.',
    labelNames,
    registers: [registry],
    collect() {
      resolveTime.reset()
      for (const app of samples()) resolveTime.zero(labelsOf(app))
    },
  })
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
