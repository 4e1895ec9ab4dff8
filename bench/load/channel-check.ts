/**
 * Checks every message of one channel for every subscriber.
 *
 * The first subscriber that reaches a position of the channel's order has the frame parsed and compared with what was
 * published; everybody else must then show the very same bytes at the same position. So all subscribers see one order,
 * each publisher's messages are in its order, each byte is right, and the usual case costs one memory comparison.
 */
import type { Faults } from './faults.js'
import { readEventData } from './message.js'
import type { ServerMessage } from './message.js'

/** One position in the channel's order. */
interface Entry {
  readonly key: string
  readonly frame: Buffer
  /** Subscribers that have not come by yet. */
  waiting: number
}

export interface ChannelExpectation {
  readonly channel: string
  readonly event: string
  /** Each publisher counts its messages 0 … ringSize − 1 and starts again (a signed request may be sent again). */
  readonly ringSize: number
  /** The exact `data` of a publisher's message. */
  dataOf(publisher: number, sequence: number): string
}

export class ChannelCheck {
  readonly #expected: ChannelExpectation
  readonly #faults: Faults
  readonly #subscribers: Subscriber[] = []
  readonly #entries = new Map<number, Entry>()
  readonly #positions = new Map<string, number>()
  readonly #nextSequence = new Map<number, number>()
  readonly #skipped = new Set<string>()
  readonly #published = new Map<string, () => void>()
  #head = 0

  constructor(expected: ChannelExpectation, faults: Faults) {
    this.#expected = expected
    this.#faults = faults
  }

  get channel(): string {
    return this.#expected.channel
  }

  /** A new subscriber of the channel; all of them before the first message. */
  addSubscriber(): Subscriber {
    const subscriber = new Subscriber(this)
    this.#subscribers.push(subscriber)
    return subscriber
  }

  get subscribers(): number {
    return this.#subscribers.length
  }

  /** To be called before a message is published; resolves once all subscribers have it. */
  delivered(publisher: number, sequence: number): Promise<void> {
    return new Promise((resolve) => this.#published.set(keyOf(publisher, sequence), resolve))
  }

  /** Counts what has not arrived by now as lost. */
  finish(): void {
    for (const subscriber of this.#subscribers) this.#skipTo(subscriber, this.#head)
    for (const key of this.#published.keys()) {
      // Without a position it has reached nobody; with one, those it did not reach have just been counted.
      if (!this.#positions.has(key)) this.#lose(`${this.channel} ${key} reached nobody`, this.#subscribers.length)
    }
  }

  /** The expected case, without parsing: the next frame of the order. */
  matches(subscriber: Subscriber, bytes: Buffer, start: number, end: number): boolean {
    const entry = this.#entries.get(subscriber.position)
    if (entry === undefined || entry.frame.compare(bytes, start, end) !== 0) return false
    this.#pass(subscriber, entry)
    return true
  }

  /** Everything else: the first to see a message, or a fault. */
  take(subscriber: Subscriber, message: ServerMessage, frame: Buffer): void {
    const id = readEventData(message.data)
    if (id === undefined || !this.#isRight(message, id.publisher, id.sequence)) {
      this.#faults.add('malformed', `on ${this.channel}: ${frame.toString()}`)
      return
    }
    const key = keyOf(id.publisher, id.sequence)
    const position = this.#positions.get(key)
    if (position === undefined) this.#takeNew(subscriber, key, id, frame)
    else this.#takeKnown(subscriber, key, position, frame)
  }

  #isRight(message: ServerMessage, publisher: number, sequence: number): boolean {
    const { channel, event, ringSize } = this.#expected
    return (
      message.channel === channel &&
      message.event === event &&
      sequence < ringSize &&
      message.data === this.#expected.dataOf(publisher, sequence)
    )
  }

  #takeNew(subscriber: Subscriber, key: string, id: { publisher: number; sequence: number }, frame: Buffer): void {
    const { ringSize } = this.#expected
    const next = this.#nextSequence.get(id.publisher) ?? 0
    const ahead = (id.sequence - next + ringSize) % ringSize
    if (ahead >= ringSize / 2) {
      if (this.#skipped.delete(key)) this.#faults.lostCameLate(`${this.channel} ${key} came after later ones`)
      else this.#faults.add('doubled', `${this.channel} ${key} came again`)
      return
    }
    for (let missed = 0; missed < ahead; missed += 1) {
      const missedKey = keyOf(id.publisher, (next + missed) % ringSize)
      this.#skipped.add(missedKey)
      this.#lose(`${this.channel} ${missedKey} was not there before ${key}`, 1)
    }
    this.#nextSequence.set(id.publisher, (id.sequence + 1) % ringSize)
    this.#skipTo(subscriber, this.#head)
    const entry = { key, frame: Buffer.from(frame), waiting: this.#subscribers.length }
    this.#entries.set(this.#head, entry)
    this.#remember(key)
    this.#head += 1
    this.#pass(subscriber, entry)
  }

  #takeKnown(subscriber: Subscriber, key: string, position: number, frame: Buffer): void {
    if (position < subscriber.position) {
      if (subscriber.missed.delete(position)) this.#faults.lostCameLate(`${this.channel} ${key} came after later ones`)
      else this.#faults.add('doubled', `${this.channel} ${key} came twice to one subscriber`)
      return
    }
    this.#skipTo(subscriber, position)
    const entry = this.#entries.get(position)
    if (entry === undefined) return
    if (!entry.frame.equals(frame)) this.#faults.add('malformed', `two encodings of one message: ${frame.toString()}`)
    this.#pass(subscriber, entry)
  }

  #skipTo(subscriber: Subscriber, position: number): void {
    while (subscriber.position < position) {
      const entry = this.#entries.get(subscriber.position)
      if (entry === undefined) break
      subscriber.missed.add(subscriber.position)
      this.#lose(`${this.channel} ${entry.key} did not reach one subscriber`, 1)
      this.#pass(subscriber, entry)
    }
  }

  #pass(subscriber: Subscriber, entry: Entry): void {
    const position = subscriber.position
    subscriber.position += 1
    entry.waiting -= 1
    if (entry.waiting > 0) return
    this.#entries.delete(position)
    const resolve = this.#published.get(entry.key)
    this.#published.delete(entry.key)
    resolve?.()
  }

  /** Keeps the positions of half a ring: a key comes round again later than that, and more are never in flight. */
  #remember(key: string): void {
    this.#positions.set(key, this.#head)
    if (this.#positions.size <= this.#expected.ringSize / 2) return
    const oldest = this.#positions.keys().next()
    if (oldest.done !== true) this.#positions.delete(oldest.value)
  }

  #lose(example: string, count: number): void {
    this.#faults.add('lost', example, count)
  }
}

/** One connection's place in the channel's order. */
export class Subscriber {
  readonly #check: ChannelCheck
  position = 0
  /** Positions that later ones have overtaken. */
  readonly missed = new Set<number>()

  constructor(check: ChannelCheck) {
    this.#check = check
  }

  matches(bytes: Buffer, start: number, end: number): boolean {
    return this.#check.matches(this, bytes, start, end)
  }

  take(message: ServerMessage, frame: Buffer): void {
    this.#check.take(this, message, frame)
  }
}

function keyOf(publisher: number, sequence: number): string {
  return `${publisher}:${sequence}`
}
