import type { Timer } from '../../base/clock.js'
import type { Announce } from './announced-roster.js'
import { Counts, type Counted } from './counts.js'
import { partitionCount } from './keys.js'
import { LinkError } from './link.js'
import { Members } from './members.js'
import type { OutboxLeases } from './outbox-leases.js'
import { orUnexpected, Partition, type Surroundings } from './partition.js'
import { Reaper } from './reaper.js'
import { listOf, numberOf, textOf, textsOf } from './replies.js'
import { scripts } from './truth-scripts.js'

/** While a partition waits for other nodes to write, or something has to be compared again. */
const soonMs = 250
const beatTimeoutMs = 1000
const takenOverMax = 1000
/** How long one node is the only one that sweeps. */
const reaperMs = 3000

/** One partition with what this node holds in it. */
export interface Share {
  readonly partition: Partition
  readonly members: Members
  readonly counts: Counts
  beating: boolean
  comparing: boolean
  soon: Timer | undefined
  /** After a loss of the data: time for nodes to speak up that this one has not heard of yet. */
  waitsUntilMs: number
}

/**
 * Keeps this node's leases, one per partition, and does what the answers ask for: writes lost truth again, compares, sweeps what
 * dead nodes held. A lease is renewed five times before it could end.
 */
export class Membership {
  readonly shares: readonly Share[]
  readonly #around: Surroundings
  readonly #leases: OutboxLeases
  readonly #reaper: Reaper
  readonly #beatMs: number
  /** Dead nodes that were counted and logged. */
  readonly #takenOver = new Set<string>()
  /** Makes ids of new data that no other node and no other call has. */
  #generations = 0
  #timer: Timer | undefined
  #closed = false

  constructor(around: Surroundings, leases: OutboxLeases, announce: Announce, counted: Counted) {
    this.#around = around
    this.#leases = leases
    this.#reaper = new Reaper(around)
    this.#beatMs = Math.max(100, around.leaseMs / 5)
    this.shares = Array.from({ length: partitionCount }, (_none, number) => {
      const partition = new Partition(number, around, () => this.#beatSoon(number))
      return {
        partition,
        members: new Members(partition, around, announce),
        counts: new Counts(partition, around, counted),
        beating: false,
        comparing: false,
        soon: undefined,
        waitsUntilMs: Number.NEGATIVE_INFINITY,
      }
    })
  }

  start(): void {
    this.#timer = this.#around.clock.every(this.#beatMs, () => {
      for (const share of this.shares) void this.#beat(share)
    })
  }

  up(partition: number): Promise<void> {
    const share = this.shares[partition]
    if (share === undefined) return Promise.resolve()
    share.partition.gathered = false
    share.partition.upSinceMs = this.#around.clock.monotonicMs()
    return this.#beat(share)
  }

  down(partition: number): void {
    const share = this.shares[partition]
    if (share !== undefined) share.partition.state = 'down'
  }

  /** Gives the leases up, where nothing is held any more; the rest is swept by another node when they end. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.stop()
    for (const share of this.shares) share.soon?.stop()
    await Promise.all(this.shares.map(({ counts }) => counts.flush()))
    await Promise.all(this.shares.map((share) => this.#giveUp(share)))
  }

  async #giveUp({ partition }: Share): Promise<void> {
    if (partition.state !== 'up') return
    try {
      await this.#reaper.bury(partition, this.#around.node, true)
    } catch (error) {
      orUnexpected(error)
    }
  }

  #beatSoon(number: number): void {
    const share = this.shares[number]
    if (share === undefined || share.soon !== undefined || this.#closed) return
    share.soon = this.#around.clock.after(soonMs, () => {
      share.soon = undefined
      void this.#beat(share)
    })
  }

  /** Never rejects. One at a time per partition. */
  async #beat(share: Share): Promise<void> {
    const { partition } = share
    if (share.beating || this.#closed || partition.link === undefined) return
    share.beating = true
    try {
      await this.#renew(share)
    } catch (error) {
      this.#failed(error, 'A lease could not be renewed')
    } finally {
      share.beating = false
    }
  }

  async #renew(share: Share): Promise<void> {
    const { partition, members, counts } = share
    let beat = await this.#ask(partition, false)
    if (beat.state === 'empty') {
      this.#around.logger.warn({ partition: partition.number }, 'The data in Redis is gone: it is written again')
      partition.state = 'restoring'
      this.#leases.dataLost(partition.number)
      share.waitsUntilMs = this.#around.clock.monotonicMs() + this.#beatMs
      await members.restore()
      await counts.restore()
      partition.generation = beat.generation
      beat = await this.#ask(partition, true)
      if (beat.state === 'empty') {
        this.#beatSoon(partition.number)
        return
      }
    }
    this.#leases.answered(partition.number, beat.sender)
    partition.generation = beat.generation
    partition.nodes = beat.nodes
    partition.gathered ||= beat.awaited === 0
    if (beat.awaited > 0 || this.#around.clock.monotonicMs() < share.waitsUntilMs) {
      // Somebody else's truth is missing: what is told now could be wrong.
      partition.state = 'restoring'
      this.#beatSoon(partition.number)
      return
    }
    if (partition.state !== 'up' || partition.dirty || beat.state === 'lost') {
      partition.state = 'up'
      void this.#compare(share)
    }
    for (const dead of beat.dead) void this.#sweep(partition, dead)
    for (const entry of beat.over) void this.#endHandover(partition, entry)
  }

  async #ask(partition: Partition, wrote: boolean): Promise<Beat> {
    const { keys, node, leaseMs } = this.#around
    const { number } = partition
    const beatKeys = [
      keys.nodes(number),
      keys.generation(number),
      keys.awaited(number),
      keys.grace(number),
      keys.reaper(number),
      keys.version(number),
      keys.handovers(number),
      keys.sender(number),
      keys.progress(number),
      keys.outbox(number),
    ]
    const gapMs = Math.ceil(1.6 * this.#beatMs)
    const fresh = `${node}.${this.#generations}`
    this.#generations += 1
    const args = [
      node,
      leaseMs,
      partition.generation,
      fresh,
      gapMs,
      wrote ? 1 : 0,
      partition.state === 'down' ? 1 : 0,
      reaperMs,
      ...this.#leases.asked(number),
    ]
    const reply = await partition.ask(scripts.beat, beatKeys, [...args, ...partition.nodes], beatTimeoutMs)
    const [state, generation, awaited, nodes, dead, over, sender] = listOf(reply)
    return {
      state: textOf(state),
      generation: textOf(generation),
      awaited: numberOf(awaited),
      nodes: textsOf(nodes),
      dead: textsOf(dead).filter((other) => other !== node),
      over: textsOf(over),
      sender: listOf(sender),
    }
  }

  /** Makes store, node and subscribers agree. */
  async #compare(share: Share): Promise<void> {
    const { partition, members, counts } = share
    partition.dirty = share.comparing
    if (share.comparing) return
    share.comparing = true
    try {
      await members.audit()
      await counts.audit()
    } catch (error) {
      partition.dirty = true
      this.#failed(error, 'What this node holds could not be compared with Redis')
    } finally {
      share.comparing = false
      if (partition.dirty && partition.state === 'up') this.#beatSoon(partition.number)
    }
  }

  async #sweep(partition: Partition, dead: string): Promise<void> {
    try {
      const finished = await this.#reaper.sweep(partition, dead)
      if (!finished || this.#takenOver.has(dead)) return
      if (this.#takenOver.size >= takenOverMax) this.#takenOver.clear()
      this.#takenOver.add(dead)
      this.#around.counters.leaseTakeovers += 1
      this.#around.logger.warn({ dead_node: dead }, 'A node is dead: what it held is given up')
    } catch (error) {
      this.#failed(error, 'What a dead node held could not be given up')
    }
  }

  async #endHandover(partition: Partition, entry: string): Promise<void> {
    try {
      await this.#reaper.endHandover(partition, entry)
    } catch (error) {
      this.#failed(error, 'A handover could not be ended')
    }
  }

  /** Tried again with the next beat. */
  #failed(error: unknown, message: string): void {
    try {
      orUnexpected(error)
      const refused = error instanceof LinkError && error.kind === 'refused'
      this.#around.logger[refused ? 'error' : 'debug']({ err: error }, message)
    } catch (fault) {
      this.#around.logger.error({ err: fault }, `${message}: a fault of the server`)
    }
  }
}

/** See scripts/beat.lua. */
interface Beat {
  readonly state: string
  readonly generation: string
  readonly awaited: number
  readonly nodes: readonly string[]
  readonly dead: readonly string[]
  readonly over: readonly string[]
  /** For OutboxLeases. */
  readonly sender: readonly unknown[]
}
