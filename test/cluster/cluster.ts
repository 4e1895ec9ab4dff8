/**
 * Several nodes as real processes on one Redis:
 *
 *     const cluster = await Cluster.start(run, { nodes: 3 })            // everything ends with the run
 *     await cluster.redis.kill(); await cluster.redis.restart()         // harness/redis-server.ts
 *     await cluster.node(0).kill(); await cluster.restart(0)            // on the same port
 *     cluster.node(1).freeze(); cluster.node(1).thaw()
 *     const client = await run.client(cluster.target(2))
 *     const reply = await cluster.rest(2).send('GET', '/channels')
 *     const entries = await cluster.outbox()                            // what webhooks would be sent for, every partition
 *     const lost = await cluster.sum('bus_lost_total')                  // a metric over all nodes that run
 *
 * Every node has ports of its own that stay the same over restarts, and a configuration file of its own: `config` for all, `each`
 * for one. `proxied` names the nodes that reach Redis through a TcpProxy (`cluster.proxy(1).freeze('answers')`). Where Redis is
 * no single server (Sentinel, Cluster), `redisSection` replaces `redis:` of the configuration and `cluster.redis` throws.
 */
import { randomBytes } from 'node:crypto'
import type { Target } from '../../bench/load/target.js'
import { RestClient } from '../black-box/rest-client.js'
import type { Run } from '../black-box/run.js'
import type { ServerNode } from '../black-box/server-node.js'
import { oneApp, type AppCredentials, type NodeOptions } from '../black-box/server-node.js'
import { TcpProxy } from '../black-box/tcp-proxy.js'
import { until } from '../black-box/waiting.js'
import { freePort } from '../harness/free-port.js'
import { RedisServer } from '../harness/redis-server.js'
import { newOnes, readOutbox, type OutboxRecord } from './outbox.js'

const host = '127.0.0.1'
const readyMs = 15_000

export type Tree = Readonly<Record<string, unknown>>

/** The app of most scenarios. Its webhook makes the stored transitions appear in the outbox. */
export const watchedApp = {
  ...oneApp,
  webhooks: [{ url: `http://${host}:9/webhook`, allowPrivateNetwork: true }],
}

export interface ClusterOptions {
  readonly nodes: number
  /** Default: `watchedApp` alone. */
  readonly apps?: readonly Tree[]
  /** Of every node's configuration. */
  readonly config?: Tree
  /** Of one node's configuration, over `config`. */
  readonly each?: (index: number) => Tree
  readonly options?: (index: number) => NodeOptions
  /** Default: a server of its own. */
  readonly redis?: RedisServer
  /** Replaces the section `redis` but for the prefix. */
  readonly redisSection?: Tree
  readonly proxied?: readonly number[]
  /** Whether to wait until every node says that it is ready. */
  readonly awaitReady?: boolean
}

export class Cluster {
  /** Begins every key; unique per run. */
  readonly prefix: string
  readonly nodes: ServerNode[] = []
  readonly #run: Run
  readonly #redis: RedisServer | undefined
  readonly #proxies = new Map<number, TcpProxy>()
  readonly #rests = new Map<number, RestClient>()

  private constructor(run: Run, redis: RedisServer | undefined) {
    this.#run = run
    this.#redis = redis
    this.prefix = `test-${randomBytes(4).toString('hex')}`
  }

  static async start(run: Run, options: ClusterOptions): Promise<Cluster> {
    const redis = options.redis ?? (options.redisSection === undefined ? await startRedis(run) : undefined)
    const cluster = new Cluster(run, redis)
    run.onEnd(() => cluster.#end())
    const indexes = Array.from({ length: options.nodes }, (_none, index) => index)
    for (const index of options.proxied ?? []) await cluster.#startProxy(index)
    const ports = await Promise.all(indexes.map(async () => ({ own: await freePort(), metrics: await freePort() })))
    cluster.nodes.push(
      ...(await Promise.all(
        indexes.map((index) => run.startNode(cluster.#tree(index, ports[index]!, options), options.options?.(index))),
      )),
    )
    if (options.awaitReady ?? true) await cluster.ready()
    return cluster
  }

  get redis(): RedisServer {
    if (this.#redis === undefined) throw new Error('this cluster has no Redis of its own')
    return this.#redis
  }

  node(index: number): ServerNode {
    const node = this.nodes[index]
    if (node === undefined) throw new Error(`there is no node ${index}`)
    return node
  }

  /** The nodes that have not ended, by their index. */
  running(): number[] {
    return [...this.nodes.keys()].filter((index) => this.node(index).exit === undefined)
  }

  proxy(index: number): TcpProxy {
    const proxy = this.#proxies.get(index)
    if (proxy === undefined) throw new Error(`node ${index} has no proxy`)
    return proxy
  }

  target(index: number, app: AppCredentials = oneApp): Target {
    return this.node(index).target(app)
  }

  /** One connection per node, one request at a time; of the usual app. */
  rest(index: number): RestClient {
    const known = this.#rests.get(index)
    if (known !== undefined) return known
    const rest = new RestClient(this.target(index))
    this.#rests.set(index, rest)
    return rest
  }

  /** Starts a node that has ended, with the same ports and configuration. Resolves when it is ready. */
  async restart(index: number, options?: NodeOptions): Promise<ServerNode> {
    const node = this.#run.keep(await this.node(index).again(options))
    this.nodes[index] = node
    await this.ready([index])
    return node
  }

  /** Resolves when these nodes say that they are ready. */
  async ready(indexes: readonly number[] = this.running()): Promise<void> {
    for (const index of indexes) await until(`node ${index} is ready`, () => this.node(index).ready(), readyMs)
  }

  /** A metric over all nodes that run. A labelled series that does not exist yet counts 0. */
  async sum(name: string, labels = ''): Promise<number> {
    let sum = 0
    for (const index of this.running()) sum += (await this.node(index).scrape()).sum(name, labels)
    return sum
  }

  /** Every entry that is there, by partition and then in order; without those that were there before. */
  async outbox(before: readonly OutboxRecord[] = []): Promise<OutboxRecord[]> {
    return newOnes(before, await readOutbox(this.redis, this.prefix))
  }

  async #startProxy(index: number): Promise<void> {
    const { proxy } = await TcpProxy.start({ host, port: this.redis.port })
    this.#proxies.set(index, proxy)
    this.#run.onEnd(() => proxy.close())
  }

  #tree(index: number, ports: { own: number; metrics: number }, options: ClusterOptions): Tree {
    return {
      port: ports.own,
      metrics: { port: ports.metrics },
      apps: options.apps ?? [watchedApp],
      redis: { ...(options.redisSection ?? { url: this.#redisUrl(index) }), prefix: this.prefix },
      ...options.config,
      ...options.each?.(index),
    }
  }

  #redisUrl(index: number): string {
    const url = new URL(this.redis.url)
    const proxy = this.#proxies.get(index)
    if (proxy !== undefined) url.port = String(proxy.port)
    return url.href
  }

  #end(): void {
    for (const rest of this.#rests.values()) rest.close()
  }
}

/** With `--fast` nodes are given up after 3 s instead of the default 10 s, so that nobody waits for what is only time. */
export function leases(run: Run): Tree {
  return run.pick<Tree>({ cluster: { leaseMs: 3000 } }, {})
}

/** A server that ends with the run. */
export async function startRedis(run: Run): Promise<RedisServer> {
  const redis = await RedisServer.start()
  run.onEnd(() => redis.close())
  return redis
}
