/** The server that a program talks to: one node with everything in memory, or two with Redis behind a load balancer. */
import { randomBytes } from 'node:crypto'
import { Balancer } from '../black-box/balancer.js'
import { ServerNode, type AppCredentials } from '../black-box/server-node.js'
import { until } from '../black-box/waiting.js'
import { freePort } from '../harness/free-port.js'
import { RedisServer } from '../harness/redis-server.js'
import { FaultProxy, type FaultName } from './fault-proxy.js'

export const settings = ['one node', 'two nodes'] as const
export type Setting = (typeof settings)[number]

/** Some libraries take only digits as an app id, and only hexadecimal digits as a key. */
export const app: AppCredentials = { id: '1001', key: '5d2c9a7be14f80366a13', secret: '9f3be07a6c5d4e218b70' }

/** Short, so that a silent connection can be waited for. */
export const activityTimeoutSeconds = 3
/** With the above, who does not answer a ping is closed before a `silence` check ends. */
const pongTimeoutSeconds = 3
const readyMs = 15_000
const endMs = 20_000

interface SiteOptions {
  readonly setting: Setting
  /** Where webhooks go. */
  readonly webhookUrl: string
  /** Breaks what the program gets on a WebSocket. */
  readonly fault?: FaultName | undefined
}

export class Site {
  /** Where programs connect. */
  readonly port: number
  readonly #nodes: ServerNode[]
  readonly #balancer: Balancer | undefined
  readonly #redis: RedisServer | undefined
  readonly #proxy: FaultProxy | undefined
  #turn = 0

  private constructor(
    nodes: ServerNode[],
    balancer: Balancer | undefined,
    redis: RedisServer | undefined,
    proxy: FaultProxy | undefined,
  ) {
    this.#nodes = nodes
    this.#balancer = balancer
    this.#redis = redis
    this.#proxy = proxy
    this.port = proxy?.port ?? entryOf(nodes, balancer)
  }

  static async start({ setting, webhookUrl, fault }: SiteOptions): Promise<Site> {
    const two = setting === 'two nodes'
    const redis = two ? await RedisServer.start() : undefined
    const tree = {
      apps: [appTree(webhookUrl)],
      // A load balancer must see that a node is going before it closes its clients.
      drain: two ? { preStopDelayMs: 700, periodMs: 500 } : { preStopDelayMs: 0, periodMs: 300 },
      ...(redis === undefined
        ? {}
        : { redis: { url: redis.url, prefix: `clients-${randomBytes(4).toString('hex')}` } }),
    }
    // Ports that a node finds again after a restart.
    const ports = [await freePort(), ...(two ? [await freePort()] : [])]
    const nodes = await Promise.all(ports.map((port) => ServerNode.start({ ...tree, port })))
    for (const node of nodes) await untilReady(node)
    const balancer = two ? await Balancer.start(() => nodes) : undefined
    const proxy = fault === undefined ? undefined : await FaultProxy.start(fault, entryOf(nodes, balancer))
    return new Site(nodes, balancer, redis, proxy)
  }

  /** The port of the nodes in turn: what the stage does meets the program's connection on either. A fault is not for the stage. */
  nextPort(): number {
    this.#turn += 1
    return this.#nodes[this.#turn % this.#nodes.length]?.port ?? 0
  }

  /** Stops gracefully and starts again, one node after the other. Resolves when all are ready. */
  async restart(): Promise<void> {
    for (const [index, node] of this.#nodes.entries()) {
      node.signal('SIGTERM')
      await until('the graceful end of the node', () => node.exit !== undefined, endMs)
      if (node.exit?.code !== 0) throw new Error(`the node ended with ${node.exit?.code ?? ''}`)
      const again = await node.again()
      // The balancer looks at the same list.
      this.#nodes[index] = again
      await untilReady(again)
      await this.#balancer?.check()
    }
  }

  /** What the nodes have warned of. */
  complaints(): string[] {
    return this.#nodes.flatMap((node) => [...node.at('warn'), ...node.at('error')])
  }

  async close(): Promise<void> {
    this.#proxy?.close()
    this.#balancer?.close()
    await Promise.all(this.#nodes.map((node) => node.close()))
    await this.#redis?.close()
  }
}

function appTree(webhookUrl: string): object {
  return {
    ...app,
    heartbeat: { activityTimeoutSeconds, pongTimeoutSeconds },
    webhooks: [{ url: webhookUrl, allowPrivateNetwork: true, leaveDelayMs: 0, batch: { enabled: false } }],
  }
}

function entryOf(nodes: readonly ServerNode[], balancer: Balancer | undefined): number {
  return balancer?.port ?? nodes[0]?.port ?? 0
}

function untilReady(node: ServerNode): Promise<number> {
  return until('the node is ready', () => node.ready(), readyMs)
}
