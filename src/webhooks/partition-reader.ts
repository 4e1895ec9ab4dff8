import type { Clock, Timer } from '../base/clock.js'
import { Deque } from '../base/deque.js'
import { BrokerError } from '../core/ports/broker.js'
import type { Logger } from '../core/ports/logger.js'
import type { Outbox, OutboxEntry, OutboxProgress } from '../core/ports/outbox.js'
import { isAfter } from '../core/entry-id.js'
import type { Receiver } from './receiver.js'

/** Entries of one read. */
const pageMax = 500
/** From the word that there is something to the read: more comes in the meantime. */
const firstReadMs = 10
/** Between two reads while there is something. */
const nextReadMs = 40
/** Ends of pages that are remembered; without the others entries are dropped a little later. */
const recentMax = 4096
/** After a read that failed. */
const againMs = 1000

export interface PartitionReaderOptions {
  readonly outbox: Outbox
  readonly clock: Clock
  readonly logger: Logger
  /** Hands an entry to the receivers of its app; one that has dealt with it only remembers who left. */
  readonly route: (entry: OutboxEntry, after: string, offsetMs: number, isDone: (receiver: Receiver) => boolean) => void
  /** Everything up to then has been handed over. @returns when the next held leave is due, by the store's clock */
  readonly passed: (timeMs: number) => number | undefined
  readonly receivers: () => Iterable<Receiver>
  /** How long a leave may wait for a return, at most: so long entries stay in the outbox, so that whoever takes over pairs the same. */
  readonly pairingMs: () => number
}

/** Reads one partition of the outbox from front to back, and knows how far everything is dealt with. */
export class PartitionReader {
  readonly #number: number
  readonly #options: PartitionReaderOptions
  /** How far this node's predecessor was; only until it is reached. */
  #predecessor: OutboxProgress | undefined
  #readTo: string
  #timer: Timer | undefined
  #readAtMs = 0
  /** The read that is under way. */
  #reading: Promise<void> | undefined
  /** The last read brought as much as one can. */
  #full = false
  /** How often the word came, so that a read notices that it came meanwhile. */
  #wakes = 0
  /** Ends of pages that are not old enough to be dropped, and the last one that was. */
  readonly #recent = new Deque<{ readonly id: string; readonly timeMs: number }>()
  #oldTo: string
  /** What the store's clock is behind this node's monotonic clock. */
  #offsetMs = 0
  /** Until the next held leave is due, after the last read. */
  #untilDueMs: number | undefined
  #finishing = false
  #closed = false
  /** What was noted in the outbox last. */
  #noted: string | undefined

  constructor(number: number, progress: OutboxProgress, options: PartitionReaderOptions) {
    this.#number = number
    this.#options = options
    this.#readTo = progress.doneTo
    this.#oldTo = progress.doneTo
    this.#predecessor = progress
    this.wake()
  }

  /** There may be something to read. */
  wake(): void {
    this.#wakes += 1
    if (this.#reading === undefined) this.#readAfter(firstReadMs)
  }

  /** The entries are gone: there are others now, from the beginning. */
  restart(): void {
    this.#readTo = ''
    this.#oldTo = ''
    while (this.#recent.shift() !== undefined);
    this.#predecessor = undefined
    this.#noted = undefined
    this.wake()
  }

  /** Reads no more. What a read that is under way brings is left alone. */
  close(): void {
    this.#closed = true
    this.#timer?.stop()
  }

  /** Reads what is there to the end, and no more. @throws BrokerError */
  async finish(): Promise<void> {
    this.#finishing = true
    this.#timer?.stop()
    await this.#reading
    while ((await this.#page()) > 0);
  }

  /**
   * Notes in the outbox how far everything is dealt with.
   * @throws BrokerError
   */
  async note(): Promise<void> {
    // Until the predecessor is reached, what he noted is more than this node knows.
    if (this.#predecessor !== undefined) return
    const progress = this.#progress()
    const text = JSON.stringify([progress.doneTo, progress.readTo, ...progress.behind])
    if (text !== this.#noted) await this.#options.outbox.done(this.#number, progress)
    this.#noted = text
  }

  /** Whether more can be noted later although nothing happens. */
  get hasMoreToNote(): boolean {
    return this.#recent.length > 0
  }

  #progress(): OutboxProgress {
    const { outbox, clock, pairingMs } = this.#options
    const behind = new Map<string, string>()
    // Entries that do not outlive this process are safe with whoever has read them.
    if (!outbox.outlives) return { doneTo: this.#readTo, readTo: this.#readTo, behind }
    let doneTo = this.#readTo
    let doneToMs = clock.monotonicMs() - this.#offsetMs
    for (const receiver of this.#options.receivers()) {
      const first = receiver.lanes.get(this.#number)?.first
      if (first === undefined) continue
      behind.set(receiver.key, first.after)
      if (isAfter(doneTo, first.after)) doneTo = first.after
      doneToMs = Math.min(doneToMs, first.timeMs)
    }
    while (this.#recent.first !== undefined && this.#recent.first.timeMs <= doneToMs - pairingMs()) {
      this.#oldTo = this.#recent.shift()?.id ?? this.#oldTo
    }
    if (isAfter(doneTo, this.#oldTo)) doneTo = this.#oldTo
    return { doneTo, readTo: this.#readTo, behind }
  }

  #readAfter(delayMs: number): void {
    const { clock } = this.#options
    const atMs = clock.monotonicMs() + delayMs
    if (this.#closed || this.#finishing || (this.#timer !== undefined && this.#readAtMs <= atMs)) return
    this.#timer?.stop()
    this.#readAtMs = atMs
    this.#timer = clock.after(delayMs, () => {
      this.#timer = undefined
      this.#reading = this.#read()
    })
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    const wakesBefore = this.#wakes
    const wasFull = this.#full
    let nextMs: number | undefined
    try {
      const entries = await this.#page()
      this.#full = entries === pageMax
      if (this.#full) nextMs = 0
      else if (entries > 0 || wasFull) nextMs = nextReadMs
      else nextMs = this.#untilDueMs
    } catch (error) {
      if (!(error instanceof BrokerError)) {
        this.#options.logger.error({ err: error }, 'A fault of the server while it read what its webhooks are to send')
      }
      nextMs = againMs
    }
    this.#reading = undefined
    if (this.#wakes !== wakesBefore) nextMs = Math.min(nextMs ?? firstReadMs, nextReadMs)
    if (nextMs !== undefined) this.#readAfter(nextMs)
  }

  async #page(): Promise<number> {
    const { outbox, clock, route, passed } = this.#options
    const from = this.#readTo
    const { entries, nowMs } = await outbox.read(this.#number, from, pageMax)
    // Closed, or begun anew with other entries: then the read is made again.
    if (this.#closed || this.#readTo !== from) return 0
    this.#offsetMs = clock.monotonicMs() - nowMs
    for (const entry of entries) {
      route(entry, this.#readTo, this.#offsetMs, (receiver) => this.#isDone(entry.id, receiver))
      this.#readTo = entry.id
    }
    if (
      this.#predecessor !== undefined &&
      (entries.length < pageMax || !isAfter(this.#predecessor.readTo, this.#readTo))
    ) {
      this.#predecessor = undefined
    }
    const last = entries.at(-1)
    if (last !== undefined && outbox.outlives && this.#recent.length < recentMax) {
      this.#recent.push({ id: last.id, timeMs: last.transition.timeMs })
    }
    const readToMs = entries.length === pageMax && last !== undefined ? last.transition.timeMs : nowMs
    const dueMs = passed(readToMs)
    this.#untilDueMs = dueMs === undefined ? undefined : Math.max(1, Math.ceil(dueMs - nowMs))
    return entries.length
  }

  /** Whether the predecessor has dealt with an entry for a receiver. */
  #isDone(id: string, { key }: Receiver): boolean {
    if (this.#predecessor === undefined) return false
    const { behind, readTo } = this.#predecessor
    return !isAfter(id, behind.get(key) ?? readTo)
  }
}
