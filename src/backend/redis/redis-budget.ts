import type { Clock, Timer } from '../../base/clock.js'
import { BrokerError } from '../../core/ports/broker.js'
import type { Budget } from '../../core/ports/budget.js'
import { ConnectionPlaces } from './connection-places.js'
import { partitionOf, type Keys } from './keys.js'
import { LinkError, type Link, type Links, type Script } from './link.js'
import { RateShare } from './rate-share.js'
import { loadScript } from './scripts.js'

export interface RedisBudgetOptions {
  readonly links: Pick<Links, 'of'>
  readonly keys: Keys
  /** This node's id, random per start. */
  readonly node: string
  readonly clock: Clock
  /** How long the connections of a node that is gone are counted. */
  readonly leaseMs: number
  /** How long `connections` waits for its answer. */
  readonly timeoutMs: number
}

type Kind = 'triggers' | 'reads'

const takeScript = loadScript('budget-take')
const connectionsScript = loadScript('budget-connections')

/** What the links must load. */
export const budgetScripts: readonly Script[] = [takeScript, connectionsScript]

const beatMsMax = 2000
const beatsPerLease = 4
/** Nodes that are gone are believed in for so many beats, or twice as many. */
const nodesBeats = 5
/** An app is forgotten when nobody asked for it for so long. */
const forgetAfterMs = 60_000
/** Least time between two passes over what is due. */
const passEveryMs = 5
/** Apps of one script call. */
const appsPerCallMax = 50

/**
 * Budgets shared by all nodes (D8). Every question is answered from what this node holds (RateShare, ConnectionPlaces); one timer,
 * which runs only while something is due, reports to the server and fetches what comes next.
 */
export class RedisBudget implements Budget {
  readonly #options: RedisBudgetOptions
  readonly #clock: Clock
  readonly #rates: Readonly<Record<Kind, Map<string, RateShare>>> = { triggers: new Map(), reads: new Map() }
  readonly #places = new Map<string, ConnectionPlaces>()
  /** Those with a due time. */
  readonly #dueRates = new Set<RateShare>()
  readonly #duePlaces = new Set<ConnectionPlaces>()
  /** Nodes of the cluster: the most of the last answers, since a server that lost its data knows none for a while. */
  #nodes = 1
  #nodesLately = 0
  #beatCount = 0
  #beats: Timer | undefined
  #timer: Timer | undefined
  #wakesAtMs = Infinity
  #passedAtMs = -Infinity
  #closed = false

  constructor(options: RedisBudgetOptions) {
    this.#options = options
    this.#clock = options.clock
  }

  start(): void {
    this.#beat()
    const beatMs = Math.min(beatMsMax, this.#options.leaseMs / beatsPerLease)
    this.#beats = this.#clock.every(beatMs, () => this.#beat())
  }

  /** Gives up this node's connection counts, as far as the server can be asked. */
  async close(): Promise<void> {
    this.#closed = true
    this.#beats?.stop()
    this.#timer?.stop()
    const told = [...this.#places.values()].filter((places) => places.told)
    await Promise.all(chunksByPartition(told).map(([partition, chunk]) => this.#tellPlaces(partition, chunk)))
  }

  take(appId: string, kind: Kind, count: number, perSecond: number): boolean {
    if (perSecond === 0) return true
    const nowMs = this.#clock.monotonicMs()
    const share = this.#rates[kind].get(appId) ?? this.#newRate(appId, kind, perSecond, nowMs)
    if (share.rested(nowMs) && this.#linkOf(share.partition) !== undefined) share.trust(nowMs, this.#nodes)
    const taken = share.take(nowMs, count, perSecond)
    this.#due(this.#dueRates, share)
    return taken
  }

  admit(appId: string, connectionsMax: number): boolean {
    const nowMs = this.#clock.monotonicMs()
    const places = this.#places.get(appId) ?? this.#newPlaces(appId, nowMs)
    const up = connectionsMax > 0 && this.#linkOf(places.partition) !== undefined
    const admitted = places.admit(nowMs, connectionsMax, this.#nodes, up)
    this.#due(this.#duePlaces, places)
    return admitted
  }

  release(appId: string): void {
    const places = this.#places.get(appId)
    if (places === undefined) return
    places.release(this.#clock.monotonicMs())
    this.#due(this.#duePlaces, places)
  }

  async connections(appId: string): Promise<number> {
    const nowMs = this.#clock.monotonicMs()
    // An app that this node has no connection of is asked for and not kept.
    const places = this.#places.get(appId) ?? this.#placesOf(appId, nowMs)
    // Also of a server that is slow at the moment: the caller waits for the timeout.
    const link = this.#options.links.of(places.partition)
    const totals = await this.#reportPlaces(link?.up === true ? link : undefined, places.partition, [places])
    if (totals?.[0] === undefined) throw new BrokerError('down')
    return totals[0]
  }

  /** Renews this node's connection counts, forgets apps that are not used, and asks how many nodes there are. */
  #beat(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const shares of Object.values(this.#rates)) {
      for (const [appId, share] of shares) {
        if (share.dueMs === Infinity && nowMs - share.takenAtMs > forgetAfterMs) shares.delete(appId)
      }
    }
    for (const [appId, places] of this.#places) {
      if (places.told) {
        places.renew(nowMs)
        this.#due(this.#duePlaces, places)
      } else if (places.dueMs === Infinity && nowMs - places.changedAtMs > forgetAfterMs) {
        this.#places.delete(appId)
      }
    }
    this.#beatCount += 1
    if (this.#beatCount % nodesBeats === 0 && this.#nodesLately > 0) {
      this.#nodes = this.#nodesLately
      this.#nodesLately = 0
    }
    void this.#tellPlaces(0, [])
  }

  #countNodes(nodes: number): void {
    this.#nodes = Math.max(this.#nodes, nodes)
    this.#nodesLately = Math.max(this.#nodesLately, nodes)
  }

  /** The server of a partition, while it answers. */
  #linkOf(partition: number): Link | undefined {
    const link = this.#options.links.of(partition)
    return link?.up === true && !link.suspect ? link : undefined
  }

  #newRate(appId: string, kind: Kind, perSecond: number, nowMs: number): RateShare {
    const partition = partitionOf(appId)
    const key = this.#options.keys.own(partition, `budget:${kind}:${appId}`)
    const share = new RateShare(key, partition, perSecond, this.#nodes, nowMs)
    this.#rates[kind].set(appId, share)
    return share
  }

  #newPlaces(appId: string, nowMs: number): ConnectionPlaces {
    const places = this.#placesOf(appId, nowMs)
    this.#places.set(appId, places)
    return places
  }

  #placesOf(appId: string, nowMs: number): ConnectionPlaces {
    const partition = partitionOf(appId)
    return new ConnectionPlaces(this.#options.keys.own(partition, `budget:connections:${appId}`), partition, nowMs)
  }

  #due<Item extends { readonly dueMs: number }>(due: Set<Item>, item: Item): void {
    if (item.dueMs === Infinity) return
    due.add(item)
    this.#wakeBy(item.dueMs)
  }

  #wakeBy(dueMs: number): void {
    const atMs = Math.max(dueMs, this.#passedAtMs + passEveryMs)
    if (atMs >= this.#wakesAtMs || this.#closed) return
    this.#timer?.stop()
    this.#wakesAtMs = atMs
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => this.#pass())
  }

  #pass(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#passedAtMs = nowMs
    this.#wakesAtMs = Infinity
    for (const share of this.#dueRates) {
      if (share.dueMs <= nowMs) this.#reportRate(share, nowMs)
    }
    for (const [partition, chunk] of chunksByPartition(this.#takeDuePlaces(nowMs))) {
      void this.#tellPlaces(partition, chunk)
    }
    let nextMs = Infinity
    for (const due of [this.#dueRates, this.#duePlaces]) {
      for (const { dueMs } of due) nextMs = Math.min(nextMs, dueMs)
    }
    if (nextMs < Infinity) this.#wakeBy(nextMs)
  }

  #takeDuePlaces(nowMs: number): ConnectionPlaces[] {
    const taken = [...this.#duePlaces].filter((places) => places.dueMs <= nowMs)
    for (const places of taken) this.#duePlaces.delete(places)
    return taken
  }

  #reportRate(share: RateShare, nowMs: number): void {
    this.#dueRates.delete(share)
    const link = this.#linkOf(share.partition)
    if (link === undefined) {
      share.unreachable(nowMs)
      this.#due(this.#dueRates, share)
      return
    }
    const report = share.report(nowMs)
    if (report === undefined) return
    const keys = [share.key, this.#options.keys.nodes(share.partition)]
    const args = [report.perSecond, report.used, report.offered, report.want]
    link.run(takeScript, keys, args, this.#options.timeoutMs).then(
      (reply) => this.#rateAnswered(share, reply),
      (error: unknown) => this.#rateFailed(share, !(error instanceof LinkError && error.kind !== 'unsure')),
    )
  }

  #rateAnswered(share: RateShare, reply: unknown): void {
    const [granted = 0, level = 0, fill = 0, offered = 0, nodes = 0] = wholeNumbers(reply, 5) ?? []
    if (fill <= 0) {
      this.#rateFailed(share, true)
      return
    }
    this.#countNodes(nodes)
    const answer = { granted, level: level / 1000, fillPerSecond: fill / 1000, offered }
    share.answered(this.#clock.monotonicMs(), answer, this.#nodes)
    this.#due(this.#dueRates, share)
  }

  #rateFailed(share: RateShare, sent: boolean): void {
    share.failed(this.#clock.monotonicMs(), sent)
    this.#due(this.#dueRates, share)
  }

  async #tellPlaces(partition: number, apps: readonly ConnectionPlaces[]): Promise<void> {
    await this.#reportPlaces(this.#linkOf(partition), partition, apps)
  }

  /** Reports apps of one partition. @returns connections on all nodes, per app; undefined when the server did not tell */
  async #reportPlaces(
    link: Link | undefined,
    partition: number,
    apps: readonly ConnectionPlaces[],
  ): Promise<readonly number[] | undefined> {
    const { keys, node, leaseMs, timeoutMs } = this.#options
    const sentAtMs = this.#clock.monotonicMs()
    const args: (string | number)[] = [node, leaseMs]
    for (const places of apps) {
      const { used, want, limit } = places.report(sentAtMs, this.#nodes)
      // A node that ends counts nobody: its sockets are closed.
      args.push(...(this.#closed ? [0, 0, 0] : [used, want, limit]))
    }
    const names = [keys.nodes(partition), ...apps.map((places) => places.key)]
    const reply = await link?.run(connectionsScript, names, args, timeoutMs).catch(unknownYet)
    const numbers = wholeNumbers(reply, 1 + 3 * apps.length)
    this.#countNodes(numbers?.[0] ?? 0)
    const nowMs = this.#clock.monotonicMs()
    const totals: number[] = []
    for (const [index, places] of apps.entries()) {
      const [reserved = 0, total = 0, reservedByAll = 0] = numbers?.slice(3 * index + 1, 3 * index + 4) ?? []
      if (numbers === undefined) places.failed(nowMs)
      else places.answered(nowMs, { reserved, reservedByAll }, this.#nodes)
      this.#due(this.#duePlaces, places)
      totals.push(total)
    }
    return numbers && totals
  }
}

/** What a report did not tell, the next one makes good: it counts from scratch. */
function unknownYet(_error: unknown): undefined {
  return undefined
}

function chunksByPartition(all: readonly ConnectionPlaces[]): [number, ConnectionPlaces[]][] {
  const chunks: [number, ConnectionPlaces[]][] = []
  const open = new Map<number, ConnectionPlaces[]>()
  for (const places of all) {
    let chunk = open.get(places.partition)
    if (chunk === undefined || chunk.length === appsPerCallMax) {
      chunk = []
      open.set(places.partition, chunk)
      chunks.push([places.partition, chunk])
    }
    chunk.push(places)
  }
  return chunks
}

/** A reply of so many whole numbers; undefined when it is anything else. */
function wholeNumbers(reply: unknown, length: number): readonly number[] | undefined {
  if (!Array.isArray(reply) || reply.length !== length) return undefined
  const items = reply as unknown[]
  return items.every((item) => typeof item === 'number' && Number.isSafeInteger(item)) ? (items as number[]) : undefined
}
