import type { Clock, Timer } from '../base/clock.js'
import { Deque } from '../base/deque.js'
import type { AppCounters, LatencyCounter } from '../core/counters.js'
import type { App, WebhookEventName, WebhookSettings } from '../core/ports/app.js'
import type { Logger } from '../core/ports/logger.js'
import type { Transition, TransitionType } from '../core/ports/outbox.js'
import { Lane } from './lane.js'
import { Outgoing, type Outcome } from './outgoing.js'
import type { WebhookPoster } from './poster.js'
import { addressOf } from './receiver-address.js'
import type { QueueSpace } from './queue-space.js'
import { costOf, type QueuedEvent } from './queued-event.js'

/** How much later than transitions other events are queued: longer than it takes to read those that happened before. */
const behindTransitionsMs = 60

export interface ReceiverOptions {
  /** Stable over restarts and nodes: receiver-address.ts. */
  readonly key: string
  readonly appId: string
  readonly settings: WebhookSettings
  /** The app as it is now; undefined when it is gone. */
  readonly app: () => App | undefined
  readonly counters: () => AppCounters['webhooks'] | undefined
  readonly space: QueueSpace
  /** A transition has been dealt with. */
  readonly progressed: () => void
  readonly poster: WebhookPoster
  readonly clock: Clock
  readonly logger: Logger
  readonly durations: LatencyCounter
}

/** A transition as it comes out of the outbox. */
export interface ReadTransition {
  readonly transition: Transition
  /** The place of the entry before it. */
  readonly after: string
  /** The webhook event as JSON. */
  readonly json: string
  /** What the store's clock is behind this node's monotonic clock. */
  readonly offsetMs: number
}

/** One URL of one app: what it wants, what waits for it. */
export class Receiver {
  readonly key: string
  /** Partition → what it has been given there. */
  readonly lanes = new Map<number, Lane>()
  readonly #options: ReceiverOptions
  readonly #outgoing: Outgoing
  /** Events that are no transitions, until they are due. */
  readonly #offered = new Deque<QueuedEvent>()
  #offering: Timer | undefined
  #settings: WebhookSettings
  #waiting = 0
  #bytes = 0

  constructor(options: ReceiverOptions) {
    const { appId, app, settings, counters, poster, clock, logger, durations } = options
    this.key = options.key
    this.#options = options
    this.#settings = settings
    this.#outgoing = new Outgoing({
      appId,
      app,
      address: addressOf(settings.url),
      settings: () => this.#settings,
      settle: (event, outcome) => this.#settle(event, outcome),
      leave: (event) => this.#end(event, 'left'),
      retried: (events) => {
        const counted = counters()
        if (counted !== undefined) counted.retried += events
      },
      poster,
      clock,
      logger,
      durations,
    })
  }

  /** Events that wait or are under way. */
  get waiting(): number {
    return this.#waiting
  }

  /** How long a leave waits for a return. */
  get leaveDelayMs(): number {
    return this.#settings.leaveDelayMs
  }

  /** Other settings with the same key. */
  change(settings: WebhookSettings): void {
    this.#settings = settings
  }

  wants(name: WebhookEventName, channel: string): boolean {
    const { events } = this.#settings
    return (events.length === 0 || events.includes(name)) && this.#concerns(channel)
  }

  /** An event that is no transition. It waits until the transitions before it have been read. */
  offer(channel: string, json: string): void {
    const dueMs = this.#options.clock.monotonicMs() + behindTransitionsMs
    const place = { partition: undefined, after: '', timeMs: 0 }
    this.#offered.push(this.#accept({ channel, json, dueMs, queuedMs: 0, state: 'open', ...place }))
    this.#offering ??= this.#options.clock.after(behindTransitionsMs, () => this.#queueOffered())
  }

  /** The next transition of a partition. */
  take(partition: number, read: ReadTransition): void {
    const { type, channel, timeMs, userId } = read.transition
    if (!this.#concerns(channel)) return
    const lane = this.#laneOf(partition)
    this.#release(lane, timeMs)
    const who = whoOf(channel, userId)
    const { leaveDelayMs } = this.#settings
    const returnType = returns[type]
    if (returnType !== undefined && leaveDelayMs > 0) {
      const wanted = this.wants(type, channel)
      if (!wanted && !this.wants(returnType, channel)) return
      const event = this.#accept(eventOf(read, partition, leaveDelayMs))
      lane.add(event)
      const earlier = lane.hold(who, { event, dueMs: timeMs + leaveDelayMs, wanted })
      if (earlier?.event !== undefined) this.#settle(earlier.event, undefined)
      return
    }
    const left = returnTypes.has(type) ? lane.takeHeld(who) : undefined
    if (left !== undefined) {
      if (left.event !== undefined) this.#settle(left.event, left.wanted ? 'paired' : undefined)
      this.#count(this.wants(type, channel) ? 'paired' : undefined)
      return
    }
    if (!this.wants(type, channel)) return
    const event = this.#accept(eventOf(read, partition, 0))
    lane.add(event)
    this.#queue(event)
  }

  /** A transition that has been dealt with: a leave still takes with it the return that comes in time. */
  remember(partition: number, { type, channel, timeMs, userId }: Transition): void {
    const { leaveDelayMs } = this.#settings
    if (!this.#concerns(channel) || leaveDelayMs === 0) return
    const lane = this.#laneOf(partition)
    this.#release(lane, timeMs)
    const who = whoOf(channel, userId)
    if (returnTypes.has(type)) lane.takeHeld(who)
    else if (returns[type] !== undefined)
      lane.hold(who, { event: undefined, dueMs: timeMs + leaveDelayMs, wanted: false })
  }

  /** Everything that happened in a partition up to then has been taken. */
  passed(partition: number, timeMs: number): void {
    const lane = this.lanes.get(partition)
    if (lane !== undefined) this.#release(lane, timeMs)
  }

  /** Another node goes on with the partition. */
  leave(partition: number): void {
    const lane = this.lanes.get(partition)
    if (lane === undefined) return
    for (const event of lane.open) this.#end(event, 'left')
    // What is left now was in data that is lost: no other node can read it.
    this.#release(lane, Number.POSITIVE_INFINITY)
    this.lanes.delete(partition)
  }

  /** Leaves every transition to another node that is not just being sent. The lanes still say how far everything is dealt with. */
  leaveQueued(): void {
    const underWay = this.#outgoing.leaveQueued()
    for (const lane of this.lanes.values()) {
      for (const event of lane.open) if (!underWay.has(event)) this.#end(event, 'left')
    }
  }

  /** Sends everything now, also leaves that still wait for a return. */
  flush(): void {
    for (const lane of this.lanes.values()) this.#release(lane, Number.POSITIVE_INFINITY)
    for (let event = this.#offered.shift(); event !== undefined; event = this.#offered.shift()) this.#queue(event)
    this.#outgoing.flush()
  }

  /** The webhook is gone: what waits for it is dropped. */
  discard(): void {
    const dropped = this.close()
    const counters = this.#options.counters()
    if (counters !== undefined) counters.dropped += dropped
  }

  /** Sends nothing any more. @returns how many events were left */
  close(): number {
    const left = this.#waiting
    this.#offering?.stop()
    this.#outgoing.close()
    if (this.#bytes > 0) this.#options.space.leave()
    this.#bytes = 0
    this.#waiting = 0
    return left
  }

  #queueOffered(): void {
    const { clock } = this.#options
    while (this.#offered.first !== undefined && this.#offered.first.dueMs <= clock.monotonicMs()) {
      this.#queue(this.#offered.first)
      this.#offered.shift()
    }
    const waitMs = this.#offered.first === undefined ? undefined : this.#offered.first.dueMs - clock.monotonicMs()
    // Not for each one: what comes within a moment goes together.
    this.#offering = waitMs === undefined ? undefined : clock.after(Math.max(waitMs, 10), () => this.#queueOffered())
  }

  #release(lane: Lane, nowMs: number): void {
    for (const { event, wanted } of lane.takeDue(nowMs)) {
      if (event?.state !== 'open') continue
      if (wanted) this.#queue(event)
      else this.#settle(event, undefined)
    }
  }

  #queue(event: QueuedEvent): void {
    if (event.state === 'open') this.#outgoing.push(event)
  }

  /** Counts an event as waiting; when there is no room left, older ones go. */
  #accept(event: QueuedEvent): QueuedEvent {
    const { space } = this.#options
    const cost = costOf(event)
    if (this.#bytes === 0) space.enter()
    this.#bytes += cost
    this.#waiting += 1
    while (this.#bytes > space.limit && this.#dropOldest());
    return event
  }

  #dropOldest(): boolean {
    const event = this.#outgoing.dropOldest() ?? this.#oldestHeld() ?? this.#offered.shift()
    if (event === undefined) return false
    this.#settle(event, 'dropped')
    return true
  }

  #oldestHeld(): QueuedEvent | undefined {
    for (const lane of this.lanes.values()) {
      const event = lane.dropOldest()
      if (event !== undefined) return event
    }
    return undefined
  }

  #settle(event: QueuedEvent, outcome: Outcome | undefined): void {
    if (event.state !== 'open') return
    this.#end(event, 'settled')
    this.#count(outcome)
  }

  #end(event: QueuedEvent, state: 'settled' | 'left'): void {
    if (event.state !== 'open') return
    event.state = state
    if (event.partition !== undefined && state === 'settled') {
      this.lanes.get(event.partition)?.delete(event)
      this.#options.progressed()
    }
    if (this.#waiting === 0) return
    this.#waiting -= 1
    this.#bytes -= costOf(event)
    if (this.#bytes === 0) this.#options.space.leave()
  }

  #count(outcome: Outcome | undefined): void {
    const counters = this.#options.counters()
    if (outcome !== undefined && counters !== undefined) counters[outcome] += 1
  }

  #concerns(channel: string): boolean {
    const { channelPrefix, channelSuffix } = this.#settings
    return channel.startsWith(channelPrefix) && channel.endsWith(channelSuffix)
  }

  #laneOf(partition: number): Lane {
    let lane = this.lanes.get(partition)
    if (lane === undefined) {
      lane = new Lane()
      this.lanes.set(partition, lane)
    }
    return lane
  }
}

/** Leave → the return that takes it with it when it comes in time. */
const returns: Partial<Record<TransitionType, TransitionType>> = {
  channel_vacated: 'channel_occupied',
  member_removed: 'member_added',
}

const returnTypes: ReadonlySet<TransitionType> = new Set(Object.values(returns))

/** Who comes and goes: a member, or the channel itself. */
function whoOf(channel: string, userId: string | undefined): string {
  return userId === undefined ? channel : `${channel}\n${userId}`
}

function eventOf(
  { transition, after, json, offsetMs }: ReadTransition,
  partition: number,
  delayMs: number,
): QueuedEvent {
  const { channel, timeMs } = transition
  const dueMs = timeMs + delayMs + offsetMs
  return { channel, json, dueMs, queuedMs: 0, state: 'open', partition, after, timeMs }
}
