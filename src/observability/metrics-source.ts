import type { AppCounters, BusCounters, LatencyCounter, NodeCounters } from '../core/counters.js'

/** What the collectors read of the node, only while it is scraped. */
export interface MetricsSource {
  /** The apps that exist now; one that was removed disappears from the metrics. */
  apps(): Iterable<AppSample>
  readonly node: NodeCounters
  /** Undefined when there is only this node. */
  readonly bus: BusSample | undefined
  readonly webhooks: WebhooksSample
  /** Transitions that were dropped from a full outbox. */
  outboxDropped(): number
  draining(): boolean
  /** Bytes that wait in the send buffers of all sockets. */
  backpressureBytes(): number
}

/** The bus between nodes. */
export interface BusSample {
  readonly counters: BusCounters
  up(): boolean
}

/** The sending of webhooks. What became of their events is counted per app. */
export interface WebhooksSample {
  /** Events that wait to be sent, or for the answer to it, once per address. */
  queued(): number
  /** Of single attempts. */
  readonly durations: LatencyCounter
}

/** One app on this node at the moment of the scrape. */
export interface AppSample {
  readonly appId: string
  readonly counters: AppCounters
  readonly connected: number
  /** Occupied channels. */
  readonly channels: number
  readonly subscriptions: number
  /** Distinct users, summed over the presence channels. */
  readonly presenceMembers: number
  /** REST traffic of the app; only soketi's names need it, and without it they have no values. */
  readonly http?: { readonly requests: number; readonly bytesReceived: number; readonly bytesSent: number }
}
