import type { CapacityMarks } from '../../../src/core/capacity.js'
import type { Knock } from '../../../src/core/admission.js'
import type { Connection } from '../../../src/core/local-state.js'
import { Node } from '../../../src/core/node.js'
import type { AppSettings } from '../../../src/core/ports/app.js'
import { channelAuthText, HmacKey, userAuthText } from '../../../src/protocol/signature.js'
import { appKey, appSecret, appSettings } from '../../fakes/app-settings.js'
import { FakeFanout } from '../../fakes/fake-fanout.js'
import { FakeSocket } from '../../fakes/fake-socket.js'
import { StaticAppRegistry } from '../../../src/apps/static.js'
import { ManualClock } from '../../fakes/manual-clock.js'
import { RecordingLogger } from '../../fakes/recording-logger.js'
import { RecordingWebhooks } from '../../fakes/recording-webhooks.js'
import { ScriptedBackend } from '../../fakes/scripted-backend.js'

const signer = new HmacKey(appSecret)

export const backpressureBytesMax = 1_000_000

export interface FixtureOptions {
  readonly apps?: readonly AppSettings[]
  readonly capacity?: Partial<CapacityMarks>
  readonly answersInOrder?: boolean
  readonly requireVersion?: boolean
}

/** One event a client was sent. */
export interface Received {
  readonly event: string
  readonly channel?: string
  readonly data: unknown
  readonly user_id?: string
}

/** A core with everything around it faked, started. */
export class NodeFixture {
  readonly clock = new ManualClock()
  readonly backend = new ScriptedBackend(this.clock, (appId) => {
    return this.registry.byId(appId)?.subscriptionCount.enabled === true
  })
  readonly fanout = new FakeFanout()
  readonly logger = new RecordingLogger()
  readonly webhooks = new RecordingWebhooks()
  readonly registry: StaticAppRegistry
  readonly node: Node
  /** Memory in use that the node is told. */
  memoryPercent = 0

  private constructor(options: FixtureOptions) {
    this.backend.answersInOrder = options.answersInOrder ?? true
    this.registry = new StaticAppRegistry(options.apps ?? [appSettings()])
    this.node = new Node({
      backend: this.backend,
      registry: this.registry,
      fanout: this.fanout,
      webhooks: this.webhooks,
      clock: this.clock,
      logger: this.logger,
      capacity: {
        connections: 100_000,
        memoryPercent: 90,
        acceptPerSecond: 0,
        connectionsPerAddress: 0,
        ...options.capacity,
      },
      requireVersion: options.requireVersion ?? false,
      messageBytesMax: 130_000,
      backpressureBytesMax,
      memoryPercent: () => this.memoryPercent,
    })
  }

  static async start(options: FixtureOptions = {}): Promise<NodeFixture> {
    const fixture = new NodeFixture(options)
    await fixture.node.start()
    return fixture
  }

  /** As the owner of both does. */
  async stop(): Promise<void> {
    await this.node.stop()
    await this.backend.close()
  }

  /** Knocks and opens, as a transport does. */
  connect(knock: Partial<Knock> = {}): Client {
    const { gateway, admissions } = this.node
    const admission = admissions.decide({
      appKey,
      protocol: '7',
      origin: '',
      secure: false,
      address: '192.0.2.1',
      ...knock,
    })
    const socket = new FakeSocket(this.fanout)
    const client = new Client(this, socket)
    socket.onClose = (code) => {
      if (client.opened !== undefined && admission.admitted) gateway.closed(client.opened, code, admission.address)
    }
    client.opened = gateway.open(socket, admission)
    return client
  }

  /** A client that is subscribed to these public channels. */
  async subscribed(...channels: string[]): Promise<Client> {
    const client = this.connect()
    for (const channel of channels) client.subscribe(channel)
    await settle()
    client.take()
    return client
  }

  /** A client that is a member of a presence channel, its own frames taken. */
  async member(channel: string, userId: string): Promise<Client> {
    const client = this.connect()
    client.joinPresence(channel, userId)
    await settle()
    client.take()
    return client
  }

  /** Publishes as the REST API does. */
  publish(channel: string, data: string, socketId?: string, appId = '3'): Promise<unknown> {
    const app = this.registry.byId(appId)!
    return this.node.api.publish(app, [{ name: 'e', channels: [channel], data, socketId }])
  }

  /** Whole seconds pass, with a sweep each. */
  async passSeconds(seconds: number): Promise<void> {
    this.clock.advance(seconds * 1000)
    await settle()
  }

  /** What is left in the node's books, for tests that expect nothing. */
  leftovers(appId = '3') {
    const { hub } = this.node
    const local = hub.apps.get(appId)
    return {
      connections: hub.connections,
      topics: [...hub.topics.keys()],
      appConnections: local?.connections.size ?? 0,
      channels: [...(local?.channels.keys() ?? [])],
      users: [...(local?.users.keys() ?? [])],
      subscriptions: local?.subscriptions ?? 0,
      native: [...this.fanout.topics.keys()],
    }
  }
}

export const nothingLeft = {
  connections: 0,
  topics: [],
  appConnections: 0,
  channels: [],
  users: [],
  subscriptions: 0,
  native: [],
}

/** One client at a fake socket. */
export class Client {
  readonly socket: FakeSocket
  readonly #fixture: NodeFixture
  /** What the gateway gave for the socket; undefined when it was refused. */
  opened: Connection | undefined
  #taken = 0

  constructor(fixture: NodeFixture, socket: FakeSocket) {
    this.#fixture = fixture
    this.socket = socket
  }

  /** The connection of a client that was let in. */
  get connection(): Connection {
    return this.opened!
  }

  get id(): string {
    return this.connection.socketId
  }

  sendText(text: string): void {
    this.#fixture.node.gateway.receive(this.connection, text, Buffer.byteLength(text))
  }

  send(message: unknown): void {
    this.sendText(JSON.stringify(message))
  }

  /** Subscribes, signed where the channel asks for it. */
  subscribe(channel: string, channelData?: string): void {
    const auth = `${appKey}:${signer.sign(channelAuthText(this.id, channel, channelData))}`
    this.send({ event: 'pusher:subscribe', data: { channel, auth, channel_data: channelData } })
  }

  joinPresence(channel: string, userId: string, userInfo?: unknown): void {
    this.subscribe(channel, JSON.stringify({ user_id: userId, user_info: userInfo }))
  }

  unsubscribe(channel: string): void {
    this.send({ event: 'pusher:unsubscribe', data: { channel } })
  }

  signIn(userId: string, watchlist: readonly string[] = []): void {
    const userData = JSON.stringify({ id: userId, watchlist })
    const auth = `${appKey}:${signer.sign(userAuthText(this.id, userData))}`
    this.send({ event: 'pusher:signin', data: { auth, user_data: userData } })
  }

  /** The peer closes. */
  close(code = 1000): void {
    this.socket.close(code)
  }

  /** Everything received so far. */
  get received(): Received[] {
    return this.socket.frames.map((frame) => JSON.parse(frame) as Received)
  }

  /** What was received since the last call. */
  take(): Received[] {
    const fresh = this.received.slice(this.#taken)
    this.#taken = this.socket.frames.length
    return fresh
  }

  /** Names of the events received since the last call. */
  takeNames(): string[] {
    return this.take().map(({ event }) => event)
  }

  /** `event data` of what was received since the last call. */
  takeTexts(): string[] {
    return this.take().map(({ event, data }) => `${event} ${typeof data === 'string' ? data : JSON.stringify(data)}`)
  }
}

/** The event loop turns until nothing that is ready waits any more. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

export const names = {
  established: 'pusher:connection_established',
  succeeded: 'pusher_internal:subscription_succeeded',
  refused: 'pusher:subscription_error',
  error: 'pusher:error',
  added: 'pusher_internal:member_added',
  removed: 'pusher_internal:member_removed',
  count: 'pusher_internal:subscription_count',
  miss: 'pusher:cache_miss',
  signedIn: 'pusher:signin_success',
  watch: 'pusher_internal:watchlist_events',
} as const
