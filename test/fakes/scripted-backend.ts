import type { Clock } from '../../src/base/clock.js'
import { MemoryBackend } from '../../src/backend/memory/memory-backend.js'
import type { Backend } from '../../src/core/ports/backend.js'
import type { Broker, BrokerSink } from '../../src/core/ports/broker.js'
import type { Budget } from '../../src/core/ports/budget.js'
import type { CacheStore } from '../../src/core/ports/cache-store.js'
import type { OccupancyStore } from '../../src/core/ports/occupancy-store.js'
import type { PresenceStore } from '../../src/core/ports/presence-store.js'
import type { UserStore } from '../../src/core/ports/user-store.js'

/** The calls whose answers a test can hold back or spoil. */
export type Call =
  | 'broker.subscribe'
  | 'broker.publish'
  | 'broker.control'
  | 'presence.join'
  | 'presence.leave'
  | 'occupancy.set'
  | 'cache.get'
  | 'users.signIn'
  | 'users.signOut'
  | 'users.status'

/**
 * A backend that does what memory does, but answers when a test lets it: a store of another machine, which has done the work
 * before its answer is back, and whose messages take a way of their own.
 */
export class ScriptedBackend implements Backend {
  answersInOrder = true
  /** Every call made, in order, as `call topic-or-app …`. */
  readonly calls: string[] = []
  /** Messages for the sink wait for `deliverHeld`. */
  holdsDeliveries = false
  readonly inner: MemoryBackend
  readonly #held = new Map<Call, (() => void)[]>()
  readonly #failing = new Map<Call, 'reject' | 'throw'>()
  #deliveries: (() => void)[] = []
  #sink: BrokerSink | undefined

  constructor(clock: Clock) {
    this.inner = new MemoryBackend(clock)
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

  /** From now on the call does nothing but reject, or throw. */
  fail(call: Call, how: 'reject' | 'throw'): void {
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
    for (const deliver of this.#deliveries.splice(0, count)) deliver()
  }

  callsOf(call: string): readonly string[] {
    return this.calls.filter((one) => one.startsWith(`${call} `))
  }

  readonly broker: Broker = {
    subscribe: (topic) => this.#answer('broker.subscribe', [topic], () => this.inner.broker.subscribe()),
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
      this.#answer('presence.join', [topic, socketId, member.userId], () =>
        this.inner.presence.join(topic, socketId, member, membersMax),
      ),
    leave: (topic, socketId, userId) =>
      this.#answer('presence.leave', [topic, socketId, userId], () =>
        this.inner.presence.leave(topic, socketId, userId),
      ),
    userIds: (topic) => this.inner.presence.userIds(topic),
    count: (topic) => this.inner.presence.count(topic),
  }

  readonly occupancy: OccupancyStore = {
    set: (topic, localCount) =>
      this.#answer('occupancy.set', [topic, String(localCount)], () => this.inner.occupancy.set(topic, localCount)),
    total: (topic) => this.inner.occupancy.total(topic),
    list: (appId, prefix) => this.inner.occupancy.list(appId, prefix),
  }

  readonly cache: CacheStore = {
    get: (topic) => this.#answer('cache.get', [topic], () => this.inner.cache.get(topic)),
  }

  readonly users: UserStore = {
    signIn: (appId, userId, socketId) =>
      this.#answer('users.signIn', [appId, userId, socketId], () => this.inner.users.signIn(appId, userId, socketId)),
    signOut: (appId, userId, socketId) =>
      this.#answer('users.signOut', [appId, userId, socketId], () => this.inner.users.signOut(appId, userId, socketId)),
    status: (appId, userIds) =>
      this.#answer('users.status', [appId, ...userIds], () => this.inner.users.status(appId, userIds)),
  }

  get budget(): Budget {
    return this.inner.budget
  }

  start(sink: BrokerSink): Promise<void> {
    this.#sink = sink
    return this.inner.start({
      deliver: (...message) => this.#send(() => this.#sink?.deliver(...message)),
      control: (message) => this.#send(() => this.#sink?.control(message)),
    })
  }

  ready(): boolean {
    return true
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  #send(deliver: () => void): void {
    if (this.holdsDeliveries) this.#deliveries.push(deliver)
    else deliver()
  }

  /** Does the work now, and answers when the test lets it. */
  #answer<Answer>(call: Call, about: readonly string[], work: () => Promise<Answer>): Promise<Answer> {
    this.calls.push([call, ...about].join(' '))
    const failing = this.#failing.get(call)
    if (failing === 'throw') throw new Error(`${call} throws`)
    if (failing === 'reject') return Promise.reject(new Error(`${call} rejects`))
    const answer = work()
    const held = this.#held.get(call)
    if (held === undefined) return answer
    return new Promise((resolve) => {
      held.push(() => resolve(answer))
    })
  }
}
