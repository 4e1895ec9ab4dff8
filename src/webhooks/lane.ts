import type { QueuedEvent } from './queued-event.js'

/** A leave that waits for a return. */
interface HeldLeave {
  /** Undefined when it has been dealt with by this node's predecessor. */
  readonly event: QueuedEvent | undefined
  /** Until when it waits, by the store's clock. */
  readonly dueMs: number
  /** Whether the receiver wants to hear of it; otherwise it only takes the return with it. */
  readonly wanted: boolean
}

/**
 * What one receiver has been given of one partition: the leaves that wait for a return (section 5), and the events that are not
 * dealt with yet, in order.
 */
export class Lane {
  /** Who left → the leave, in the order of the leaves. */
  readonly #held = new Map<string, HeldLeave>()
  /** In the order they were given. */
  readonly #open = new Set<QueuedEvent>()

  /** When the first held leave is due, by the store's clock. */
  get nextDueMs(): number | undefined {
    return this.#held.values().next().value?.dueMs
  }

  /** The first event that is not dealt with. */
  get first(): QueuedEvent | undefined {
    return this.#open.values().next().value
  }

  /** All events that are not dealt with. */
  get open(): Iterable<QueuedEvent> {
    return this.#open
  }

  /** Is `first` sooner or later, unless it is dealt with before. */
  add(event: QueuedEvent): void {
    this.#open.add(event)
  }

  /** It is dealt with. */
  delete(event: QueuedEvent): void {
    this.#open.delete(event)
  }

  /** @returns an earlier leave of the same, whose return never came to be read: data of the store was lost */
  hold(who: string, leave: HeldLeave): HeldLeave | undefined {
    const earlier = this.takeHeld(who)
    this.#held.set(who, leave)
    return earlier
  }

  /** The leave of who has returned. */
  takeHeld(who: string): HeldLeave | undefined {
    const leave = this.#held.get(who)
    this.#held.delete(who)
    return leave
  }

  /** Takes out the leaves that have waited long enough, in order. */
  *takeDue(nowMs: number): Iterable<HeldLeave> {
    for (const [who, leave] of this.#held) {
      if (leave.dueMs > nowMs) return
      this.#held.delete(who)
      yield leave
    }
  }

  /** Takes out the oldest held leave that is not dealt with. */
  dropOldest(): QueuedEvent | undefined {
    for (const [who, { event }] of this.#held) {
      if (event === undefined) continue
      this.#held.delete(who)
      return event
    }
    return undefined
  }

  /** The entries are gone from the outbox: nothing waits to be noted there any longer. */
  forgetPlaces(): void {
    this.#open.clear()
  }
}
