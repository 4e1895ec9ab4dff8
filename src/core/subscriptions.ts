import { cacheMissFrame, presenceSucceededFrame, subscriptionSucceededFrame } from '../protocol/outbound.js'
import { hasSettled } from './delivery.js'
import type { Hub } from './hub.js'
import type { Occupancy } from './occupancy.js'
import type { PendingWrites } from './pending-writes.js'
import type { Backend } from './ports/backend.js'
import { BrokerError, type Topic } from './ports/broker.js'
import type { CachedEvent } from './ports/cache-store.js'
import type { Logger } from './ports/logger.js'
import type { Member, RosterSnapshot } from './ports/presence-store.js'
import type { WebhookSink } from './ports/webhook-sink.js'
import type { Ticker } from './ticker.js'
import { hasWebhookFor } from './transitions.js'
import type { LocalChannel, Subscription } from './local-state.js'

/** How often a snapshot is taken because the hold-back ran over, before it is given up. */
export const snapshotAttemptsMax = 5

type Outcome = 'joined' | 'full' | 'left'

/** The channel's last event, or that it has none, or that nobody could be asked. */
type Cached = CachedEvent | 'none' | 'unknown'

export interface SubscriptionsParts {
  readonly hub: Hub
  readonly backend: Backend
  readonly occupancy: Occupancy
  readonly ticker: Ticker
  readonly writes: PendingWrites
  readonly webhooks: WebhookSink
  readonly logger: Logger
}

/**
 * Joins and leaves (architecture ideas 3 and 4): the snapshot of a joining subscription, what the client is told in which
 * order (2.3), and what the stores are told when it goes.
 */
export class Subscriptions {
  readonly #hub: Hub
  readonly #backend: Backend
  readonly #occupancy: Occupancy
  readonly #ticker: Ticker
  readonly #writes: PendingWrites
  readonly #webhooks: WebhookSink
  readonly #logger: Logger

  constructor({ hub, backend, occupancy, ticker, writes, webhooks, logger }: SubscriptionsParts) {
    this.#hub = hub
    this.#backend = backend
    this.#occupancy = occupancy
    this.#ticker = ticker
    this.#writes = writes
    this.#webhooks = webhooks
    this.#logger = logger
  }

  /**
   * Brings a begun subscription to its end: told and active, `full`, or `left` because the client went away meanwhile.
   * Channels without stored truth and with a ready topic are joined when this returns.
   */
  join(subscription: Subscription, member: Member | undefined): Outcome | Promise<Outcome> {
    const { ready, traits } = subscription.channel
    if (ready !== undefined || traits.presence || traits.cache) return this.#joinLater(subscription, member)
    this.#joined(subscription, undefined, 'unknown')
    return 'joined'
  }

  async #joinLater(subscription: Subscription, member: Member | undefined): Promise<Outcome> {
    const { channel } = subscription
    if (channel.ready !== undefined) await channel.ready
    if (hasLeft(subscription)) return 'left'
    let roster: RosterSnapshot | undefined
    let cached: Cached = 'unknown'
    if (channel.traits.presence || channel.traits.cache) {
      const snapshot = await this.#snapshot(subscription, member)
      if (typeof snapshot === 'string') return snapshot
      ;({ roster, cached } = snapshot)
    }
    this.#joined(subscription, roster, cached)
    return 'joined'
  }

  /** Tells the client what it has joined, and from now on what happens there. */
  #joined(subscription: Subscription, roster: RosterSnapshot | undefined, cached: Cached): void {
    const { channel, connection } = subscription
    connection.send(
      roster === undefined
        ? subscriptionSucceededFrame(channel.name)
        : presenceSucceededFrame(channel.name, roster.escapedJson),
    )
    if (channel.traits.cache) this.#tellCached(subscription, cached)
    if (channel.traits.auth !== 'none') connection.authorized = true
    if (this.#backend.answersInOrder || hasSettled(subscription)) this.#hub.activate(subscription)
    else this.#hub.settle(subscription, this.#ticker.nowS)
    this.#occupancy.changed(channel)
  }

  /** Ends a subscription and tells the stores what it changed. */
  leave(subscription: Subscription): void {
    if (subscription.state === 'left') return
    const wasJoined = this.#hub.end(subscription)
    if (subscription.presenceAsked && subscription.userId !== undefined) {
      this.#writes.watch(this.#leavePresence(subscription, subscription.userId), (error) => {
        const { local, socketId } = subscription.connection
        this.#logger.warn({ app_id: local.id, socket_id: socketId, err: error }, 'A leave could not be stored')
      })
    }
    if (wasJoined) this.#occupancy.changed(subscription.channel)
  }

  async #leavePresence({ channel, connection }: Subscription, userId: string): Promise<void> {
    await this.#backend.presence.leave(channel.topic, connection.socketId, userId, connection.handsOver)
  }

  /** Without an event to tell, the client is told that there is none: also while nobody can say so (D4), because it goes on. */
  #tellCached({ channel, connection }: Subscription, cached: Cached): void {
    connection.send(typeof cached === 'string' ? cacheMissFrame(channel.name) : cached.frame)
    // The client does not wait for what the app is told.
    if (cached === 'none' && hasWebhookFor(channel.local.app, 'cache_miss')) this.#writes.watch(this.#tellMiss(channel))
  }

  /** Tells the app of a miss, unless another node or subscriber just has. */
  async #tellMiss({ local, name, topic }: LocalChannel): Promise<void> {
    const { app } = local
    try {
      if (await this.#backend.cache.claimMiss(topic)) this.#webhooks.cacheMiss(app, name)
    } catch (error) {
      // A miss is no stored transition: it may be lost with the store (D5), and the next subscriber tells it again.
      if (!(error instanceof BrokerError))
        this.#logger.warn({ app_id: local.id, err: error }, 'A cache miss could not be told')
    }
  }

  /** `unknown` while the store cannot be asked: subscribing goes on (D4). */
  async #cached(topic: Topic): Promise<Cached> {
    try {
      return (await this.#backend.cache.get(topic)) ?? 'none'
    } catch (error) {
      if (error instanceof BrokerError) return 'unknown'
      throw error
    }
  }

  async #snapshot(
    subscription: Subscription,
    member: Member | undefined,
  ): Promise<{ roster: RosterSnapshot | undefined; cached: Cached } | 'full' | 'left'> {
    const { channel, connection } = subscription
    const { traits, topic } = channel
    for (let attempt = 1; ; attempt += 1) {
      let roster: RosterSnapshot | undefined
      let membersVersion = 0
      const cached = traits.cache ? await this.#cached(topic) : 'unknown'
      if (hasLeft(subscription)) return 'left'
      if (member !== undefined) {
        subscription.userId = member.userId
        subscription.presenceAsked = true
        const membersMax = connection.local.app.limits.presenceMembers
        const result = await this.#backend.presence.join(topic, connection.socketId, member, membersMax)
        if (hasLeft(subscription)) return 'left'
        if (result.outcome === 'full') {
          subscription.presenceAsked = false
          return 'full'
        }
        roster = result.roster
        membersVersion = result.version
      }
      subscription.snapshot = { members: membersVersion, cache: typeof cached === 'string' ? 0 : cached.version }
      if (!subscription.takeOverflow()) return { roster, cached }
      if (attempt === snapshotAttemptsMax) throw new Error('the channel changes faster than its snapshot can be taken')
    }
  }
}

/** A function, because the state may have changed during an await that the compiler does not see. */
function hasLeft(subscription: Subscription): boolean {
  return subscription.state === 'left'
}
