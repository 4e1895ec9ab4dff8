import type { Clock, Timer } from '../base/clock.js'
import { randomFraction, randomToken } from '../base/random.js'
import type { LatencyCounter } from '../core/counters.js'
import type { App, WebhookSettings } from '../core/ports/app.js'
import type { Logger } from '../core/ports/logger.js'
import { webhookBody } from '../protocol/webhook.js'
import { ChannelQueue } from './channel-queue.js'
import type { Attempt, WebhookPoster } from './poster.js'
import type { QueuedEvent } from './queued-event.js'

/** Batches under way to one receiver, those included that wait for another attempt. */
const batchesOpenMax = 16
/** Of the events of one request, unless a single one is longer: web servers refuse large bodies, nginx above 1 MB. */
const batchCharactersMax = 256 * 1024
const backoffFirstMs = 500
const backoffMaxMs = 30_000
/** An event younger than this gets an attempt, however short the time for retries is. */
const staleMs = 60_000
/** A receiver that failed for so long and answers again gets at once what waits for another attempt. */
const wakesAfterMs = 5000

/** What became of an event (AppCounters.webhooks). */
export type Outcome = 'delivered' | 'given_up' | 'dropped' | 'paired'

export interface OutgoingOptions {
  readonly appId: string
  /** The app as it is now; undefined when it is gone. */
  readonly app: () => App | undefined
  /** For logs: without what may be secret. */
  readonly address: string
  readonly settings: () => WebhookSettings
  readonly settle: (event: QueuedEvent, outcome: Outcome) => void
  /** Another node sends it. */
  readonly leave: (event: QueuedEvent) => void
  readonly retried: (events: number) => void
  readonly poster: WebhookPoster
  readonly clock: Clock
  readonly logger: Logger
  readonly durations: LatencyCounter
}

interface Batch {
  events: readonly QueuedEvent[]
  /** Ends its wait for another attempt. */
  wake: (() => void) | undefined
}

/** Sends one receiver its events: in batches, in order per channel, again when it failed, and not for ever. */
export class Outgoing {
  readonly #options: OutgoingOptions
  readonly #queue = new ChannelQueue()
  readonly #batches = new Set<Batch>()
  #gathering: Timer | undefined
  /** Since when every attempt has failed; undefined while the receiver answers. */
  #failingSinceMs: number | undefined
  #flushing = false
  #leaving = false
  #closed = false

  constructor(options: OutgoingOptions) {
    this.#options = options
  }

  push(event: QueuedEvent): void {
    event.queuedMs = this.#options.clock.monotonicMs()
    this.#queue.push(event)
    this.#pump()
  }

  /** Takes the oldest event out that is not under way. */
  dropOldest(): QueuedEvent | undefined {
    return this.#queue.dropOldest()
  }

  /** Transitions get no further attempt from now on. @returns what is just being sent */
  leaveQueued(): ReadonlySet<QueuedEvent> {
    this.#leaving = true
    const underWay = new Set<QueuedEvent>()
    for (const { events, wake } of this.#batches) {
      if (wake === undefined) for (const event of events) underWay.add(event)
    }
    return underWay
  }

  /** From now on nothing is gathered, and what waits for another attempt gets it now. */
  flush(): void {
    this.#flushing = true
    this.#wakeAll()
    this.#pump()
  }

  /** Sends nothing any more. */
  close(): void {
    this.#closed = true
    this.#gathering?.stop()
    this.#wakeAll()
  }

  #pump(): void {
    const { clock, settings } = this.#options
    const { batch } = settings()
    const most = batch.enabled ? batch.max : 1
    while (!this.#closed && this.#batches.size < batchesOpenMax && this.#queue.first !== undefined) {
      if (this.#queue.length < most && !this.#flushing) {
        const waitMs = this.#queue.first.queuedMs + batch.windowMs - clock.monotonicMs()
        if (waitMs > 0) {
          this.#gather(waitMs)
          return
        }
      }
      const events = this.#queue.take(most, batchCharactersMax)
      if (events.length === 0) return
      if (this.#isWorthTrying(events)) void this.#deliver(events)
      else this.#queue.free(events)
    }
  }

  #gather(waitMs: number): void {
    this.#gathering ??= this.#options.clock.after(waitMs, () => {
      this.#gathering = undefined
      this.#pump()
    })
  }

  async #deliver(events: readonly QueuedEvent[]): Promise<void> {
    const batch: Batch = { events, wake: undefined }
    this.#batches.add(batch)
    try {
      for (let attempt = 1; !this.#closed; attempt += 1) {
        batch.events = batch.events.filter(({ state }) => state === 'open')
        if (batch.events.length === 0) break
        const result = await this.#attempt(batch.events)
        if (result.delivered) {
          for (const event of batch.events) this.#options.settle(event, 'delivered')
          this.#answered()
          break
        }
        const delayMs = this.#failed(batch, attempt, result.reason)
        if (delayMs === undefined) break
        await this.#wait(batch, delayMs)
      }
    } catch (error) {
      const { appId, address, logger, settle } = this.#options
      logger.error({ app_id: appId, url: address, err: error }, 'A fault of the server while it sent webhooks')
      for (const event of batch.events) settle(event, 'given_up')
    }
    this.#batches.delete(batch)
    this.#queue.free(events)
    this.#pump()
  }

  async #attempt(events: readonly QueuedEvent[]): Promise<Attempt> {
    const { app, settings, poster, clock, durations } = this.#options
    const { url, headers, timeoutMs, allowPrivateNetwork } = settings()
    const [signer] = app()?.signers ?? []
    if (signer === undefined) return { delivered: false, reason: 'the app is gone' }
    const [key, hmac] = signer
    const body = webhookBody(
      clock.nowMs(),
      events.map(({ json }) => json),
    )
    const startMs = clock.monotonicMs()
    const result = await poster.post({
      url: new URL(url),
      headers: {
        'User-Agent': 'Belfry',
        ...headers,
        'Content-Type': 'application/json',
        'X-Pusher-Key': key,
        'X-Pusher-Signature': hmac.sign(body),
        'X-Belfry-Delivery': randomToken(),
      },
      body,
      timeoutMs,
      allowPrivateNetwork,
    })
    durations.observe((clock.monotonicMs() - startMs) / 1000)
    return result
  }

  /** Gives up what has become too old while it waited behind a receiver that does not answer. @returns whether anything is left */
  #isWorthTrying(events: readonly QueuedEvent[]): boolean {
    if (this.#failingSinceMs === undefined) return true
    const { clock, settings } = this.#options
    const tooOld = clock.monotonicMs() - Math.max(staleMs, settings().retryForMs)
    this.#giveUp(
      events.filter(({ dueMs }) => dueMs <= tooOld),
      0,
      'it waited behind others that could not be delivered',
    )
    return events.some(({ state }) => state === 'open')
  }

  #giveUp(events: readonly QueuedEvent[], attempts: number, reason: string): void {
    if (events.length === 0) return
    const { settings, settle, appId, address, logger } = this.#options
    for (const event of events) settle(event, 'given_up')
    logger.warn(
      { app_id: appId, url: address, events: events.length, attempts, reason },
      `Webhook events were not delivered within ${settings().retryForMs} ms and are given up`,
    )
  }

  #leaveTransitions({ events }: Batch): void {
    for (const event of events) if (event.partition !== undefined) this.#options.leave(event)
  }

  #answered(): void {
    const { clock, logger, appId, address } = this.#options
    const sinceMs = this.#failingSinceMs
    if (sinceMs === undefined) return
    this.#failingSinceMs = undefined
    const failedMs = clock.monotonicMs() - sinceMs
    if (failedMs < wakesAfterMs) return
    logger.info({ app_id: appId, url: address, failed_ms: Math.round(failedMs) }, 'A webhook receiver answers again')
    this.#wakeAll()
  }

  /** @returns how long to wait before another attempt for what is left of the batch; undefined when nothing is */
  #failed(batch: Batch, attempt: number, reason: string): number | undefined {
    if (this.#closed) return undefined
    const { clock, settings, retried } = this.#options
    this.#noteFailure(reason)
    if (this.#leaving) this.#leaveTransitions(batch)
    const delayMs = backoffMs(attempt)
    // Events that would be too old at the next attempt have had their last.
    const tooOld = clock.monotonicMs() + delayMs - settings().retryForMs
    const open = batch.events.filter(({ state }) => state === 'open')
    this.#giveUp(
      open.filter(({ dueMs }) => dueMs <= tooOld),
      attempt,
      reason,
    )
    batch.events = open.filter(({ state }) => state === 'open')
    retried(batch.events.length)
    return batch.events.length > 0 ? delayMs : undefined
  }

  #noteFailure(reason: string): void {
    const { clock, logger, appId, address, settings } = this.#options
    if (this.#failingSinceMs !== undefined) return
    this.#failingSinceMs = clock.monotonicMs()
    logger.warn(
      { app_id: appId, url: address, reason },
      `A webhook could not be delivered; it is tried again for ${settings().retryForMs} ms`,
    )
  }

  #wait(batch: Batch, delayMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        timer.stop()
        batch.wake = undefined
        resolve()
      }
      const timer = this.#options.clock.after(delayMs, end)
      batch.wake = end
    })
  }

  #wakeAll(): void {
    for (const { wake } of this.#batches) wake?.()
  }
}

/** Doubles with each attempt, and is spread over half of it, so that what failed together does not come back together. */
function backoffMs(attempt: number): number {
  const fullMs = Math.min(backoffMaxMs, backoffFirstMs * 2 ** Math.min(attempt - 1, 16))
  return fullMs * (0.5 + 0.5 * randomFraction())
}
