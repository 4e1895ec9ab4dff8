import type { BusCounters } from '../counters.js'
import type { Broker, BrokerSink } from './broker.js'
import type { Budget } from './budget.js'
import type { CacheStore } from './cache-store.js'
import type { OccupancyStore } from './occupancy-store.js'
import type { Outbox } from './outbox.js'
import type { PresenceStore } from './presence-store.js'
import type { UserStore } from './user-store.js'

/** Everything a node shares with the other nodes, as one bundle: memory (one node) or Redis. Passes test/contract. */
export interface Backend {
  readonly broker: Broker
  readonly presence: PresenceStore
  readonly occupancy: OccupancyStore
  readonly cache: CacheStore
  readonly users: UserStore
  readonly budget: Budget
  /**
   * True when everything up to the version of a cached event has been delivered to the sink before `cache.get` resolves.
   * Otherwise a subscription to a cache channel is fed one by one until the messages up to its snapshot have passed (subscription
   * state `settling`).
   */
  readonly answersInOrder: boolean
  readonly outbox: Outbox
  readonly counters: BusCounters
  start(sink: BrokerSink): Promise<void>
  /** When reads and publishes stopped being answered for the whole cluster (monotonic); undefined while they are. */
  downSinceMs(): number | undefined
  close(): Promise<void>
}
