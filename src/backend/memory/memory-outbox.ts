import type { Clock } from '../../base/clock.js'
import type { BusCounters } from '../../core/counters.js'
import type {
  Outbox,
  OutboxEntry,
  OutboxListener,
  OutboxPage,
  OutboxProgress,
  Transition,
  TransitionType,
  WantsTransition,
} from '../../core/ports/outbox.js'

/** Entries kept at any time; above, the oldest go and are counted. */
export const outboxEntriesMax = 100_000

/** How many dropped entries may lie at the start of the list before it is copied without them. */
const slackMax = 10_000

/** Transitions of one process, in one partition. Ids look like those of a Redis stream, `MS-NUMBER`, and both parts only grow. */
export class MemoryOutbox implements Outbox {
  readonly partitions = 1
  readonly outlives = false
  readonly #wants: WantsTransition
  readonly #clock: Clock
  readonly #counters: BusCounters
  /** In order; the first `#gone` of them are dropped already. */
  #entries: OutboxEntry[] = []
  #gone = 0
  /** The number of the first entry of the list. */
  #firstNumber = 1
  #lastMs = 0
  #listener: OutboxListener | undefined

  constructor(wants: WantsTransition, clock: Clock, counters: BusCounters) {
    this.#wants = wants
    this.#clock = clock
    this.#counters = counters
  }

  /** Called in the same step as the change. Does nothing where no app wants to hear of it. */
  append(
    appId: string,
    type: TransitionType,
    channel: string,
    details: { readonly userId?: string; readonly count?: number } = {},
  ): void {
    if (!this.#wants(appId, type)) return
    const timeMs = this.#clock.nowMs()
    // A clock that is set back must not make an id that sorts before the last one.
    this.#lastMs = Math.max(this.#lastMs, timeMs)
    const transition: Transition = { type, appId, channel, ...details, timeMs }
    this.#entries.push({ id: `${this.#lastMs}-${this.#firstNumber + this.#entries.length}`, transition })
    if (this.#entries.length - this.#gone > outboxEntriesMax) {
      this.#counters.outboxDropped += 1
      this.#drop(this.#gone + 1)
    }
    this.#listener?.appended(0)
  }

  watch(listener: OutboxListener): void {
    this.#listener = listener
    listener.gained(0, { doneTo: '', readTo: '', behind: new Map() })
  }

  read(_partition: number, after: string, count: number): Promise<OutboxPage> {
    const from = Math.max(this.#gone, this.#indexAfter(after))
    return Promise.resolve({ entries: this.#entries.slice(from, from + count), nowMs: this.#clock.nowMs() })
  }

  /** Only what may be dropped matters: nobody else goes on. */
  done(_partition: number, { doneTo }: OutboxProgress): Promise<void> {
    const until = Math.min(this.#entries.length, this.#indexAfter(doneTo))
    if (until > this.#gone) this.#drop(until)
    return Promise.resolve()
  }

  release(): Promise<void> {
    this.#listener = undefined
    return Promise.resolve()
  }

  /** The place in the list of the entry that follows this id. */
  #indexAfter(id: string): number {
    const number = Number(id.slice(id.indexOf('-') + 1))
    return Math.max(0, number - this.#firstNumber + 1)
  }

  /** Forgets the entries before this place. */
  #drop(until: number): void {
    this.#gone = until
    if (this.#gone < this.#entries.length && this.#gone < slackMax) return
    this.#entries = this.#entries.slice(this.#gone)
    this.#firstNumber += this.#gone
    this.#gone = 0
  }
}
