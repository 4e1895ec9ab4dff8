import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { RedisBackend, type RedisBackendOptions } from '../../src/backend/redis/redis-backend.js'
import { systemClock } from '../../src/base/clock.js'
import { RecordingLogger } from '../fakes/recording-logger.js'
import { RecordingSink } from '../fakes/recording-sink.js'
import { OutboxRecorder } from '../contract/outbox-recorder.js'
import { TcpProxy } from '../black-box/tcp-proxy.js'
import { RedisServer } from '../harness/redis-server.js'

/** Short, so that a test of a dead node does not take half a minute. */
export const leaseMs = 1500

/** A backend as one node has it, behind a proxy of its own, and all that its subscribers were told. */
export class SharedNode {
  readonly backend: RedisBackend
  readonly sink = new RecordingSink()
  readonly logger = new RecordingLogger()
  /** Told nothing unless the node takes part in sending. */
  readonly outboxListener = new OutboxRecorder()
  readonly proxy: TcpProxy
  readonly name: string

  private constructor(
    redis: RedisServer,
    proxy: TcpProxy,
    port: number,
    prefix: string,
    more: Partial<RedisBackendOptions>,
  ) {
    this.name = more.node ?? randomBytes(6).toString('hex')
    this.proxy = proxy
    const url = new URL(redis.url)
    url.port = String(port)
    this.backend = new RedisBackend({
      redis: {
        mode: 'standalone',
        url: url.href,
        nodes: [],
        sentinelName: undefined,
        sentinelPassword: undefined,
        tls: undefined,
        prefix,
      },
      node: this.name,
      leaseMs,
      publishTimeoutMs: 1000,
      subscribeTimeoutMs: 300,
      queryTimeoutMs: 1000,
      handoverMs: 1500,
      clock: systemClock,
      logger: this.logger,
      wantsTransition: () => true,
      tellsCounts: () => true,
      ...more,
    })
  }

  /** @param sends whether it takes part in sending what is in the outbox */
  static async start(
    redis: RedisServer,
    prefix: string,
    more: Partial<RedisBackendOptions> = {},
    sends = false,
  ): Promise<SharedNode> {
    const { proxy, target } = await TcpProxy.start({ host: '127.0.0.1', port: redis.port })
    const node = new SharedNode(redis, proxy, target.port, prefix, more)
    if (sends) node.backend.outbox.watch(node.outboxListener)
    await node.backend.start(node.sink)
    return node
  }

  /** Topic → what the first to join was told, and how many changes had been told by then. */
  readonly #first = new Map<string, { readonly users: readonly string[]; readonly told: number }>()

  async join(topic: string, socketId: string, userId: string) {
    const joined = await this.backend.presence.join(topic, socketId, { userId, userInfo: undefined }, 0)
    if (joined.outcome === 'joined' && !this.#first.has(topic)) {
      const text = JSON.parse(`"${joined.roster.escapedJson}"`) as string
      const { presence } = JSON.parse(text) as { presence: { ids: string[] } }
      const told = this.sink.of(topic).filter(({ version }) => version <= joined.version).length
      this.#first.set(topic, { users: presence.ids, told })
    }
    return joined
  }

  firstRoster(topic: string): readonly string[] {
    return this.#first.get(topic)?.users ?? []
  }

  /** Changes that were told before the first roster, and are in it. */
  toldBefore(topic: string): number {
    return this.#first.get(topic)?.told ?? 0
  }

  leave(topic: string, socketId: string, userId: string, handover = false) {
    return this.backend.presence.leave(topic, socketId, userId, handover)
  }

  /** `+USER` and `-USER`, in the order this node's subscribers were told. */
  told(topic: string): string[] {
    return this.sink.of(topic).map(({ frame }) => {
      const { event, data } = JSON.parse(frame) as { event: string; data: string }
      const { user_id: userId } = JSON.parse(data) as { user_id: string }
      return `${event.endsWith('added') ? '+' : '-'}${userId}`
    })
  }

  /** The node is gone without a word: nothing of it reaches Redis any more. */
  async vanish(): Promise<void> {
    this.proxy.freeze()
    await this.backend.close()
    this.proxy.close()
  }

  async close(): Promise<void> {
    this.proxy.thaw()
    await this.backend.close()
    this.proxy.close()
  }
}

/** One Redis for a suite, and nodes on it that end with their test; each test has a prefix of its own. */
export class SharedNodes {
  running: SharedNode[] = []
  #redis: RedisServer | undefined
  /** Another one for each test. */
  prefix = ''

  constructor() {
    beforeAll(async () => {
      this.#redis = await RedisServer.start()
    })
    afterAll(() => this.#redis?.close())
    beforeEach(() => {
      this.prefix = `t${randomBytes(4).toString('hex')}`
    })
    afterEach(async () => {
      await Promise.all(this.running.map((node) => node.close()))
      this.running = []
    })
  }

  get redis(): RedisServer {
    if (this.#redis === undefined) throw new Error('Redis is started before the first test')
    return this.#redis
  }

  /**
   * @param topics subscribed to from the start
   * @param sends whether it takes part in sending what is in the outbox
   */
  async start(topics: readonly string[], more: Partial<RedisBackendOptions> = {}, sends = false): Promise<SharedNode> {
    const node = await SharedNode.start(this.redis, this.prefix, more, sends)
    this.running.push(node)
    for (const topic of topics) await node.backend.broker.subscribe(topic)
    return node
  }
}
