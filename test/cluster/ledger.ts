/**
 * An exact account of events while something breaks: every trigger with its answer, and for every reader which of them came, how
 * often and in which order.
 *
 *     const ledger = new Ledger({ channels: ['steady'], perSecond: 100, targets: [cluster.target(0), cluster.target(1)] })
 *     const session = ledger.read(client)        // subscribed to the channels
 *     ledger.start(); …; await ledger.stop()
 *     ledger.missing()                           // accepted, and not at somebody who was connected all the time
 *
 * Triggers go out when they are due, however long the answers of others take: each on a free connection to its target, one at a
 * time per connection. The order that is promised is that of one connection.
 */
import type { Target } from '../../bench/load/target.js'
import { LatencyHistogram } from '../black-box/latency.js'
import { RestClient } from '../black-box/rest-client.js'
import { sleep, timeUntil } from '../black-box/waiting.js'
import type { WireClient } from '../black-box/wire-client.js'

const digits = 10
const tickMs = 2
/** What was answered just before a connection ended may not have been written to it any more. */
const closingMs = 500
const middle = '","data":"'.length

export interface LedgerOptions {
  /** Used in turn; names of the same length. */
  readonly channels: readonly string[]
  readonly perSecond: number
  /** Used in turn. */
  readonly targets: readonly Target[]
  /** A connection per trigger, as a PHP application makes it. */
  readonly fresh?: boolean
  /** Connections per target. Above it a trigger has to wait. */
  readonly lanesMax?: number
}

export interface Trigger {
  readonly number: number
  readonly channel: string
  /** Index of its target. */
  readonly target: number
  readonly lane: number
  readonly dueAtMs: number
  sentAtMs: number
  /** Infinity until it is. */
  answeredAtMs: number
  /** 0 = the connection was cut. */
  status: number
}

let ledgers = 0

interface Lane {
  readonly id: number
  readonly rest: RestClient
}

export class Ledger {
  readonly triggers: Trigger[] = []
  readonly sessions: Session[] = []
  /** From when a trigger was due to each receiver. */
  readonly latency = new LatencyHistogram()
  readonly #options: LedgerOptions
  /** Of its events: a client may read several ledgers. */
  readonly #name: string
  readonly #free: Lane[][]
  readonly #lanes: number[]
  #laneIds = 0
  #inFlight = 0
  #running = false
  #loop: Promise<void> = Promise.resolve()

  constructor(options: LedgerOptions) {
    this.#options = options
    ledgers += 1
    this.#name = `entry-${ledgers}`
    this.#free = options.targets.map(() => [])
    this.#lanes = options.targets.map(() => 0)
  }

  start(): void {
    this.#running = true
    this.#loop = this.#publish()
  }

  /** Ends the triggers and waits until nothing is under way. */
  async stop(): Promise<void> {
    this.#running = false
    await this.#loop
    await timeUntil(() => this.#inFlight === 0, 5000)
    await timeUntil(() => this.missing().length === 0, 3000, 200)
    // What comes once more, or although it was refused, would come now.
    await sleep(300)
    for (const lane of this.#free.flat()) lane.rest.close()
  }

  /** From now on the client is expected to get every event of these channels; it is subscribed to them. */
  read(client: WireClient, channels: readonly string[] = this.#options.channels): Session {
    const session = new Session(channels, this)
    this.sessions.push(session)
    const beginning = Buffer.from(`{"event":"${this.#name}","channel":"`)
    const length = channels[0]?.length ?? 0
    const digitsAt = beginning.length + length + middle
    const others = client.onBytes
    client.onBytes = (bytes, start, end) => {
      const head = start + beginning.length
      if (end < start + digitsAt + digits || beginning.compare(bytes, start, head) !== 0)
        return others?.(bytes, start, end) ?? false
      session.take(readNumber(bytes, start + digitsAt))
      return true
    }
    return session
  }

  /** Subscribes a connection to all channels and reads it until it ends. */
  async join(connection: WireClient): Promise<Session> {
    for (const channel of this.#options.channels) await connection.subscribe(channel)
    const session = this.read(connection)
    const { onClosed } = connection
    connection.onClosed = () => {
      session.end()
      onClosed?.()
    }
    return session
  }

  /** Accepted triggers of this time that somebody should have got and has not; as often as that happened. */
  missing(sessions: readonly Session[] = this.sessions, fromMs = 0, toMs = Infinity): Trigger[] {
    return sessions.flatMap((session) =>
      this.triggers.filter(
        (trigger) =>
          trigger.status === 200 &&
          trigger.sentAtMs >= fromMs &&
          trigger.sentAtMs < toMs &&
          session.expects(trigger) &&
          session.count(trigger.number) === 0,
      ),
    )
  }

  /** Events that went over the bus, whatever their trigger was answered, while this session was there; and it did not get them. */
  missedBy(session: Session): number {
    return this.triggers.filter(
      (trigger) => session.expects(trigger) && session.count(trigger.number) === 0 && this.#wasPublished(trigger),
    ).length
  }

  /** Triggers that were not accepted and of which somebody has got the event. */
  deliveredThoughRefused(): Trigger[] {
    return this.triggers.filter((trigger) => trigger.status !== 200 && this.#wasReceived(trigger))
  }

  get repeated(): number {
    return this.sessions.reduce((sum, session) => sum + session.repeated, 0)
  }

  get reordered(): number {
    return this.sessions.reduce((sum, session) => sum + session.reordered, 0)
  }

  get deliveries(): number {
    return this.sessions.reduce((sum, session) => sum + session.received, 0)
  }

  /** Of this time, by status, as a table shows it. */
  answersText(fromMs = 0, toMs = Infinity, target?: number): string {
    const counts = new Map<number, number>()
    for (const trigger of this.triggers) {
      if (trigger.sentAtMs < fromMs || trigger.sentAtMs >= toMs) continue
      if (target !== undefined && trigger.target !== target) continue
      counts.set(trigger.status, (counts.get(trigger.status) ?? 0) + 1)
    }
    return counts.size === 0 ? 'none' : [...counts].map(([status, count]) => `${count} × ${status}`).join(', ')
  }

  /** When the first trigger sent after this moment was accepted, after it; of one target or any. */
  firstSuccessMs(afterMs: number, target?: number): number | undefined {
    let first = Infinity
    for (const trigger of this.triggers) {
      if (trigger.status !== 200 || trigger.sentAtMs < afterMs) continue
      if (target === undefined || trigger.target === target) first = Math.min(first, trigger.answeredAtMs - afterMs)
    }
    return first === Infinity ? undefined : first
  }

  get slowestAnswerMs(): number {
    return Math.max(0, ...this.triggers.map(({ answeredAtMs, sentAtMs }) => answeredAtMs - sentAtMs))
  }

  /** The longest that a trigger of this time waited for this process, and for its answer. */
  waits(fromMs = 0, toMs = Infinity): { readonly lateMs: number; readonly answerMs: number } {
    let [lateMs, answerMs] = [0, 0]
    for (const trigger of this.triggers) {
      if (trigger.dueAtMs < fromMs || trigger.dueAtMs >= toMs || trigger.answeredAtMs === Infinity) continue
      lateMs = Math.max(lateMs, trigger.sentAtMs - trigger.dueAtMs)
      answerMs = Math.max(answerMs, trigger.answeredAtMs - trigger.sentAtMs)
    }
    return { lateMs, answerMs }
  }

  /** Called by the sessions. */
  received(number: number): void {
    const trigger = this.triggers[number]
    if (trigger !== undefined) this.latency.add(performance.now() - trigger.dueAtMs)
  }

  #wasPublished(trigger: Trigger): boolean {
    return trigger.status === 200 || this.#wasReceived(trigger)
  }

  #wasReceived({ number }: Trigger): boolean {
    return this.sessions.some((session) => session.count(number) > 0)
  }

  async #publish(): Promise<void> {
    const startedAtMs = performance.now()
    const first = this.triggers.length
    const { perSecond } = this.#options
    while (this.#running) {
      const due = first + Math.floor(((performance.now() - startedAtMs) * perSecond) / 1000)
      while (this.#running && this.triggers.length < due) {
        const target = this.triggers.length % this.#options.targets.length
        const lane = this.#take(target)
        if (lane === undefined) break
        void this.#send(lane, target, startedAtMs + ((this.triggers.length - first) * 1000) / perSecond)
      }
      await sleep(tickMs)
    }
  }

  #take(target: number): Lane | undefined {
    const free = this.#free[target]?.pop()
    const { lanesMax = 400, targets } = this.#options
    if (free !== undefined || this.#lanes[target]! >= lanesMax) return free
    this.#lanes[target]! += 1
    this.#laneIds += 1
    return { id: this.#laneIds, rest: new RestClient(targets[target]!) }
  }

  /** Never rejects. */
  async #send(lane: Lane, target: number, dueAtMs: number): Promise<void> {
    const number = this.triggers.length
    const channel = this.#options.channels[number % this.#options.channels.length]!
    const trigger: Trigger = {
      ...{ number, channel, target, lane: lane.id, dueAtMs },
      ...{ sentAtMs: performance.now(), answeredAtMs: Infinity, status: 0 },
    }
    this.triggers.push(trigger)
    this.#inFlight += 1
    const { status } = await lane.rest.trigger([channel], this.#name, String(number).padStart(digits, '0'))
    trigger.answeredAtMs = performance.now()
    trigger.status = status
    this.#inFlight -= 1
    if (this.#options.fresh === true) lane.rest.close()
    this.#free[target]?.push(lane)
  }
}

/** One subscription, from `read()` to `end()`. */
export class Session {
  received = 0
  repeated = 0
  /** After one that was published later on the same connection to the same channel. */
  reordered = 0
  readonly #ledger: Ledger
  readonly #channels: ReadonlySet<string>
  readonly #fromMs = performance.now()
  #endMs = Infinity
  #counts = new Uint8Array(4096)
  /** Lane and channel → the last number of it that came. */
  readonly #last = new Map<string, number>()

  constructor(channels: readonly string[], ledger: Ledger) {
    this.#channels = new Set(channels)
    this.#ledger = ledger
  }

  /** The client is gone. */
  end(): void {
    if (this.#endMs === Infinity) this.#endMs = performance.now()
  }

  /** Whether it was there for the whole of the trigger. */
  expects({ channel, sentAtMs, answeredAtMs }: Trigger): boolean {
    if (!this.#channels.has(channel) || sentAtMs < this.#fromMs) return false
    return this.#endMs === Infinity || answeredAtMs + closingMs <= this.#endMs
  }

  count(number: number): number {
    return this.#counts[number] ?? 0
  }

  take(number: number): void {
    while (number >= this.#counts.length) this.#grow()
    this.#counts[number]! += 1
    if (this.#counts[number]! > 1) {
      this.repeated += 1
      return
    }
    this.received += 1
    this.#checkOrder(number)
    this.#ledger.received(number)
  }

  #checkOrder(number: number): void {
    const { lane = 0, channel = '' } = this.#ledger.triggers[number] ?? {}
    const publisher = `${lane} ${channel}`
    if (number < (this.#last.get(publisher) ?? 0)) this.reordered += 1
    else this.#last.set(publisher, number)
  }

  #grow(): void {
    const larger = new Uint8Array(this.#counts.length * 2)
    larger.set(this.#counts)
    this.#counts = larger
  }
}

function readNumber(bytes: Buffer, start: number): number {
  let value = 0
  for (let index = start; index < start + digits; index += 1) value = value * 10 + (bytes[index] ?? 0) - 0x30
  return value
}
