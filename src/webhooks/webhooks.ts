import type { Clock, Timer } from '../base/clock.js'
import type { AppCounters, LatencyCounter } from '../core/counters.js'
import type { AppChange, AppRegistry } from '../core/ports/app-registry.js'
import type { App } from '../core/ports/app.js'
import { BrokerError } from '../core/ports/broker.js'
import type { Logger } from '../core/ports/logger.js'
import type { Outbox, OutboxEntry, OutboxListener, OutboxProgress, Transition } from '../core/ports/outbox.js'
import type { ClientEventNotice, WebhookSink } from '../core/ports/webhook-sink.js'
import { webhookEventJson, type WebhookEvent } from '../protocol/webhook.js'
import { PartitionReader } from './partition-reader.js'
import type { WebhookPoster } from './poster.js'
import { QueueSpace } from './queue-space.js'
import { receiverKeys } from './receiver-address.js'
import { Receiver } from './receiver.js'

export interface WebhooksOptions {
  readonly outbox: Outbox
  readonly registry: AppRegistry
  readonly poster: WebhookPoster
  readonly clock: Clock
  readonly logger: Logger
  /** This node's id, random per start: begins the ids of events that are not in the outbox. */
  readonly node: string
  /** What an app's webhooks are counted in; undefined when the app is gone. */
  readonly countersOf: (appId: string) => AppCounters['webhooks'] | undefined
  /** One observation per attempt. */
  readonly durations: LatencyCounter
}

/** How often it is noted what has been dealt with; after a sudden end so much is sent again. */
const noteMs = 1000
/** How often an end looks whether everything is sent. */
const lookMs = 10

/**
 * Tells apps what happens in their channels (section 5): reads the outbox of the partitions that are this node's, and takes what
 * is no transition directly. Nothing here waits for a receiver but what is sent to it.
 */
export class Webhooks implements WebhookSink, OutboxListener {
  readonly #options: WebhooksOptions
  readonly #space = new QueueSpace()
  /** App id → its receivers. */
  readonly #receivers = new Map<string, readonly Receiver[]>()
  readonly #readers = new Map<number, PartitionReader>()
  #noting: Timer | undefined
  #stopWatching: (() => void) | undefined
  #numbered = 0
  /** The end, once it has begun. */
  #stopping: Promise<void> | undefined

  constructor(options: WebhooksOptions) {
    this.#options = options
  }

  /** Events that wait or are under way on this node, once per receiver. */
  get queued(): number {
    let queued = 0
    for (const receiver of this.#all()) queued += receiver.waiting
    return queued
  }

  /** Called before the backend is started. */
  start(): void {
    const { registry, outbox } = this.#options
    for (const app of registry.all()) this.#update(app)
    this.#stopWatching = registry.onChange((change) => this.#change(change))
    outbox.watch(this)
  }

  /**
   * Ends, at the latest after `limitMs`: what would be lost with this process is sent, what another node can send is left to it.
   * Called after the last change was told to the backend, and before the backend is closed. Never rejects.
   */
  stop(limitMs: number): Promise<void> {
    this.#stopping ??= this.#stop(limitMs)
    return this.#stopping
  }

  async #stop(limitMs: number): Promise<void> {
    this.#noting?.stop()
    this.#stopWatching?.()
    const { outbox, clock, logger } = this.#options
    const endMs = clock.monotonicMs() + limitMs
    if (outbox.outlives) this.#leaveQueued()
    else await this.#quietly(...[...this.#readers.values()].map((reader) => reader.finish()))
    if (limitMs > 0) for (const receiver of this.#all()) receiver.flush()
    while (this.#isBusy() && clock.monotonicMs() < endMs) await this.#pause(lookMs)
    const notes = [...this.#readers.values()].map((reader) => reader.note())
    for (const reader of this.#readers.values()) reader.close()
    const lost = [...this.#all()].reduce((sum, receiver) => sum + receiver.close(), 0)
    if (lost > 0) logger.warn({ events: lost }, 'Webhook events could not be sent before the end and are lost')
    if (outbox.outlives) await this.#quietly(...notes)
    await outbox.release()
  }

  clientEvent(app: App, notice: ClientEventNotice): void {
    if (app.webhooks.length > 0) this.#offer(app.id, { name: 'client_event', ...notice })
  }

  cacheMiss(app: App, channel: string): void {
    if (app.webhooks.length > 0) this.#offer(app.id, { name: 'cache_miss', channel })
  }

  gained(partition: number, progress: OutboxProgress): void {
    if (this.#stopping !== undefined) return
    this.#readers.get(partition)?.close()
    const { outbox, clock, logger } = this.#options
    this.#readers.set(
      partition,
      new PartitionReader(partition, progress, {
        outbox,
        clock,
        logger,
        receivers: () => this.#all(),
        pairingMs: () => this.#pairingMs(),
        route: (entry, after, offsetMs, isDone) => this.#route(partition, entry, after, offsetMs, isDone),
        passed: (timeMs) => this.#passed(partition, timeMs),
      }),
    )
  }

  emptied(partition: number): void {
    for (const receiver of this.#all()) receiver.lanes.get(partition)?.forgetPlaces()
    this.#readers.get(partition)?.restart()
  }

  lost(partition: number): void {
    this.#readers.get(partition)?.close()
    this.#readers.delete(partition)
    for (const receiver of this.#all()) receiver.leave(partition)
  }

  appended(partition: number): void {
    this.#readers.get(partition)?.wake()
  }

  #route(
    partition: number,
    entry: OutboxEntry,
    after: string,
    offsetMs: number,
    isDone: (receiver: Receiver) => boolean,
  ): void {
    this.#noteSoon()
    const { transition } = entry
    let json: string | undefined
    for (const receiver of this.#receivers.get(transition.appId) ?? []) {
      if (isDone(receiver)) {
        receiver.remember(partition, transition)
        continue
      }
      json ??= webhookEventJson(eventOf(transition), `${partition}-${entry.id}`)
      receiver.take(partition, { transition, after, json, offsetMs })
    }
  }

  #passed(partition: number, timeMs: number): number | undefined {
    let nextMs: number | undefined
    for (const receiver of this.#all()) {
      receiver.passed(partition, timeMs)
      const dueMs = receiver.lanes.get(partition)?.nextDueMs
      if (dueMs !== undefined) nextMs = Math.min(nextMs ?? dueMs, dueMs)
    }
    return nextMs
  }

  #offer(appId: string, event: WebhookEvent): void {
    let json: string | undefined
    for (const receiver of this.#receivers.get(appId) ?? []) {
      if (!receiver.wants(event.name, event.channel)) continue
      if (json === undefined) {
        this.#numbered += 1
        json = webhookEventJson(event, `${this.#options.node}-${this.#numbered}`)
      }
      receiver.offer(event.channel, json)
    }
  }

  #change({ updated, removed }: AppChange): void {
    for (const app of updated) this.#update(app)
    for (const appId of removed) {
      for (const receiver of this.#receivers.get(appId) ?? []) receiver.discard()
      this.#receivers.delete(appId)
    }
  }

  /** A webhook that stays the same but for its other settings keeps what waits for it. */
  #update(app: App): void {
    const { registry, countersOf, poster, clock, logger, durations } = this.#options
    const before = new Map((this.#receivers.get(app.id) ?? []).map((receiver) => [receiver.key, receiver]))
    const keys = receiverKeys(app.id, app.webhooks)
    const receivers = app.webhooks.map((settings, index) => {
      const key = keys[index] ?? ''
      const same = before.get(key)
      before.delete(key)
      same?.change(settings)
      return (
        same ??
        new Receiver({
          key,
          appId: app.id,
          settings,
          app: () => registry.byId(app.id),
          counters: () => countersOf(app.id),
          space: this.#space,
          progressed: () => this.#noteSoon(),
          poster,
          clock,
          logger,
          durations,
        })
      )
    })
    for (const gone of before.values()) gone.discard()
    if (receivers.length > 0) this.#receivers.set(app.id, receivers)
    else this.#receivers.delete(app.id)
  }

  #pairingMs(): number {
    let longestMs = 0
    for (const receiver of this.#all()) longestMs = Math.max(longestMs, receiver.leaveDelayMs)
    return longestMs
  }

  #noteSoon(): void {
    if (this.#stopping !== undefined) return
    this.#noting ??= this.#options.clock.after(noteMs, () => {
      this.#noting = undefined
      void this.#note()
    })
  }

  /** Never rejects. */
  async #note(): Promise<void> {
    const readers = [...this.#readers.values()]
    const noted = await this.#quietly(...readers.map((reader) => reader.note()))
    if (!noted || readers.some((reader) => reader.hasMoreToNote)) this.#noteSoon()
  }

  /** Transitions that are not under way are another node's from now on. */
  #leaveQueued(): void {
    for (const reader of this.#readers.values()) reader.close()
    for (const receiver of this.#all()) receiver.leaveQueued()
  }

  #isBusy(): boolean {
    for (const receiver of this.#all()) if (receiver.waiting > 0) return true
    return false
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(delayMs, resolve)
    })
  }

  /** What the store cannot be told now is sent again by the next node, with the same ids. @returns whether all went well */
  async #quietly(...calls: Promise<void>[]): Promise<boolean> {
    let well = true
    for (const result of await Promise.allSettled(calls)) {
      if (result.status === 'fulfilled') continue
      well = false
      if (result.reason instanceof BrokerError) continue
      this.#options.logger.error({ err: result.reason as unknown }, 'A fault of the server in its webhooks')
    }
    return well
  }

  *#all(): Iterable<Receiver> {
    for (const receivers of this.#receivers.values()) yield* receivers
  }
}

function eventOf({ type, channel, userId, count }: Transition): WebhookEvent {
  switch (type) {
    case 'member_added':
    case 'member_removed':
      return { name: type, channel, userId: userId ?? '' }
    case 'subscription_count':
      return { name: type, channel, count: count ?? 0 }
    case 'channel_occupied':
    case 'channel_vacated':
      return { name: type, channel }
  }
}
