import type { Clock } from '../../base/clock.js'
import { BusCounters } from '../../core/counters.js'
import type { Backend } from '../../core/ports/backend.js'
import type { BrokerSink, Topic } from '../../core/ports/broker.js'
import type { Logger } from '../../core/ports/logger.js'
import type { TellsCounts } from '../../core/ports/occupancy-store.js'
import type { WantsTransition } from '../../core/ports/outbox.js'
import { splitTopic, userOfStatusTopic } from '../../core/topic.js'
import { memberAddedFrame, memberRemovedFrame, watchlistFrame } from '../../protocol/outbound.js'
import { Keys, outboxTopic, partitionCount } from './keys.js'
import type { Links } from './link.js'
import { createLinks } from './links.js'
import { Membership } from './membership.js'
import { OutboxLeases } from './outbox-leases.js'
import { queryWaitMs, type Surroundings } from './partition.js'
import { RedisBroker } from './redis-broker.js'
import { budgetScripts, RedisBudget } from './redis-budget.js'
import { RedisCache } from './redis-cache.js'
import { RedisOccupancy } from './redis-occupancy.js'
import type { LinksOptions } from './redis-options.js'
import { RedisOutbox } from './redis-outbox.js'
import { RedisPresence } from './redis-presence.js'
import { RedisUsers } from './redis-users.js'
import { scripts } from './truth-scripts.js'

export interface RedisBackendOptions {
  readonly redis: Pick<LinksOptions, 'mode' | 'url' | 'nodes' | 'sentinelName' | 'sentinelPassword' | 'tls' | 'prefix'>
  /** Of this node, random per start. */
  readonly node: string
  /** A node silent for so long counts as dead. */
  readonly leaseMs: number
  readonly publishTimeoutMs: number
  readonly subscribeTimeoutMs: number
  readonly queryTimeoutMs: number
  /** How long a member is held whose connection the server closed. */
  readonly handoverMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly wantsTransition: WantsTransition
  readonly tellsCounts: TellsCounts
}

/** How long a start waits for the first leases, before it goes on without. */
const firstLeasesMs = 3000
/** How long an end waits for what has been sent. */
const lastCallsMs = 1500

/** What several nodes share, in Redis. It works without Redis too, as one node, and catches up when Redis appears (D4). */
export class RedisBackend implements Backend {
  readonly answersInOrder = false
  readonly counters = new BusCounters()
  readonly broker: RedisBroker
  readonly presence: RedisPresence
  readonly occupancy: RedisOccupancy
  readonly cache: RedisCache
  readonly users: RedisUsers
  readonly budget: RedisBudget
  readonly outbox: RedisOutbox
  readonly #clock: Clock
  readonly #keys: Keys
  readonly #links: Links
  readonly #membership: Membership
  readonly #leases: OutboxLeases
  /** Partitions whose server is not connected, and since when there are any. */
  readonly #downPartitions = new Set<number>()
  #downSinceMs: number | undefined
  #sink: BrokerSink | undefined
  /** Changes of members told to this node's subscribers. */
  #told = 0

  constructor(options: RedisBackendOptions) {
    const { redis, node, clock, logger, leaseMs, subscribeTimeoutMs, queryTimeoutMs } = options
    this.#clock = clock
    this.#keys = new Keys(redis.prefix)
    for (let partition = 0; partition < partitionCount; partition += 1) this.#downPartitions.add(partition)
    this.#downSinceMs = clock.monotonicMs()
    this.#links = createLinks({
      ...redis,
      nodeId: node,
      scripts: [...Object.values(scripts), ...budgetScripts],
      timeouts: { subscribeMs: subscribeTimeoutMs },
      clock,
      logger,
      counters: this.counters,
    })
    const around: Surroundings = { ...options, links: this.#links, keys: this.#keys, counters: this.counters }
    this.#leases = new OutboxLeases(around)
    this.#membership = new Membership(
      around,
      this.#leases,
      (topic, change, userId, userInfo) => this.#announce(topic, change, userId, userInfo),
      (topic, total) => this.#sink?.counted(topic, total),
    )
    const { shares } = this.#membership
    const toldUpTo = () => this.#told
    this.broker = new RedisBroker(
      around,
      (partition) => shares[partition]?.members,
      (partition) => shares[partition]?.counts,
      (partition) => shares[partition]?.partition,
    )
    this.presence = new RedisPresence(around, shares, toldUpTo)
    this.users = new RedisUsers(around, shares, toldUpTo)
    this.occupancy = new RedisOccupancy(around, shares)
    this.cache = new RedisCache(around)
    this.outbox = new RedisOutbox(around, shares, this.#leases)
    this.budget = new RedisBudget({
      links: this.#links,
      keys: this.#keys,
      node,
      clock,
      leaseMs,
      timeoutMs: queryWaitMs(queryTimeoutMs),
    })
  }

  /** @throws Error with one sentence when Redis answers but cannot be used */
  async start(sink: BrokerSink): Promise<void> {
    this.#sink = sink
    this.broker.start(sink)
    const firstLeases: Promise<void>[] = []
    await this.#links.start({
      message: (channel, payload) => this.#receive(channel, payload),
      partitionUp: (partition) => {
        this.#downPartitions.delete(partition)
        if (this.#downPartitions.size === 0) this.#downSinceMs = undefined
        firstLeases.push(this.#membership.up(partition))
      },
      partitionDown: (partition) => {
        this.#downPartitions.add(partition)
        this.#downSinceMs ??= this.#clock.monotonicMs()
        this.#membership.down(partition)
      },
    })
    this.#membership.start()
    this.budget.start()
    await this.#within(firstLeasesMs, Promise.all(firstLeases.splice(0)))
  }

  downSinceMs(): number | undefined {
    return this.#downSinceMs
  }

  async close(): Promise<void> {
    await this.#within(lastCallsMs, this.#membership.close())
    await this.#within(lastCallsMs, Promise.resolve(this.budget.close()))
    this.broker.close()
    await this.#links.close()
  }

  #receive(channel: string, payload: string): void {
    const topic = this.#keys.topicOfBus(channel)
    if (topic === outboxTopic) this.#leases.heard(this.#keys.partitionOfBus(channel), payload)
    else this.broker.receive(topic, payload)
  }

  /** Brings a change of members to the subscribers of this node. */
  #announce(topic: Topic, change: 'added' | 'removed', userId: string, userInfo: string | undefined): void {
    this.#told += 1
    const frame = frameOf(topic, change, userId, userInfo)
    if (frame !== undefined) this.#sink?.deliver(topic, frame, undefined, 'members', this.#told)
  }

  #within(limitMs: number, work: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(limitMs, resolve)
      work.then(() => resolve(), reject).finally(() => timer.stop())
    })
  }
}

function frameOf(
  topic: Topic,
  change: 'added' | 'removed',
  userId: string,
  userInfo: string | undefined,
): string | undefined {
  const { channel } = splitTopic(topic)
  if (userOfStatusTopic(topic) === undefined) {
    return change === 'added' ? memberAddedFrame(channel, userId, userInfo) : memberRemovedFrame(channel, userId)
  }
  return change === 'added' ? watchlistFrame([userId], []) : watchlistFrame([], [userId])
}
