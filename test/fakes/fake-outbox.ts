import { BrokerError } from '../../src/core/ports/broker.js'
import type {
  Outbox,
  OutboxEntry,
  OutboxListener,
  OutboxPage,
  OutboxProgress,
  Transition,
} from '../../src/core/ports/outbox.js'
import type { ManualClock } from './manual-clock.js'

/** What the nodes of a test share: one partition, whose node the test chooses. */
export class FakeOutboxStore {
  readonly #clock: ManualClock
  entries: OutboxEntry[] = []
  progress: OutboxProgress = { doneTo: '', readTo: '', behind: new Map() }
  owner: FakeOutbox | undefined
  #number = 0

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  append(transition: Omit<Transition, 'timeMs'>): void {
    this.#number += 1
    const timeMs = this.#clock.nowMs()
    this.entries.push({ id: `${timeMs}-${this.#number}`, transition: { ...transition, timeMs } })
    this.owner?.listener?.appended(0)
  }

  /** Another node sends from now on; the one before is told, unless it is dead. */
  move(to: FakeOutbox, tell = true): void {
    const before = this.owner
    this.owner = to
    if (tell) before?.listener?.lost(0)
    to.listener?.gained(0, this.progress)
  }

  /** All data is gone, and the numbering begins again. */
  empty(): void {
    this.entries = []
    this.progress = { doneTo: '', readTo: '', behind: new Map() }
    this.owner?.listener?.emptied(0)
  }

  get nowMs(): number {
    return this.#clock.nowMs()
  }
}

/** One node's view of the store. */
export class FakeOutbox implements Outbox {
  readonly partitions = 1
  readonly outlives: boolean
  listener: OutboxListener | undefined
  /** Every call is refused. */
  isDown = false
  reads = 0
  readonly notes: OutboxProgress[] = []
  readonly #store: FakeOutboxStore

  constructor(store: FakeOutboxStore, outlives = true) {
    this.#store = store
    this.outlives = outlives
  }

  watch(listener: OutboxListener): void {
    this.listener = listener
    if (this.#store.owner === undefined) this.#store.move(this)
  }

  read(_partition: number, after: string, count: number): Promise<OutboxPage> {
    this.reads += 1
    if (this.isDown) return Promise.reject(new BrokerError('down'))
    const { entries, nowMs } = this.#store
    const from = after === '' ? 0 : entries.findIndex(({ id }) => numberOf(id) > numberOf(after))
    return Promise.resolve({ entries: from < 0 ? [] : entries.slice(from, from + count), nowMs })
  }

  done(_partition: number, progress: OutboxProgress): Promise<void> {
    if (this.isDown) return Promise.reject(new BrokerError('down'))
    if (this.#store.owner !== this) {
      this.listener?.lost(0)
      return Promise.resolve()
    }
    this.notes.push(progress)
    this.#store.progress = progress
    this.#store.entries = this.#store.entries.filter(({ id }) => numberOf(id) > numberOf(progress.doneTo))
    return Promise.resolve()
  }

  release(): Promise<void> {
    if (this.#store.owner === this) this.#store.owner = undefined
    return Promise.resolve()
  }
}

function numberOf(id: string): number {
  return id === '' ? 0 : Number(id.slice(id.indexOf('-') + 1))
}
