import type { Clock } from '../../src/base/clock.js'
import { MemoryBackend } from '../../src/backend/memory/memory-backend.js'
import type { Backend } from '../../src/core/ports/backend.js'
import { BusCounters } from '../../src/core/counters.js'
import { BrokerError, type Broker, type BrokerSink, type Topic } from '../../src/core/ports/broker.js'
import type { Budget } from '../../src/core/ports/budget.js'
import type { CacheStore } from '../../src/core/ports/cache-store.js'
import type { OccupancyStore, TellsCounts } from '../../src/core/ports/occupancy-store.js'
import type { Outbox } from '../../src/core/ports/outbox.js'
import type { PresenceStore } from '../../src/core/ports/presence-store.js'
import type { UserStore } from '../../src/core/ports/user-store.js'
import { userStatusTopic } from '../../src/core/topic.js'

/** The calls whose answers a test can hold back or spoil. */
export type Call =
  | 'broker.subscribe'
  | 'broker.publish'
  | 'broker.control'
  | 'presence.join'
  | 'presence.leave'
  | 'occupancy.set'
  | 'cache.get'
  | 'cache.claimMiss'
  | 'users.signIn'
  | 'users.signOut'
  | 'users.status'

interface HeldDelivery {
  readonly topic: Topic | undefined
  readonly deliver: () => void
}

export type Failure = 'reject' | 'throw' | 'down'

/**
 * A backend that does what memory does, but answers when a test lets it: a store of another machine, which has done the work
 * before its answer is back, and whose messages take a way of their own.
 */
export class ScriptedBackend implements Backend {
  answersInOrder = true
  readonly counters = new BusCounters()
  /** What `downSinceMs` says. */
  downSince: number | undefined
  /** Every call made, in order, as `call topic-or-app …`. */
  readonly calls: string[] = []
  /** Messages for the sink wait for `deliverHeld`. */
  holdsDeliveries = false
  readonly inner: MemoryBackend
  readonly #held = new Map<Call, (() => void)[]>()
  readonly #failing = new Map<Call, Failure>()
  #deliveries: HeldDelivery[] = []
  #sink: BrokerSink | undefined

  constructor(clock: Clock, tellsCounts: TellsCounts) {
    this.inner = new MemoryBackend(clock, () => false, tellsCounts)
  }

  /** From now on answers to this call wait for `release`. */
  hold(call: Call): void {
    if (!this.#held.has(call)) this.#held.set(call, [])
  }

  /** Lets the answers of this call go, the oldest first; without `count` all of them, and later ones at once. */
  release(call: Call, count?: number): void {
    const held = this.#held.get(call) ?? []
    if (count === undefined) this.#held.delete(call)
    for (const answer of held.splice(0, count ?? held.length)) answer()
  }

  /** How many answers of this call wait. */
  waiting(call: Call): number {
    return this.#held.get(call)?.length ?? 0
  }

  /** From now on the call does nothing but reject, throw, or say that the store cannot be asked. */
  fail(call: Call, how: Failure): void {
    this.#failing.set(call, how)
  }

  recover(call: Call): void {
    this.#failing.delete(call)
  }

  /** Messages that wait because `holdsDeliveries` is on. */
  get heldDeliveries(): number {
    return this.#deliveries.length
  }

  /** Hands waiting messages to the sink, the oldest first. */
  deliverHeld(count = this.#deliveries.length): void {
    for (const { deliver } of this.#deliveries.splice(0, count)) deliver()
  }

  /** What the node gave at its start: a test tells it what other nodes did. */
  get sink(): BrokerSink {
    if (this.#sink === undefined) throw new Error('not started')
    return this.#sink
  }

  callsOf(call: string): readonly string[] {
    return this.calls.filter((one) => one.startsWith(`${call} `))
  }

  readonly broker: Broker = {
    subscribe: (topic) => this.#answer('broker.subscribe', [topic], () => Promise.resolve()),
    unsubscribe: (topic) => {
      this.calls.push(`broker.unsubscribe ${topic}`)
    },
    publish: (topic, message) =>
      this.#answer('broker.publish', [topic], () => this.inner.broker.publish(topic, message)),
    relay: (topic) => {
      this.calls.push(`broker.relay ${topic}`)
    },
    control: (message) => this.#answer('broker.control', [message.type], () => this.inner.broker.control(message)),
  }

  readonly presence: PresenceStore = {
    join: (topic, socketId, member, membersMax) =>
      this.#answer(
        'presence.join',
        [topic, socketId, member.userId],
        () => this.inner.presence.join(topic, socketId, member, membersMax),
        [topic],
      ),
    leave: (topic, socketId, userId, handover) =>
      this.#answer('presence.leave', [topic, socketId, userId, ...(handover ? ['handover'] : [])], () =>
        this.inner.presence.leave(topic, socketId, userId),
      ),
    userIds: (topic) => this.inner.presence.userIds(topic),
    count: (topic) => this.inner.presence.count(topic),
    counts: (appId) => this.inner.presence.counts(appId),
    localMembers: (appId) => this.inner.presence.localMembers(appId),
  }

  readonly occupancy: OccupancyStore = {
    set: (topic, localCount) =>
      this.#answer('occupancy.set', [topic, String(localCount)], () => this.inner.occupancy.set(topic, localCount)),
    total: (topic) => this.inner.occupancy.total(topic),
    list: (appId, prefix) => this.inner.occupancy.list(appId, prefix),
  }

  readonly cache: CacheStore = {
    get: (topic) => this.#answer('cache.get', [topic], () => this.inner.cache.get(topic)),
    claimMiss: (topic) => this.#answer('cache.claimMiss', [topic], () => this.inner.cache.claimMiss(topic)),
  }

  readonly users: UserStore = {
    signIn: (appId, userId, socketId) =>
      this.#answer('users.signIn', [appId, userId, socketId], () => this.inner.users.signIn(appId, userId, socketId)),
    signOut: (appId, userId, socketId, handover) =>
      this.#answer('users.signOut', [appId, userId, socketId, ...(handover ? ['handover'] : [])], () =>
        this.inner.users.signOut(appId, userId, socketId),
      ),
    status: (appId, userIds) =>
      this.#answer(
        'users.status',
        [appId, ...userIds],
        () => this.inner.users.status(appId, userIds),
        userIds.map((userId) => userStatusTopic(appId, userId)),
      ),
  }

  get budget(): Budget {
    return this.inner.budget
  }

  get outbox(): Outbox {
    return this.inner.outbox
  }

  start(sink: BrokerSink): Promise<void> {
    this.#sink = sink
    return this.inner.start({
      deliver: (...message) => this.#send(message[0], () => this.#sink?.deliver(...message)),
      counted: (topic, total) => this.#send(topic, () => this.#sink?.counted(topic, total)),
      control: (message) => this.#send(undefined, () => this.#sink?.control(message)),
    })
  }

  downSinceMs(): number | undefined {
    return this.downSince
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  #send(topic: Topic | undefined, deliver: () => void): void {
    if (this.holdsDeliveries) this.#deliveries.push({ topic, deliver })
    else deliver()
  }

  /** Hands over what still waits of these topics, of what waited then. */
  #deliverOf(topics: readonly Topic[], waiting: readonly HeldDelivery[]): void {
    for (const held of waiting) {
      if (held.topic === undefined || !topics.includes(held.topic) || !this.#deliveries.includes(held)) continue
      this.#deliveries = this.#deliveries.filter((one) => one !== held)
      held.deliver()
    }
  }

  /**
   * Does the work now, and answers when the test lets it.
   * @param inOrder topics of which everything up to the work is delivered before the answer
   */
  #answer<Answer>(
    call: Call,
    about: readonly string[],
    work: () => Promise<Answer>,
    inOrder: readonly Topic[] = [],
  ): Promise<Answer> {
    this.calls.push([call, ...about].join(' '))
    const failing = this.#failing.get(call)
    if (failing === 'throw') throw new Error(`${call} throws`)
    if (failing === 'reject') return Promise.reject(new Error(`${call} rejects`))
    if (failing === 'down') return Promise.reject(new BrokerError('down'))
    const answer = work()
    const before = [...this.#deliveries]
    const held = this.#held.get(call)
    if (held === undefined) {
      this.#deliverOf(inOrder, before)
      return answer
    }
    return new Promise((resolve) => {
      held.push(() => {
        this.#deliverOf(inOrder, before)
        resolve(answer)
      })
    })
  }
}
