import type { Connection } from './connection.js'
import type { PendingCall, PendingCalls } from './pending.js'

/** Channels in one SUBSCRIBE, and commands on their way at once: 8 000 channels, about half a megabyte. */
const channelsPerCommand = 500
const commandsInFlightMax = 16

/** As long as the bus may be silent. */
const commandTimeoutMs = 6000

/** A channel this node wants, or has given up and not told the server yet. */
interface Subscription {
  readonly channel: string
  readonly partition: number
  wanted: boolean
  /** The last word sent to the server on this connection. */
  subscribed: boolean
  confirmed: boolean
  /** When it was wanted, as a place in the sequence of all. */
  place: number
  waiting: Waiting[] | undefined
}

interface Waiting {
  readonly call: PendingCall
  readonly resolve: (confirmed: boolean) => void
}

export interface SubscriptionsOptions {
  readonly connection: Pick<Connection, 'ready' | 'send'>
  /** SSUBSCRIBE, a command per partition. */
  readonly sharded: boolean
  readonly timeoutMs: number
  /** Of those who wait for a confirmation. */
  readonly waiting: PendingCalls
  /** Of the commands: an unanswered one makes the link suspect. */
  readonly commands: PendingCalls
  /** The server refused, or did not answer: the connection is of no use as it is. */
  readonly failed: (error: unknown) => void
}

/**
 * The channels of one subscriber connection. What is wanted and what the server was last told are kept apart, and the difference is
 * sent once per loop turn: whatever the order of want and unwant, the last word holds, because a connection keeps the order.
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions
  readonly #all = new Map<string, Subscription>()
  /** Where wanted and told may differ, oldest first. */
  readonly #changed = new Set<Subscription>()
  /** Wanted and not confirmed, in the order they were wanted. */
  readonly #unconfirmed = new Set<Subscription>()
  #place = 0
  #marks: { readonly place: number; readonly reached: () => void }[] = []
  #connected = false
  /** SUBSCRIBE commands without an answer. */
  readonly #inFlight = new Set<PendingCall>()
  #scheduled = false
  /** Which connection an answer belongs to. */
  #epoch = 0

  constructor(options: SubscriptionsOptions) {
    this.#options = options
  }

  /** @param wait whether to wait for the server; without it the answer is what is known now */
  want(partition: number, channel: string, wait: boolean): Promise<boolean> {
    let subscription = this.#all.get(channel)
    if (subscription === undefined) {
      subscription = { ...unasked, channel, partition, waiting: undefined }
      this.#all.set(channel, subscription)
    }
    if (!subscription.wanted) {
      subscription.wanted = true
      subscription.place = this.#place
      this.#place += 1
      if (!subscription.confirmed) this.#unconfirmed.add(subscription)
      this.#change(subscription)
    }
    if (subscription.confirmed || !wait) return Promise.resolve(subscription.confirmed)
    return this.#confirmationOf(subscription)
  }

  unwant(channel: string): void {
    const subscription = this.#all.get(channel)
    if (subscription?.wanted !== true) return
    subscription.wanted = false
    this.#unconfirmed.delete(subscription)
    this.#answer(subscription, false)
    if (this.#connected) this.#change(subscription)
    else this.#all.delete(channel)
    this.#tellMarks()
  }

  /** The connection is new: everything wanted is sent to it. */
  connected(): void {
    this.#connected = true
    this.#schedule()
  }

  /** The connection is gone, and everything it had confirmed with it. */
  lost(): void {
    this.#connected = false
    this.#epoch += 1
    // Not every one is ever settled: ioredis forgets an SSUBSCRIBE that was answered with MOVED.
    for (const call of this.#inFlight) this.#options.commands.end(call)
    this.#inFlight.clear()
    this.#marks = []
    this.#changed.clear()
    this.#unconfirmed.clear()
    for (const subscription of this.#all.values()) {
      this.#answer(subscription, false)
      subscription.subscribed = false
      subscription.confirmed = false
      if (!subscription.wanted) {
        this.#all.delete(subscription.channel)
        continue
      }
      this.#unconfirmed.add(subscription)
      this.#changed.add(subscription)
    }
  }

  /** Nobody waits any longer: what was asked is confirmed in its own time. */
  stopWaiting(): void {
    for (const subscription of this.#unconfirmed) this.#answer(subscription, false)
  }

  /** Calls back when all that is wanted now is confirmed or given up; not at all when the connection is lost before. */
  whenConfirmed(reached: () => void): void {
    this.#marks.push({ place: this.#place, reached })
    this.#tellMarks()
  }

  #confirmationOf(subscription: Subscription): Promise<boolean> {
    return new Promise((resolve) => {
      const { waiting, timeoutMs } = this.#options
      if (!waiting.admits(0)) {
        resolve(false)
        return
      }
      const call = waiting.start(timeoutMs, 0, () => {
        waiting.end(call)
        resolve(false)
      })
      subscription.waiting ??= []
      subscription.waiting.push({ call, resolve })
    })
  }

  #answer(subscription: Subscription, confirmed: boolean): void {
    const { waiting } = subscription
    if (waiting === undefined) return
    subscription.waiting = undefined
    for (const { call, resolve } of waiting) {
      this.#options.waiting.end(call)
      resolve(confirmed)
    }
  }

  #change(subscription: Subscription): void {
    this.#changed.add(subscription)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || !this.#connected || this.#changed.size === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (!this.#connected || !this.#options.connection.ready) return
    const batches = new Map<number, Subscription[]>()
    const unwanted: Subscription[] = []
    let room = (commandsInFlightMax - this.#inFlight.size) * channelsPerCommand
    for (const subscription of this.#changed) {
      if (room <= 0) break
      room -= 1
      this.#changed.delete(subscription)
      if (subscription.wanted === subscription.subscribed) {
        // Given up before it was ever sent.
        if (!subscription.wanted) this.#all.delete(subscription.channel)
        continue
      }
      subscription.subscribed = subscription.wanted
      if (subscription.wanted) this.#batch(batches, subscription)
      else unwanted.push(subscription)
    }
    for (const batch of batches.values()) this.#subscribe(batch)
    this.#unsubscribe(unwanted)
  }

  /** A command of a cluster is about one slot. */
  #batch(batches: Map<number, Subscription[]>, subscription: Subscription): void {
    const key = this.#options.sharded ? subscription.partition : 0
    let batch = batches.get(key)
    if (batch === undefined) {
      batch = []
      batches.set(key, batch)
    }
    batch.push(subscription)
    if (batch.length < channelsPerCommand) return
    batches.delete(key)
    this.#subscribe(batch)
  }

  #subscribe(batch: readonly Subscription[]): void {
    const { connection, commands, sharded } = this.#options
    const epoch = this.#epoch
    const call = commands.start(commandTimeoutMs, 0, () => {
      if (epoch === this.#epoch) this.#options.failed(new Error('the server did not confirm a subscription'))
    })
    this.#inFlight.add(call)
    connection.send(sharded ? 'ssubscribe' : 'subscribe', batch.map(channelOf)).then(
      () => {
        this.#settled(call)
        if (epoch === this.#epoch) this.#confirm(batch)
      },
      (error: unknown) => {
        this.#settled(call)
        if (epoch === this.#epoch) this.#options.failed(error)
      },
    )
  }

  #settled(call: PendingCall): void {
    this.#options.commands.end(call)
    this.#inFlight.delete(call)
  }

  #confirm(batch: readonly Subscription[]): void {
    for (const subscription of batch) {
      // Given up in the meantime: the server is told, or has been.
      if (!subscription.subscribed) continue
      subscription.confirmed = true
      this.#unconfirmed.delete(subscription)
      this.#answer(subscription, true)
    }
    this.#tellMarks()
    this.#schedule()
  }

  #unsubscribe(unwanted: readonly Subscription[]): void {
    const batches = new Map<number, string[]>()
    for (const subscription of unwanted) {
      subscription.confirmed = false
      this.#all.delete(subscription.channel)
      const key = this.#options.sharded ? subscription.partition : 0
      const batch = batches.get(key)
      if (batch === undefined) batches.set(key, [subscription.channel])
      else batch.push(subscription.channel)
    }
    const { connection, sharded } = this.#options
    for (const channels of batches.values()) {
      for (let from = 0; from < channels.length; from += channelsPerCommand) {
        const some = channels.slice(from, from + channelsPerCommand)
        // Refused, it leaves messages that nobody here wants; lost, the subscription went with the connection.
        connection.send(sharded ? 'sunsubscribe' : 'unsubscribe', some).catch(ignored)
      }
    }
  }

  #tellMarks(): void {
    for (let mark = this.#marks[0]; mark !== undefined; mark = this.#marks[0]) {
      const [oldest] = this.#unconfirmed
      if (oldest !== undefined && oldest.place < mark.place) return
      this.#marks.shift()
      mark.reached()
    }
  }
}

const unasked = { wanted: false, subscribed: false, confirmed: false, place: 0 }

function ignored(): undefined {
  return undefined
}

function channelOf({ channel }: Subscription): string {
  return channel
}
