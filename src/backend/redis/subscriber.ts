import type { RedisOptions } from 'ioredis'
import type { Clock } from '../../base/clock.js'
import { Connection } from './connection.js'
import { PendingCalls } from './pending.js'
import { reasonOf, replyText } from './reply-errors.js'
import { Subscriptions } from './subscriptions.js'

/** Subscribes that wait for their confirmation, per server. Above it nobody waits. */
const waitingMax = 100_000

export interface SubscriberOptions {
  readonly redis: RedisOptions
  /** A cluster's master: sharded pub/sub. */
  readonly cluster: boolean
  readonly subscribeTimeoutMs: number
  readonly clock: Clock
  /** Of the server: unanswered commands of this connection count as its. */
  readonly pending: PendingCalls
}

export interface SubscriberOwner {
  /** Connected, and everything wanted has been confirmed. */
  subscribed(): void
  /** The connection is there, and nothing subscribed yet. */
  connected(): void
  lost(reason: string): void
  message(channel: string, payload: string): void
  /** The server refuses subscriptions, in its own words. */
  refused(text: string): void
  /** A slot is served elsewhere. */
  moved(): void
}

/** The connection for messages, with its channels. */
export class Subscriber {
  readonly connection: Connection
  readonly subscriptions: Subscriptions
  readonly #waiting: PendingCalls
  readonly #owner: SubscriberOwner

  constructor(options: SubscriberOptions, owner: SubscriberOwner) {
    const { redis, cluster, subscribeTimeoutMs, clock, pending } = options
    this.#owner = owner
    this.#waiting = new PendingCalls(clock, { calls: waitingMax, bytes: 0, overdueMs: subscribeTimeoutMs })
    this.connection = new Connection(redis, clock, {
      ready: () => this.#ready(),
      lost: (reason) => {
        this.subscriptions.lost()
        owner.lost(reason)
      },
      readonly: () => undefined,
    })
    this.subscriptions = new Subscriptions({
      connection: this.connection,
      sharded: cluster,
      timeoutMs: subscribeTimeoutMs,
      waiting: this.#waiting,
      commands: pending,
      failed: (error) => this.#failed(error),
    })
    this.#listen(cluster)
  }

  async close(): Promise<void> {
    this.subscriptions.lost()
    await this.connection.close()
    this.#waiting.close()
  }

  #listen(cluster: boolean): void {
    const { redis } = this.connection
    redis.on(cluster ? 'smessage' : 'message', (channel: string, payload: string) => {
      this.#owner.message(channel, payload)
    })
    // ioredis emits this for an SSUBSCRIBE that was answered with MOVED, and never settles the command.
    redis.on('moved', () => {
      this.#owner.moved()
      this.connection.cut('a partition has moved')
    })
  }

  #ready(): void {
    this.#owner.connected()
    this.subscriptions.connected()
    this.subscriptions.whenConfirmed(() => this.#owner.subscribed())
  }

  /** Without its subscriptions the connection is of no use. */
  #failed(error: unknown): void {
    const text = replyText(error)
    if (text !== undefined) this.#owner.refused(text)
    this.connection.cut(reasonOf(error))
  }
}
