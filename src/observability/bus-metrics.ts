import type { Registry } from 'prom-client'
import type { BusCounters } from '../core/counters.js'
import { LatencyHistogram } from './latency-histogram.js'
import type { BusSample } from './metrics-source.js'
import { registerCounter, registerGauge } from './sample-metrics.js'

type Counted = { [Key in keyof BusCounters]: BusCounters[Key] extends number ? Key : never }[keyof BusCounters]

const counters: readonly (readonly [name: string, key: Counted, help: string])[] = [
  ['bus_reconnects_total', 'reconnects', 'Times the connection to Redis was made again.'],
  ['bus_gaps_total', 'gaps', 'Jumps in the numbering of what another node sent: messages were lost.'],
  ['bus_lost_total', 'lost', 'Messages missing in the gaps.'],
  ['bus_unsure_total', 'unsure', 'Events without a confirmation, which others may have although the answer was 503.'],
  [
    'bus_unconfirmed_subscriptions_total',
    'subscribedUnconfirmed',
    'Channels whose first subscriber was told of its success before Redis had confirmed.',
  ],
  ['lease_takeovers_total', 'leaseTakeovers', 'Dead nodes whose members and channels this node gave up.'],
]

/** What only a node among others has. */
export function registerBusMetrics(registry: Registry, prefix: string, bus: BusSample): void {
  registerGauge(registry, {
    name: `${prefix}bus_up`,
    help: '1 while messages to other nodes are proven to arrive, else 0.',
    labelNames: [],
    read: () => [{ labels: {}, value: bus.up() ? 1 : 0 }],
  })
  for (const [name, key, help] of counters) {
    registerCounter(registry, {
      name: prefix + name,
      help,
      labelNames: [],
      read: () => [{ labels: {}, value: bus.counters[key] }],
    })
  }
  registerCounter(registry, {
    name: `${prefix}bus_dropped_total`,
    help: 'Messages not understood (junk), and client events that could not reach other nodes (not_bridged).',
    labelNames: ['reason'],
    read: () => [
      { labels: { reason: 'junk' }, value: bus.counters.droppedJunk },
      { labels: { reason: 'not_bridged' }, value: bus.counters.droppedNotBridged },
    ],
  })
  const { publishSeconds, deliverySeconds } = bus.counters
  new LatencyHistogram(
    registry,
    `${prefix}bus_publish_duration_seconds`,
    'Time from the publishing of an event to its confirmation.',
    publishSeconds,
  )
  new LatencyHistogram(
    registry,
    `${prefix}delivery_latency_seconds`,
    'Time from the publishing of an event, on whatever node, to its delivery on this one.',
    deliverySeconds,
  )
}
