import type { Timer } from '../../base/clock.js'
import type { Topic } from '../../core/ports/broker.js'
import { splitTopic } from '../../core/topic.js'
import { LinkError } from './link.js'
import { orUnexpected, type Partition, type Surroundings } from './partition.js'
import { listOf, numberOf, pairsOf } from './replies.js'
import { askCounts, batchesByApp } from './script-calls.js'
import { scripts } from './truth-scripts.js'

/** How long a count that stays above 0 may wait (D8), and how often one is told within that time without waiting. */
const lagMs = 150
const toldAtOnceMax = 4
const restoredPerCall = 100
const readPerCall = 500

interface Count {
  /** Subscriptions of this node. */
  wanted: number
  /** What the store has of it, as far as this node knows. */
  stored: number
  /** Which of the partition's calls was its last. */
  lastCall: number
  /** Whether `wanted` has changed since it was sent last. */
  changed: boolean
  /** Subscriptions of all nodes, as of the last answer or message. */
  total: number
  /** What the node was told last, and how often it was told. */
  told: number | undefined
  tellings: number
  /** The last `lagMs` that began with a call, and the calls in it. */
  windowAtMs: number
  windowCalls: number
  later: Later | undefined
}

export interface Told {
  /** Subscriptions of all nodes. */
  readonly total: number
}

/** Tells the node a count (BrokerSink.counted). */
export type Counted = (topic: Topic, total: number) => void

/** A call that waits to tell `wanted`. */
interface Later {
  readonly timer: Timer
  readonly told: Promise<Told>
  readonly settle: (told: Promise<Told>) => void
}

/**
 * How many subscriptions this node has in the channels of one partition, and the store's sum over all nodes. The script that changes
 * a sum tells it on the bus; what comes from there is the truth, and only what cannot have come from there is told here.
 */
export class Counts {
  readonly #partition: Partition
  readonly #around: Surroundings
  readonly #counted: Counted
  readonly #counts = new Map<Topic, Count>()
  #calls = 0

  constructor(partition: Partition, around: Surroundings, counted: Counted) {
    this.#counted = counted
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
    if (count.wanted !== wanted) count.changed = true
    count.wanted = wanted
    if (count.later !== undefined) return wanted > 0 ? count.later.told : this.#tellNow(topic, count, count.later)
    const waitMs = count.windowAtMs + lagMs - this.#around.clock.monotonicMs()
    // Nobody is told how many subscribe to a presence channel: its members tell more.
    const atOnceMax = topic.includes('/presence-') ? 1 : toldAtOnceMax
    const atOnce = wanted === 0 || count.stored === 0 || waitMs <= 0 || count.windowCalls < atOnceMax
    return atOnce ? this.#tell(topic, count) : this.#tellLater(topic, count, waitMs)
  }

  /** A count from the bus. */
  heard(topic: Topic, total: number): void {
    const count = this.#counts.get(topic)
    if (count !== undefined) count.total = total
    this.#tellNode(topic, count, total)
  }

  /** Messages of the topic may have been missed. */
  verify(topic: Topic): void {
    if (!this.has(topic) || this.#partition.state !== 'up') return
    this.#readTotals([topic]).catch((error: unknown) => {
      this.#partition.markDirty()
      orUnexpected(error)
    })
  }

  /** Writes again, quietly, what the store had before its data was lost. @throws NotDone, LinkError */
  async restore(): Promise<void> {
    const topics = [...this.#counts].filter(([, { stored }]) => stored > 0).map(([topic]) => topic)
    const calls: Promise<unknown>[] = []
    for (const { appId, batch } of batchesByApp(topics, restoredPerCall)) {
      const args = batch.flatMap((topic) => [topic, splitTopic(topic).channel, this.#counts.get(topic)?.stored ?? 0])
      calls.push(this.#ask('restoreCounts', appId, [], args))
    }
    await Promise.all(calls)
  }

  /** Makes the store agree with this node, then this node's subscribers with the store. @throws NotDone, LinkError */
  async audit(): Promise<void> {
    const { keys, node, queryTimeoutMs } = this.#around
    const { number, link } = this.#partition
    if (link === undefined) throw new LinkError('down', 'not connected')
    const callsBefore = this.#calls
    const stored = pairsOf(await link.call('HGETALL', [keys.counts(number, node)], queryTimeoutMs))
    const calls: Promise<unknown>[] = []
    for (const topic of new Set([...stored.keys(), ...this.#counts.keys()])) {
      const count = this.#countOf(topic)
      // Told since: what was read is older.
      if (count.lastCall > callsBefore) continue
      count.stored = numberOf(stored.get(topic))
      if (count.stored === count.wanted) this.#dropIfDone(topic, count)
      else calls.push(this.#send(topic, count))
    }
    await Promise.all(calls)
    await this.#readTotals([...this.#counts.keys()].filter((topic) => this.has(topic)))
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
    const total = Math.max(0, count.total - count.stored) + count.wanted
    if (this.#isTold(topic)) this.#tellNode(topic, count, total)
    return { total }
  }

  async #send(topic: Topic, count: Count): Promise<Told> {
    const { appId, channel } = splitTopic(topic)
    const { wanted } = count
    this.#countCall(count)
    // Counted as stored from here on, so that the next change does not take this one for the first.
    const { stored, changed, tellings } = count
    count.stored = wanted
    count.changed = false
    try {
      const reply = listOf(await this.#ask('occupy', appId, [topic], [topic, channel, wanted]))
      const [before, total = 0] = reply.map(numberOf)
      // What has come from the bus meanwhile may be newer.
      if (count.tellings === tellings) count.total = total
      // Changes that cancelled each other out: whoever is new has not been told.
      if (changed && before === total && count.told === total) this.#tellNode(topic, count, count.told)
      this.#dropIfDone(topic, count)
      return { total }
    } catch (error) {
      if (count.stored === wanted) count.stored = stored
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
    this.#calls += 1
    count.lastCall = this.#calls
  }

  /**
   * Looks for counts whose messages this node has missed.
   * @throws NotDone, LinkError
   */
  async #readTotals(topics: readonly Topic[]): Promise<void> {
    const { keys, node, queryTimeoutMs } = this.#around
    const { number } = this.#partition
    const reads: Promise<void>[] = []
    for (const { appId, batch } of batchesByApp(
      topics.filter((topic) => this.#isTold(topic)),
      readPerCall,
    )) {
      const tellings = batch.map((topic) => this.#counts.get(topic)?.tellings)
      const channels = batch.map((topic) => splitTopic(topic).channel)
      const totalKeys = [keys.nodes(number), keys.awaited(number), keys.occupied(number, appId)]
      const reply = this.#partition.ask(scripts.totals, totalKeys, [node, ...channels], queryTimeoutMs)
      const compared = reply.then((totals) => {
        for (const [index, total] of listOf(totals).entries())
          this.#compare(batch[index], tellings[index], numberOf(total))
      })
      reads.push(compared)
    }
    await Promise.all(reads)
  }

  /** Once the bus has told a count, it tells the later ones too: then what was read may be older. */
  #compare(topic: Topic | undefined, tellings: number | undefined, total: number): void {
    const count = topic === undefined ? undefined : this.#counts.get(topic)
    if (topic === undefined || count === undefined || count.tellings !== tellings) return
    count.total = total
    if (total !== count.told) this.#tellNode(topic, count, total)
  }

  #tellNode(topic: Topic, count: Count | undefined, total: number): void {
    if (count !== undefined) {
      count.told = total
      count.tellings += 1
    }
    this.#counted(topic, total)
  }

  /** Whether the subscribers of the channel are told its count. */
  #isTold(topic: Topic): boolean {
    const { appId, channel } = splitTopic(topic)
    return this.#around.tellsCounts(appId) && !channel.startsWith('presence-')
  }

  #ask(
    name: 'occupy' | 'restoreCounts',
    appId: string,
    told: readonly Topic[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return askCounts(this.#around, this.#partition, name, this.#around.node, appId, told, args)
  }

  #countOf(topic: Topic): Count {
    let count = this.#counts.get(topic)
    if (count === undefined) {
      count = {
        wanted: 0,
        stored: 0,
        lastCall: 0,
        changed: false,
        total: 0,
        told: undefined,
        tellings: 0,
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
