/**
 * One master, two replicas and three sentinels that promote one of them about a second after the master has died.
 *
 *     const sentinels = await RedisSentinel.start()
 *     // redis: { mode: 'sentinel', nodes: sentinels.nodes, sentinelName: sentinels.name }
 *     await (await sentinels.master()).kill()
 *     await sentinels.promoted(…)
 */
import { eventually } from './eventually.js'
import { RedisServer, type RedisServerOptions } from './redis-server.js'

const host = '127.0.0.1'
const agreedMs = 20_000

export interface RedisSentinelOptions {
  /** How long a master is silent before a sentinel calls it down. */
  readonly downAfterMs?: number
  /** Of the data servers. */
  readonly password?: string
}

export class RedisSentinel {
  readonly name = 'belfry'
  /** A master and its replicas, in the order they were started; who is the master changes. */
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]

  private constructor(servers: readonly RedisServer[], sentinels: readonly RedisServer[]) {
    this.servers = servers
    this.sentinels = sentinels
  }

  /** Resolves when every sentinel knows the others and both replicas are in step. */
  static async start({ downAfterMs = 1000, password }: RedisSentinelOptions = {}): Promise<RedisSentinel> {
    const options: RedisServerOptions = password === undefined ? {} : { password }
    const master = await RedisServer.start(options)
    const replica = { ...options, config: [`replicaof ${host} ${master.port}`, 'repl-timeout 5'] }
    const servers = [master, await RedisServer.start(replica), await RedisServer.start(replica)]
    const sentinel = {
      arguments: ['--sentinel'],
      config: [
        `sentinel monitor belfry ${host} ${master.port} 2`,
        `sentinel down-after-milliseconds belfry ${downAfterMs}`,
        'sentinel failover-timeout belfry 5000',
        'sentinel parallel-syncs belfry 2',
        ...(password === undefined ? [] : [`sentinel auth-pass belfry "${password}"`]),
      ],
    }
    const sentinels = await Promise.all([1, 2, 3].map(() => RedisServer.start(sentinel)))
    const deployment = new RedisSentinel(servers, sentinels)
    await eventually('the sentinels agree', () => deployment.#agreed(), agreedMs)
    return deployment
  }

  /** `host:port` of the sentinels, as the configuration has them. */
  get nodes(): string[] {
    return this.sentinels.map(({ port }) => `${host}:${port}`)
  }

  /** Whom the sentinels call the master now. */
  async master(): Promise<RedisServer> {
    const port = await this.#masterPort(this.sentinels[0]!)
    return this.servers.find((server) => server.port === port) ?? fail(`no server has the master's port ${port}`)
  }

  /** Resolves when a server other than this one says that it is the master. @returns it */
  async promoted(old: RedisServer, deadlineMs = 30_000): Promise<RedisServer> {
    return eventually(
      'a promotion',
      async () => {
        for (const server of this.servers) {
          if (server !== old && server.running && (await roleOf(server)) === 'master') return server
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
        return undefined
      },
      deadlineMs,
    )
  }

  /**
   * Starts a killed server again, as a replica of the new master: the sentinels would make it one, after ten seconds. Resolves
   * when all are in step.
   */
  async mend(server: RedisServer): Promise<void> {
    const { port } = await this.master()
    await server.restart(['--replicaof', host, String(port)])
    await eventually('the sentinels agree', () => this.#agreed(), agreedMs)
  }

  async close(): Promise<void> {
    for (const server of [...this.sentinels, ...this.servers]) await server.close()
  }

  /** All sentinels name the same master, know each other, and both others follow it. */
  async #agreed(): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, 100))
    try {
      const ports = await Promise.all(this.sentinels.map((sentinel) => this.#masterPort(sentinel)))
      if (new Set(ports).size !== 1) return false
      for (const sentinel of this.sentinels) {
        const state = pairsOf(await sentinel.command('SENTINEL', 'MASTER', this.name))
        if (state.get('flags') !== 'master' || state.get('num-other-sentinels') !== '2') return false
        if (state.get('num-slaves') !== '2') return false
      }
      const master = await this.master()
      const followers = this.servers.filter((server) => server !== master)
      const links = await Promise.all(followers.map((server) => server.command('INFO', 'replication')))
      return links.every((text) => String(text).includes('master_link_status:up'))
    } catch (_notYet) {
      return false
    }
  }

  async #masterPort(sentinel: RedisServer): Promise<number> {
    const address = await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name)
    return Number((address as [string, string])[1])
  }
}

async function roleOf(server: RedisServer): Promise<string> {
  try {
    return ((await server.command('ROLE')) as [string])[0]
  } catch (_down) {
    return 'down'
  }
}

/** The flat list of names and values that many replies are. */
function pairsOf(reply: unknown): Map<string, string> {
  const flat = reply as string[]
  const pairs = new Map<string, string>()
  for (let index = 0; index + 1 < flat.length; index += 2) pairs.set(flat[index]!, flat[index + 1]!)
  return pairs
}

function fail(message: string): never {
  throw new Error(message)
}
