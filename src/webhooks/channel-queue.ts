import { Deque } from '../base/deque.js'
import type { QueuedEvent } from './queued-event.js'

/** Events in order, given out in batches: while a batch with events of a channel is under way, later events of the channel wait. */
export class ChannelQueue {
  readonly #ready = new Deque<QueuedEvent>()
  /** Channel that has events under way → those that came after. */
  readonly #waiting = new Map<string, Deque<QueuedEvent>>()

  /** How many may be ready; some of them may turn out to wait for their channel. */
  get length(): number {
    return this.#ready.length
  }

  get first(): QueuedEvent | undefined {
    return this.#ready.first
  }

  push(event: QueuedEvent): void {
    this.#ready.push(event)
  }

  /** The next events, at most so many and of so many characters, or one. Their channels are busy until `free`. */
  take(most: number, charactersMax: number): QueuedEvent[] {
    const taken: QueuedEvent[] = []
    const own = new Set<string>()
    let characters = 0
    while (taken.length < most) {
      const event = this.#ready.first
      if (event === undefined) break
      if (taken.length > 0 && characters + event.json.length > charactersMax) break
      this.#ready.shift()
      if (event.state !== 'open') continue
      const waiting = this.#waiting.get(event.channel)
      if (waiting !== undefined && !own.has(event.channel)) {
        waiting.push(event)
        continue
      }
      if (waiting === undefined) {
        this.#waiting.set(event.channel, new Deque())
        own.add(event.channel)
      }
      taken.push(event)
      characters += event.json.length
    }
    return taken
  }

  /** A batch has ended: what waited for its channels is older than anything of them that is ready. */
  free(taken: readonly QueuedEvent[]): void {
    const back: QueuedEvent[] = []
    for (const { channel } of taken) {
      const waiting = this.#waiting.get(channel)
      if (waiting === undefined) continue
      this.#waiting.delete(channel)
      for (const event of waiting) back.push(event)
    }
    if (back.length > 0) this.#ready.prepend(back)
  }

  /** Takes the oldest event out that is not under way. */
  dropOldest(): QueuedEvent | undefined {
    const ready = firstOpen(this.#ready)
    if (ready !== undefined) return ready
    for (const waiting of this.#waiting.values()) {
      const event = firstOpen(waiting)
      if (event !== undefined) return event
    }
    return undefined
  }
}

function firstOpen(events: Deque<QueuedEvent>): QueuedEvent | undefined {
  let event = events.shift()
  while (event !== undefined && event.state !== 'open') event = events.shift()
  return event
}
