import type { Clock } from '../../base/clock.js'
import type { BusCounters } from '../../core/counters.js'
import { BrokerError } from '../../core/ports/broker.js'
import type { Logger } from '../../core/ports/logger.js'
import type { TellsCounts } from '../../core/ports/occupancy-store.js'
import type { WantsTransition } from '../../core/ports/outbox.js'
import type { Keys } from './keys.js'
import { LinkError, type Link, type Links, type Script } from './link.js'

/** What every part of the backend is given. */
export interface Surroundings {
  readonly links: Links
  readonly keys: Keys
  /** This node's id, random per start. */
  readonly node: string
  readonly clock: Clock
  readonly logger: Logger
  readonly counters: BusCounters
  readonly wantsTransition: WantsTransition
  readonly tellsCounts: TellsCounts
  readonly leaseMs: number
  readonly publishTimeoutMs: number
  readonly subscribeTimeoutMs: number
  readonly queryTimeoutMs: number
  readonly handoverMs: number
}

/** A script did nothing: it came late, this node's lease is gone, or lost data is being written again. */
export class NotDone extends Error {
  readonly reason: 'late' | 'lost' | 'awaited'

  constructor(reason: 'late' | 'lost' | 'awaited') {
    super(`not done (${reason})`)
    this.reason = reason
  }
}

/** How long publishes wait for the other nodes after an outage that lost data; a node that died meanwhile must not hold them up. */
const gatheringMsMax = 2000

/** How long before its timeout a call is refused by the server, so that nothing happens after the caller was told otherwise. */
export function deadlineMarginMs(timeoutMs: number): number {
  return Math.min(200, timeoutMs / 5)
}

/** How long a query may wait for the store, so that its answer is out when the time is over. */
export function queryWaitMs(queryTimeoutMs: number): number {
  return queryTimeoutMs - Math.min(75, queryTimeoutMs / 5)
}

/**
 * One partition of the shared truth as this node sees it.
 *
 * `down`      → the server cannot be asked: what changes is kept here and told to this node's clients only (D4)
 * `restoring` → the data was lost and nodes are writing theirs again: the same
 * `up`        → changes go to the store at once, and are told by the bus
 */
export class Partition {
  readonly number: number
  state: 'down' | 'restoring' | 'up' = 'down'
  /** The id of the data in which this node has written its truth; empty at first. */
  generation = ''
  /** Nodes with a lease, as of the last beat. */
  nodes: readonly string[] = []
  /** Whether what this node holds may differ from what the store has of it. */
  dirty = false
  /** When its server was last connected, and whether every node that was known before has been seen there since. */
  upSinceMs = 0
  gathered = false
  readonly #around: Surroundings
  readonly #beatSoon: (partition: Partition) => void

  constructor(number: number, around: Surroundings, beatSoon: (partition: Partition) => void) {
    this.number = number
    this.#around = around
    this.#beatSoon = beatSoon
  }

  /** The server, while it is connected. */
  get link(): Link | undefined {
    const link = this.#around.links.of(this.number)
    return link?.up === true ? link : undefined
  }

  /** Whether other nodes may not be back after an outage yet: what is published now would miss them, and no gap would show it. */
  get gathering(): boolean {
    return !this.gathered && this.#around.clock.monotonicMs() < this.upSinceMs + gatheringMsMax
  }

  /** Whether changes go to the store now, without a wait that a client would notice. */
  get writable(): boolean {
    return this.state === 'up' && this.link?.suspect === false
  }

  /**
   * Runs a script whose first argument is its deadline.
   * @throws NotDone, LinkError
   */
  async ask(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    timeoutMs: number,
  ): Promise<unknown> {
    const { link } = this
    if (link === undefined) throw new LinkError('down', 'not connected')
    const deadlineMs = Math.floor(link.redisNowMs() + timeoutMs - deadlineMarginMs(timeoutMs))
    const reply = await link.run(script, keys, [deadlineMs, ...args], timeoutMs)
    if (reply === 'late') throw new NotDone('late')
    if (reply === 'lost' || reply === 'awaited') {
      this.#beatSoon(this)
      throw new NotDone(reply)
    }
    return reply
  }

  /** What this node holds could not be stored: it is compared with the store soon. */
  markDirty(): void {
    this.dirty = true
  }

  /** This node's truth is not in the store, although it was stored. */
  suspectLoss(): void {
    this.dirty = true
    this.#beatSoon(this)
  }

  /**
   * Reads for a query: the whole truth or nothing.
   * @throws BrokerError when the store cannot be asked, or does not have everything now
   */
  async read(command: string, args: readonly (string | number)[]): Promise<unknown> {
    const { link } = this
    if (link === undefined || this.state !== 'up') throw new BrokerError('down')
    const { keys, node, queryTimeoutMs } = this.#around
    const waitMs = queryWaitMs(queryTimeoutMs)
    try {
      // The store has everything as long as it has this node; both commands are one write, answered in order.
      const held = link.call('HEXISTS', [keys.nodes(this.number), node], waitMs)
      const [has, reply] = await Promise.all([held, link.call(command, args, waitMs)])
      if (has === 1) return reply
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      throw new BrokerError('down')
    }
    this.suspectLoss()
    throw new BrokerError('down')
  }
}

/** What went wrong with the store is dealt with by comparing later; anything else is a fault of ours. */
export function orUnexpected(error: unknown): void {
  if (!(error instanceof LinkError) && !(error instanceof NotDone)) throw error
}
