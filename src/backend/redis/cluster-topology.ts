import { Redis } from 'ioredis'
import type { Clock, Timer } from '../../base/clock.js'
import { permissionProblem, UnfitError } from './capabilities.js'
import { ownersOf } from './cluster-slots.js'
import { hearErrors } from './connection.js'
import {
  addressText,
  parseAddress,
  parseRedisUrl,
  serverOptions,
  type Address,
  type LinksOptions,
} from './redis-options.js'
import { reasonOf, refusalKind, replyText } from './reply-errors.js'

/** Between two looks: at least, while something is missing, and while all is well. */
const looksApartMs = 200
const missingMs = 500
const routineMs = 5000
const askMs = 1000

/** A server that is connected and can be asked. */
export interface KnownServer {
  readonly address: Address
  slots(timeoutMs: number): Promise<unknown>
}

export interface TopologyOwner {
  /** Connected servers, the one that should know best first. */
  connected(): readonly KnownServer[]
  /** Partition → the address of its master. */
  learnt(owners: readonly (Address | undefined)[]): void
  /** Nobody could be asked. */
  unknown(reason: string): void
  /** A server answers and lacks what is needed. */
  unfit(error: UnfitError): void
  /** Whether every partition is served. */
  complete(): boolean
}

/** Keeps asking who has which slots: at once when something has moved, and now and then. */
export class ClusterTopology {
  readonly #options: LinksOptions
  readonly #clock: Clock
  readonly #owner: TopologyOwner
  readonly #seeds: readonly Address[]
  readonly #known = new Map<string, Address>()
  #timer: Timer | undefined
  #dueMs = 0
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #looking = false
  #wantedAgain = false
  #closed = false

  constructor(options: LinksOptions, owner: TopologyOwner) {
    this.#options = options
    this.#clock = options.clock
    this.#owner = owner
    const nodes = options.nodes.map(parseAddress)
    this.#seeds = nodes.length > 0 ? nodes : [parseRedisUrl(options.url).address]
  }

  /** Looks soon. */
  refresh(): void {
    if (this.#looking) this.#wantedAgain = true
    else this.#schedule(Math.max(0, this.#lookedAtMs + looksApartMs - this.#clock.monotonicMs()))
  }

  close(): void {
    this.#closed = true
    this.#timer?.stop()
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return
    const dueMs = this.#clock.monotonicMs() + delayMs
    if (this.#timer !== undefined && this.#dueMs <= dueMs) return
    this.#timer?.stop()
    this.#dueMs = dueMs
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined
      void this.#look()
    })
  }

  async #look(): Promise<void> {
    this.#looking = true
    this.#wantedAgain = false
    this.#lookedAtMs = this.#clock.monotonicMs()
    const reason = await this.#ask()
    this.#looking = false
    this.#lookAgain(reason)
  }

  #lookAgain(reason: string | undefined): void {
    if (this.#closed) return
    if (reason !== undefined) this.#owner.unknown(reason)
    if (this.#wantedAgain) this.refresh()
    else this.#schedule(this.#owner.complete() ? routineMs : missingMs)
  }

  /** Asks one after the other until one answers. Returns why nobody did. */
  async #ask(): Promise<string | undefined> {
    let reason = 'no server is known'
    for (const server of this.#owner.connected()) {
      try {
        if (this.#learn(await server.slots(askMs), server.address)) return undefined
      } catch (error) {
        reason = reasonOf(error)
      }
    }
    for (const address of this.#candidates()) {
      if (this.#closed) return undefined
      try {
        if (this.#learn(await this.#askAnew(address), address)) return undefined
      } catch (error) {
        reason = `${addressText(address)}: ${reasonOf(error)}`
        if (error instanceof UnfitError) this.#owner.unfit(error)
      }
    }
    return reason
  }

  /** Those learnt last, then the configured ones. */
  #candidates(): Address[] {
    const seeds = this.#seeds.filter((seed) => !this.#known.has(addressText(seed)))
    return [...this.#known.values(), ...seeds]
  }

  #learn(reply: unknown, asked: Address): boolean {
    const owners = ownersOf(reply, asked)
    if (owners === undefined || this.#closed) return false
    // A server that has just been reset knows of no slots: others know better.
    if (owners.every((owner) => owner === undefined)) return false
    this.#known.clear()
    for (const owner of owners) if (owner !== undefined) this.#known.set(addressText(owner), owner)
    this.#owner.learnt(owners)
    return true
  }

  /** By a connection of its own, which is closed again. */
  async #askAnew(address: Address): Promise<unknown> {
    const redis = new Redis({
      ...serverOptions(this.#options, parseRedisUrl(this.#options.url), address),
      connectTimeout: askMs,
      commandTimeout: askMs,
      enableReadyCheck: false,
      retryStrategy: () => null,
    })
    let problem: unknown
    redis.on('error', (error: unknown) => {
      hearErrors(redis.stream)
      problem ??= error
    })
    redis.on('connect', () => hearErrors(redis.stream))
    try {
      await redis.connect()
      return await redis.call('CLUSTER', 'SLOTS')
    } catch (error) {
      throw unfitness(replyText(error)) ?? problem ?? error
    } finally {
      redis.disconnect()
    }
  }
}

function unfitness(text: string | undefined): UnfitError | undefined {
  if (text === undefined) return undefined
  if (refusalKind(text) === 'noperm') return new UnfitError(permissionProblem(text, 'CLUSTER'))
  if (!/cluster support disabled/.test(text)) return undefined
  return new UnfitError('redis.mode is cluster, but the Redis server does not run as a cluster (cluster-enabled no).')
}
