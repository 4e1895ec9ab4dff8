import type { Timer } from '../../base/clock.js'
import type { Topic } from '../../core/ports/broker.js'
import { splitTopic } from '../../core/topic.js'
import { LinkError } from './link.js'
import { orUnexpected, type Partition, type Surroundings } from './partition.js'
import { listOf, numberOf, pairsOf } from './replies.js'
import { askCounts } from './script-calls.js'

/** How long a count that stays above 0 may wait (D8), and how often one is told within that time without waiting. */
const lagMs = 150
const toldAtOnceMax = 4
const restoredPerCall = 100

interface Count {
  /** Subscriptions of this node. */
  wanted: number
  /** What the store has of it, as far as this node knows. */
  stored: number
  /** Subscriptions of all nodes, as of the last answer. */
  total: number
  /** The last `lagMs` that began with a call, and the calls in it. */
  windowAtMs: number
  windowCalls: number
  later: Later | undefined
}

export interface Told {
  /** Subscriptions of all nodes. */
  readonly total: number
}

/** A call that waits to tell `wanted`. */
interface Later {
  readonly timer: Timer
  readonly told: Promise<Told>
  readonly settle: (told: Promise<Told>) => void
}

/** How many subscriptions this node has in the channels of one partition, and the store's sum over all nodes. */
export class Counts {
  readonly #partition: Partition
  readonly #around: Surroundings
  readonly #counts = new Map<Topic, Count>()

  constructor(partition: Partition, around: Surroundings) {
    this.#partition = partition
    this.#around = around
  }

  /** Whether this node has subscriptions in the topic. */
  has(topic: Topic): boolean {
    return (this.#counts.get(topic)?.wanted ?? 0) > 0
  }

  /** @returns the subscriptions of all nodes; while the store cannot be asked, of those last heard of and this one */
  set(topic: Topic, wanted: number): Promise<Told> {
    const count = this.#countOf(topic)
    count.wanted = wanted
    if (count.later !== undefined) return wanted > 0 ? count.later.told : this.#tellNow(topic, count, count.later)
    const waitMs = count.windowAtMs + lagMs - this.#around.clock.monotonicMs()
    const atOnce = wanted === 0 || count.stored === 0 || waitMs <= 0 || count.windowCalls < toldAtOnceMax
    return atOnce ? this.#tell(topic, count) : this.#tellLater(topic, count, waitMs)
  }

  /** Writes again, quietly, what the store had before its data was lost. @throws NotDone, LinkError */
  async restore(): Promise<void> {
    const byApp = new Map<string, (string | number)[]>()
    const calls: Promise<unknown>[] = []
    for (const [topic, { stored }] of this.#counts) {
      if (stored === 0) continue
      const { appId, channel } = splitTopic(topic)
      const args = byApp.get(appId) ?? []
      byApp.set(appId, args)
      args.push(topic, channel, stored)
      if (args.length === 3 * restoredPerCall) calls.push(this.#ask('restoreCounts', appId, args.splice(0)))
    }
    for (const [appId, args] of byApp) if (args.length > 0) calls.push(this.#ask('restoreCounts', appId, args))
    await Promise.all(calls)
  }

  /** Makes the store agree with this node. @throws NotDone, LinkError */
  async audit(): Promise<void> {
    const { keys, node, queryTimeoutMs } = this.#around
    const { number, link } = this.#partition
    if (link === undefined) throw new LinkError('down', 'not connected')
    const stored = pairsOf(await link.call('HGETALL', [keys.counts(number, node)], queryTimeoutMs))
    const calls: Promise<unknown>[] = []
    for (const topic of new Set([...stored.keys(), ...this.#counts.keys()])) {
      const count = this.#countOf(topic)
      count.stored = numberOf(stored.get(topic))
      if (count.stored === count.wanted) this.#dropIfDone(topic, count)
      else calls.push(this.#send(topic, count))
    }
    await Promise.all(calls)
  }

  /** Ends the timers; what waited is told now. */
  flush(): Promise<unknown> {
    const told: Promise<Told>[] = []
    for (const [topic, count] of this.#counts) {
      if (count.later !== undefined) told.push(this.#tellNow(topic, count, count.later))
    }
    return Promise.all(told)
  }

  #tellLater(topic: Topic, count: Count, waitMs: number): Promise<Told> {
    let settle: Later['settle'] = () => undefined
    const told = new Promise<Told>((resolve) => {
      settle = resolve
    })
    const timer = this.#around.clock.after(waitMs, () => {
      count.later = undefined
      settle(this.#tell(topic, count))
    })
    count.later = { timer, told, settle }
    return told
  }

  /** Instead of later. */
  #tellNow(topic: Topic, count: Count, { timer, told, settle }: Later): Promise<Told> {
    timer.stop()
    count.later = undefined
    settle(this.#tell(topic, count))
    return told
  }

  async #tell(topic: Topic, count: Count): Promise<Told> {
    if (this.#partition.writable) {
      try {
        return await this.#send(topic, count)
      } catch (error) {
        orUnexpected(error)
      }
    }
    this.#partition.markDirty()
    return { total: Math.max(0, count.total - count.stored) + count.wanted }
  }

  async #send(topic: Topic, count: Count): Promise<Told> {
    const { appId, channel } = splitTopic(topic)
    const { wanted } = count
    this.#countCall(count)
    // Counted as stored from here on, so that the next change does not take this one for the first.
    const before = count.stored
    count.stored = wanted
    try {
      const [, total] = listOf(await this.#ask('occupy', appId, [topic, channel, wanted]))
      count.total = numberOf(total)
      this.#dropIfDone(topic, count)
      return { total: count.total }
    } catch (error) {
      if (count.stored === wanted) count.stored = before
      throw error
    }
  }

  #countCall(count: Count): void {
    const nowMs = this.#around.clock.monotonicMs()
    if (nowMs - count.windowAtMs >= lagMs) {
      count.windowAtMs = nowMs
      count.windowCalls = 0
    }
    count.windowCalls += 1
  }

  #ask(name: 'occupy' | 'restoreCounts', appId: string, args: readonly (string | number)[]): Promise<unknown> {
    return askCounts(this.#around, this.#partition, name, this.#around.node, appId, args)
  }

  #countOf(topic: Topic): Count {
    let count = this.#counts.get(topic)
    if (count === undefined) {
      count = {
        wanted: 0,
        stored: 0,
        total: 0,
        windowAtMs: Number.NEGATIVE_INFINITY,
        windowCalls: 0,
        later: undefined,
      }
      this.#counts.set(topic, count)
    }
    return count
  }

  #dropIfDone(topic: Topic, count: Count): void {
    const done = count.wanted === 0 && count.stored === 0 && count.later === undefined
    if (done && this.#counts.get(topic) === count) this.#counts.delete(topic)
  }
}
