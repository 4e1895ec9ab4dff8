import type { AppCounters, NodeCounters } from '../core/counters.js'

/** What the collectors read of the node, only while it is scraped. */
export interface MetricsSource {
  /** The apps that exist now; one that was removed disappears from the metrics. */
  apps(): Iterable<AppSample>
  readonly node: NodeCounters
  draining(): boolean
  /** Bytes that wait in the send buffers of all sockets. */
  backpressureBytes(): number
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
