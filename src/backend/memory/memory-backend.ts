import type { Clock, Timer } from '../../base/clock.js'
import { BusCounters } from '../../core/counters.js'
import type { Backend } from '../../core/ports/backend.js'
import type { BrokerSink } from '../../core/ports/broker.js'
import type { TellsCounts } from '../../core/ports/occupancy-store.js'
import type { WantsTransition } from '../../core/ports/outbox.js'
import { MemoryBroker } from './memory-broker.js'
import { MemoryBudget } from './memory-budget.js'
import { MemoryCache } from './memory-cache.js'
import { MemoryOccupancy } from './memory-occupancy.js'
import { MemoryOutbox } from './memory-outbox.js'
import { MemoryPresence } from './memory-presence.js'
import { MemoryUsers } from './memory-users.js'

/** Expired entries are never given out; this only frees their memory. */
const sweepMs = 10_000

/** Everything a single node needs, in its own memory: always ready, always in order. */
export class MemoryBackend implements Backend {
  readonly answersInOrder = true
  readonly counters = new BusCounters()
  readonly cache: MemoryCache
  readonly broker: MemoryBroker
  readonly presence: MemoryPresence
  readonly occupancy: MemoryOccupancy
  readonly users: MemoryUsers
  readonly budget: MemoryBudget
  readonly outbox: MemoryOutbox
  readonly #clock: Clock
  #sweep: Timer | undefined

  /**
   * @param wantsTransition which transitions are put into the outbox
   * @param tellsCounts whose counts the node is told
   */
  constructor(clock: Clock, wantsTransition: WantsTransition, tellsCounts: TellsCounts) {
    this.#clock = clock
    this.outbox = new MemoryOutbox(wantsTransition, clock, this.counters)
    this.cache = new MemoryCache(clock)
    this.broker = new MemoryBroker(this.cache)
    this.presence = new MemoryPresence(this.broker, this.outbox)
    this.occupancy = new MemoryOccupancy(this.broker, this.outbox, tellsCounts)
    this.users = new MemoryUsers(this.broker)
    this.budget = new MemoryBudget(clock)
  }

  start(sink: BrokerSink): Promise<void> {
    this.broker.start(sink)
    this.#sweep = this.#clock.every(sweepMs, () => this.cache.sweep())
    return Promise.resolve()
  }

  downSinceMs(): undefined {
    return undefined
  }

  close(): Promise<void> {
    this.#sweep?.stop()
    return Promise.resolve()
  }
}
