import type { UnfitError } from './capabilities.js'
import { partitionsByServer } from './cluster-slots.js'
import { ClusterTopology, type KnownServer } from './cluster-topology.js'
import { FirstAttempt } from './first-attempt.js'
import { partitionCount } from './keys.js'
import type { Link, Links, LinksListener } from './link.js'
import { parseRedisUrl, proofChannel, serverOptions, type Address, type LinksOptions } from './redis-options.js'
import { ServerLink } from './server-link.js'

interface Master {
  readonly address: Address
  readonly link: ServerLink
}

interface Partition {
  master: Master | undefined
  up: boolean
  /** Kept here as well, because a partition may be without a server for a while. */
  readonly wanted: Set<string>
}

/** The masters of a Redis Cluster: a link each, and the partitions wherever their slots are. */
export class ClusterLinks implements Links {
  readonly #options: LinksOptions
  readonly #topology: ClusterTopology
  readonly #masters = new Map<string, Master>()
  readonly #partitions: readonly Partition[]
  readonly #firstAttempt: FirstAttempt
  /** Who was the last to say that something is elsewhere now: it knows where. */
  #informed: ServerLink | undefined
  #listener: LinksListener | undefined
  readonly #closing = new Set<Promise<void>>()
  #closed = false

  constructor(options: LinksOptions) {
    this.#options = options
    if (parseRedisUrl(options.url).db !== 0) {
      throw new Error('redis.mode is cluster, and a Redis Cluster has only database 0: end redis.url with /0')
    }
    this.#partitions = Array.from({ length: partitionCount }, () => ({
      master: undefined,
      up: false,
      wanted: new Set<string>(),
    }))
    this.#firstAttempt = new FirstAttempt(options.clock)
    this.#topology = new ClusterTopology(options, {
      connected: () => this.#connected(),
      learnt: (owners) => this.#assign(owners),
      unknown: (reason) => {
        options.logger.warn({ reason }, 'Redis Cluster cannot be reached')
        this.#firstAttempt.over()
      },
      unfit: (error) => this.#unfit(error),
      complete: () => this.#partitions.every(({ up }) => up),
    })
  }

  async start(listener: LinksListener): Promise<void> {
    this.#listener = listener
    this.#topology.refresh()
    try {
      await this.#firstAttempt.wait()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  of(partition: number): Link | undefined {
    const link = this.#partitions[partition]?.master?.link
    return link?.connected === true ? link : undefined
  }

  want(partition: number, channel: string): Promise<boolean> {
    const at = this.#partitions[partition]
    if (at === undefined) return Promise.resolve(false)
    at.wanted.add(channel)
    return at.master?.link.want(partition, channel) ?? Promise.resolve(false)
  }

  unwant(partition: number, channel: string): void {
    const at = this.#partitions[partition]
    at?.wanted.delete(channel)
    at?.master?.link.unwant(channel)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#topology.close()
    for (const { link } of this.#masters.values()) this.#end(link)
    this.#masters.clear()
    await Promise.all(this.#closing)
  }

  /** Whoever said last that something has moved is asked first. */
  #connected(): KnownServer[] {
    const masters = [...this.#masters.values()].filter(({ link }) => link.connected && !link.suspect)
    masters.sort((a, b) => Number(b.link === this.#informed) - Number(a.link === this.#informed))
    return masters.map(({ address, link }) => ({
      address,
      slots: (timeoutMs) => link.call('CLUSTER', ['SLOTS'], timeoutMs),
    }))
  }

  #assign(owners: readonly (Address | undefined)[]): void {
    const servers = partitionsByServer(owners)
    for (const [name, { address, partitions }] of servers) {
      const [lowest = 0] = partitions
      const master = this.#masters.get(name) ?? this.#open(name, address, lowest)
      for (const partition of partitions) this.#give(partition, master)
      master.link.proveBy(proofChannel(this.#options, lowest))
    }
    for (const [partition, owner] of owners.entries()) if (owner === undefined) this.#give(partition, undefined)
    for (const [name, { link }] of this.#masters) {
      if (servers.has(name)) continue
      this.#masters.delete(name)
      this.#end(link)
    }
  }

  #open(name: string, address: Address, partition: number): Master {
    const { scripts, timeouts, clock, logger, counters, url } = this.#options
    const link = new ServerLink(
      {
        name,
        redis: serverOptions(this.#options, parseRedisUrl(url), address),
        cluster: true,
        oneAddress: false,
        proofChannel: proofChannel(this.#options, partition),
        scripts,
        subscribeTimeoutMs: timeouts.subscribeMs,
        clock,
        logger,
        counters,
      },
      {
        message: (channel, payload) => this.#listener?.message(channel, payload),
        up: () => this.#linkUp(master),
        down: () => this.#linkDown(master),
        moved: () => {
          this.#informed = link
          this.#topology.refresh()
        },
        failed: () => this.#firstAttempt.over(),
        unfit: (error) => this.#unfit(error),
      },
    )
    const master: Master = { address, link }
    this.#masters.set(name, master)
    link.open()
    return master
  }

  #give(partition: number, master: Master | undefined): void {
    const at = this.#partitions[partition]
    if (at === undefined || at.master === master) return
    this.#partitionDown(partition)
    const { wanted, master: old } = at
    at.master = master
    for (const channel of wanted) {
      old?.link.unwant(channel)
      void master?.link.want(partition, channel)
    }
    if (master?.link.up !== true) return
    master.link.whenConfirmed(() => {
      if (at.master === master && master.link.up) this.#partitionUp(partition)
    })
  }

  #linkUp(master: Master): void {
    for (const [partition, at] of this.#partitions.entries()) if (at.master === master) this.#partitionUp(partition)
    if (this.#partitions.every(({ up }) => up)) this.#firstAttempt.over()
  }

  #linkDown(master: Master): void {
    for (const [partition, at] of this.#partitions.entries()) if (at.master === master) this.#partitionDown(partition)
  }

  #partitionUp(partition: number): void {
    const at = this.#partitions[partition]
    if (at === undefined || at.up || this.#closed) return
    at.up = true
    this.#listener?.partitionUp(partition)
  }

  #partitionDown(partition: number): void {
    const at = this.#partitions[partition]
    if (at?.up !== true) return
    at.up = false
    this.#listener?.partitionDown(partition)
  }

  #unfit(error: UnfitError): void {
    this.#firstAttempt.over(error)
  }

  #end(link: ServerLink): void {
    const closed = link.close().finally(() => this.#closing.delete(closed))
    this.#closing.add(closed)
  }
}
