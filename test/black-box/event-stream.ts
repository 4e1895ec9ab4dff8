/**
 * A steady stream of numbered events on one channel, and readers that notice every one that is missing, doubled or out of order.
 * Events of several streams may share a channel when their names differ: one per publishing node, since the order that is promised
 * is that of one publisher. One client may read several streams.
 */
import { LatencyHistogram } from './latency.js'
import type { RestClient } from './rest-client.js'
import { sleep, timeUntil } from './waiting.js'
import type { WireClient } from './wire-client.js'

const digits = 10
const tickMs = 2
/** Missing numbers that one reader remembers. */
const missingMax = 10_000

export interface StreamOptions {
  readonly channel: string
  readonly perSecond: number
  /** The events' name. */
  readonly name?: string
  /** Length of each event's data. */
  readonly bytes?: number
}

export class EventStream {
  readonly latency = new LatencyHistogram()
  readonly channel: string
  /** Answers by status; 0 = the connection was cut. */
  readonly answers = new Map<number, number>()
  readonly readers: StreamReader[] = []
  /** Events handed to the publisher so far. */
  sent = 0
  readonly #name: string
  readonly #rest: RestClient
  readonly #perSecond: number
  readonly #padding: string
  readonly #refused = new Set<number>()
  readonly #dueAtMs: number[] = []
  #running = false
  #loop: Promise<void> = Promise.resolve()

  constructor(rest: RestClient, { channel, perSecond, name = 'numbered', bytes = 0 }: StreamOptions) {
    this.#rest = rest
    this.#name = name
    this.channel = channel
    this.#perSecond = perSecond
    this.#padding = 'x'.repeat(Math.max(0, bytes - digits))
  }

  start(): void {
    this.#running = true
    this.#loop = this.#publish()
  }

  /** Lets the client see every event from now on. It must be subscribed. */
  read(client: WireClient): StreamReader {
    const prefix = Buffer.from(`{"event":"${this.#name}","channel":"${this.channel}","data":"`)
    const reader = new StreamReader(this.sent, (sequence) => {
      const dueAtMs = this.#dueAtMs[sequence]
      if (dueAtMs !== undefined) this.latency.add(performance.now() - dueAtMs)
    })
    this.readers.push(reader)
    const others = client.onBytes
    client.onBytes = (bytes, start, end) => {
      const digitsAt = start + prefix.length
      if (end < digitsAt + digits || prefix.compare(bytes, start, digitsAt) !== 0)
        return others?.(bytes, start, end) ?? false
      reader.take(readNumber(bytes, digitsAt))
      return true
    }
    return reader
  }

  /** Waits until every reader that still can has the last event, then tells what was missing. */
  async stop(isOpen: (index: number) => boolean = () => true): Promise<void> {
    this.#running = false
    await this.#loop
    const arrived = () =>
      this.readers.every((reader, index) => !isOpen(index) || reader.next >= this.#lastAccepted() + 1)
    await timeUntil(arrived, 5000)
  }

  /** Accepted events that these readers did not get; to be called after stop(). @param endOf the first number not awaited */
  missed(
    readers: readonly StreamReader[] = this.readers,
    endOf: (reader: StreamReader) => number = () => this.sent,
  ): number {
    let missed = 0
    for (const reader of readers) {
      const end = endOf(reader)
      for (const sequence of reader.missing) if (!this.#refused.has(sequence)) missed += 1
      for (let sequence = reader.next; sequence < end; sequence += 1) if (!this.#refused.has(sequence)) missed += 1
    }
    return missed
  }

  /** Events that came twice, in the wrong order, or although they had been refused. */
  wrong(): number {
    let wrong = 0
    for (const reader of this.readers) wrong += reader.repeated
    return wrong
  }

  answersText(): string {
    return [...this.answers].map(([status, count]) => `${count} × ${status}`).join(', ')
  }

  get notAccepted(): number {
    return this.#refused.size
  }

  #lastAccepted(): number {
    let last = this.sent - 1
    while (this.#refused.has(last)) last -= 1
    return last
  }

  /** Open loop in what it measures: an event that had to wait for the one before counts from when it was due. */
  async #publish(): Promise<void> {
    const startedAtMs = performance.now()
    const first = this.sent
    while (this.#running) {
      const due = first + Math.floor(((performance.now() - startedAtMs) * this.#perSecond) / 1000)
      while (this.#running && this.sent < due)
        await this.#publishOne(startedAtMs + ((this.sent - first) * 1000) / this.#perSecond)
      await sleep(tickMs)
    }
  }

  async #publishOne(dueAtMs: number): Promise<void> {
    const sequence = this.sent
    this.sent += 1
    this.#dueAtMs[sequence] = dueAtMs
    const data = `${String(sequence).padStart(digits, '0')}${this.#padding}`
    const { status } = await this.#rest.trigger([this.channel], this.#name, data)
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1)
    if (status !== 200) this.#refused.add(sequence)
  }
}

export class StreamReader {
  /** The number awaited next. */
  next: number
  readonly missing = new Set<number>()
  repeated = 0
  received = 0
  readonly #onTaken: (sequence: number) => void

  constructor(next: number, onTaken: (sequence: number) => void) {
    this.next = next
    this.#onTaken = onTaken
  }

  take(sequence: number): void {
    if (sequence < this.next) {
      // Published before this reader looked, unless it is known to be missing or was seen.
      if (this.received > 0) this.repeated += 1
      this.missing.delete(sequence)
      return
    }
    for (; this.next < sequence; this.next += 1) if (this.missing.size < missingMax) this.missing.add(this.next)
    this.next += 1
    this.received += 1
    this.#onTaken(sequence)
  }
}

function readNumber(bytes: Buffer, start: number): number {
  let value = 0
  for (let index = start; index < start + digits; index += 1) value = value * 10 + (bytes[index] ?? 0) - 0x30
  return value
}
