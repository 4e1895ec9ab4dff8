import type PusherLibrary from 'pusher'
import Pusher, { type Options } from 'pusher-js'
import { ServerNode } from '../../black-box/server-node.js'
import { AuthEndpoint, type Account } from '../../harness/auth-endpoint.js'
import { eventually } from '../../harness/eventually.js'
import { RedisServer } from '../../harness/redis-server.js'
import { appId, credentials } from '../../harness/test-server.js'
import { addressOptions, connected, libraryFor } from './application.js'

const readyMs = 15_000

/** Which of the two nodes. */
export type Side = 0 | 1

/** Beside the usual app, one whose subscribers are told the channel's subscription count. */
export const countingApp = { id: 'counting', key: 'counting-key', secret: 'counting-secret-of-the-pair' }

/** pusher-js's, and the key of another app. */
export type PageOptions = Partial<Options> & { readonly key?: string }

/** Fast enough to be waited for. */
export const drain = { preStopDelayMs: 0, periodMs: 500 }

/**
 * Two nodes as operators start them, on one Redis, and an application around them: pages (pusher-js) on either node, its backend
 * (the `pusher` library) at either node, and its auth endpoint.
 */
export class NodePair {
  readonly nodes: readonly [ServerNode, ServerNode]
  readonly libraries: readonly [PusherLibrary, PusherLibrary]
  readonly auth: AuthEndpoint
  readonly #redis: RedisServer
  readonly #pages: Pusher[] = []

  private constructor(redis: RedisServer, nodes: readonly [ServerNode, ServerNode], auth: AuthEndpoint) {
    this.#redis = redis
    this.nodes = nodes
    this.libraries = [libraryAt(nodes[0]), libraryAt(nodes[1])]
    this.auth = auth
  }

  static async start(accounts: ReadonlyMap<string, Account>): Promise<NodePair> {
    const redis = await RedisServer.start()
    const apps = [
      { id: appId, ...credentials },
      { ...countingApp, subscriptionCount: { enabled: true } },
    ]
    const tree = { redis: { url: redis.url, prefix: 'pair' }, drain, apps }
    const nodes = await Promise.all([ServerNode.start(tree), ServerNode.start(tree)])
    for (const node of nodes) await eventually('a node is ready', () => node.ready(), readyMs)
    const auth = await AuthEndpoint.start({ library: libraryAt(nodes[0]), accounts })
    return new NodePair(redis, nodes, auth)
  }

  /** A page of the account that is connected to the node; closed at the end of the test. */
  page(side: Side, account?: Account, options: PageOptions = {}): Promise<Pusher> {
    return this.pageAt(this.nodes[side].port, account, options)
  }

  /** As page(), at whoever listens on this port. */
  async pageAt(port: number, account?: Account, options: PageOptions = {}): Promise<Pusher> {
    const { key = credentials.key, ...more } = options
    const headers = account === undefined ? {} : { authorization: `Bearer ${account.id}` }
    const page = new Pusher(key, {
      ...addressOptions(port),
      channelAuthorization: { transport: 'ajax', endpoint: `${this.auth.url}/pusher/auth`, headers },
      userAuthentication: { transport: 'ajax', endpoint: `${this.auth.url}/pusher/user-auth`, headers },
      ...more,
    })
    this.adopt(page)
    await connected(page)
    return page
  }

  /** Closes this client at the end of the test too. */
  adopt(page: Pusher): Pusher {
    this.#pages.push(page)
    return page
  }

  /** What the REST API of either node answers. */
  async read(path: string, params: PusherLibrary.Params = {}): Promise<[unknown, unknown]> {
    const answers = await Promise.all(this.libraries.map((library) => library.get({ path, params })))
    const [first, second] = await Promise.all(answers.map((answer) => answer.json() as unknown))
    return [first, second]
  }

  closePages(): void {
    for (const page of this.#pages.splice(0)) page.disconnect()
  }

  async stop(): Promise<void> {
    this.closePages()
    await this.auth.stop()
    await Promise.all(this.nodes.map((node) => node.close()))
    await this.#redis.close()
  }
}

/** As pusher-js tells a member. */
export function member({ id, info }: Account): { id: string; info: unknown } {
  return { id, info }
}

function libraryAt(node: ServerNode): PusherLibrary {
  return libraryFor({ running: { port: node.port } })
}
