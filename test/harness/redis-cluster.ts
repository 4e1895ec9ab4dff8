/**
 * A Redis Cluster of three masters, made by `redis-cli --cluster create`, with a replica each when asked for.
 *
 *     const cluster = await RedisCluster.start({ replicas: 1 })
 *     // redis: { mode: 'cluster', nodes: cluster.nodes }
 *     await cluster.moveSlots(cluster.masters[0]!, cluster.masters[1]!, 1000)
 *     await cluster.masters[2]!.kill()
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { eventually } from './eventually.js'
import { freePort } from './free-port.js'
import { RedisServer } from './redis-server.js'

const host = '127.0.0.1'
const joinedMs = 30_000
const masterCount = 3
/** Keys that one MIGRATE takes along. */
const keysPerMove = 100
const run = promisify(execFile)

export interface RedisClusterOptions {
  /** Of each master. */
  readonly replicas?: 0 | 1
  /** After so long a silent master is called down and its replica takes over. */
  readonly nodeTimeoutMs?: number
}

export class RedisCluster {
  /** The three that began as masters. */
  readonly masters: readonly RedisServer[]
  readonly replicas: readonly RedisServer[]

  private constructor(masters: readonly RedisServer[], replicas: readonly RedisServer[]) {
    this.masters = masters
    this.replicas = replicas
  }

  /** Resolves when every server says that the cluster is whole. */
  static async start({ replicas = 0, nodeTimeoutMs = 2000 }: RedisClusterOptions = {}): Promise<RedisCluster> {
    const servers = await Promise.all(
      Array.from({ length: masterCount * (1 + replicas) }, async () =>
        RedisServer.start({
          config: [
            'cluster-enabled yes',
            `cluster-node-timeout ${nodeTimeoutMs}`,
            'cluster-replica-validity-factor 0',
            `cluster-port ${await freePort()}`,
          ],
        }),
      ),
    )
    const cluster = new RedisCluster(servers.slice(0, masterCount), servers.slice(masterCount))
    // The command talks to the servers by their client ports and learns the others from them.
    await run('redis-cli', [
      ...['--cluster', 'create', ...servers.slice(0, masterCount).map(({ port }) => `${host}:${port}`)],
      '--cluster-yes',
    ])
    await eventually('the cluster is whole', () => cluster.#whole(masterCount), joinedMs)
    for (const [index, replica] of cluster.replicas.entries()) await cluster.#follow(replica, cluster.masters[index]!)
    await eventually('the replicas are in step', () => cluster.#whole(servers.length), joinedMs)
    return cluster
  }

  get servers(): readonly RedisServer[] {
    return [...this.masters, ...this.replicas]
  }

  /** `host:port` of all, as the configuration has them. */
  get nodes(): string[] {
    return this.servers.map(({ port }) => `${host}:${port}`)
  }

  /** The server that serves a key now, by what `asked` (any that runs) knows. */
  async serverOf(key: string, asked: RedisServer = this.#anyRunning()): Promise<RedisServer> {
    const slot = Number(await asked.command('CLUSTER', 'KEYSLOT', key))
    for (const [from, to, [, port]] of (await asked.command('CLUSTER', 'SLOTS')) as SlotRange[]) {
      if (slot >= from && slot <= to) return this.servers.find((server) => server.port === port) ?? fail(key)
    }
    return fail(key)
  }

  /** Moves one slot with all its keys, as `redis-cli --cluster reshard` does it. */
  async moveSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
    const [fromId, toId] = [await from.command('CLUSTER', 'MYID'), await to.command('CLUSTER', 'MYID')].map(String)
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!)
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!)
    for (;;) {
      const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, keysPerMove)) as string[]
      if (keys.length === 0) break
      await from.command('MIGRATE', host, to.port, '', 0, 5000, ...to.authArguments, 'KEYS', ...keys)
    }
    for (const server of [to, from, ...this.masters.filter((other) => other !== to && other !== from)]) {
      if (server.running) await server.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId!)
    }
  }

  /** The slot of a key, such as `{07}` for a partition. */
  async slotOf(key: string): Promise<number> {
    return Number(await this.#anyRunning().command('CLUSTER', 'KEYSLOT', key))
  }

  async close(): Promise<void> {
    for (const server of this.servers) await server.close()
  }

  async #follow(replica: RedisServer, master: RedisServer): Promise<void> {
    const id = String(await master.command('CLUSTER', 'MYID'))
    await run('redis-cli', [
      ...['--cluster', 'add-node', `${host}:${replica.port}`, `${host}:${master.port}`],
      ...['--cluster-slave', '--cluster-master-id', id],
    ])
  }

  /** @param count servers that each of those in the cluster must know */
  async #whole(count: number): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, 100))
    for (const server of this.servers.slice(0, count)) {
      const info = String(await server.command('CLUSTER', 'INFO'))
      if (!info.includes('cluster_state:ok') || !info.includes(`cluster_known_nodes:${count}\r`)) return false
    }
    for (const replica of this.replicas.slice(0, Math.max(0, count - masterCount))) {
      if (!String(await replica.command('INFO', 'replication')).includes('master_link_status:up')) return false
    }
    return true
  }

  #anyRunning(): RedisServer {
    return this.servers.find((server) => server.running) ?? fail('a server that runs')
  }
}

/** From, to, the master's address, its replicas'. */
type SlotRange = [number, number, [string, number], ...unknown[]]

function fail(what: string): never {
  throw new Error(`the cluster has no server for ${what}`)
}
