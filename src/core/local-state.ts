/**
 * This node's state, as the mutually linked records it is: apps, their connections and channels, and the subscriptions between the
 * two. The hub keeps them consistent; nothing here knows a rule of the protocol.
 */
import type { TokenBucket } from '../base/token-bucket.js'
import type { ChannelTraits } from '../protocol/channel-name.js'
import type { ProtocolError } from '../protocol/errors.js'
import { errorFrame } from '../protocol/outbound.js'
import { endWithError } from './closing.js'
import { AppCounters } from './counters.js'
import type { App } from './ports/app.js'
import type { SocketId, Topic, TruthKind } from './ports/broker.js'
import type { Socket } from './ports/socket.js'

/** This node's state of one app. Lives as long as the app or a connection of it; `app` is replaced when the settings change. */
export class LocalApp {
  app: App
  readonly counters: AppCounters
  readonly connections = new Map<SocketId, Connection>()
  /** Channel name → channel with local subscribers. */
  readonly channels = new Map<string, LocalChannel>()
  /** User id → this node's connections signed in as it. */
  readonly users = new Map<string, Set<Connection>>()
  /** Subscriptions of this node, for the metric. */
  subscriptions = 0
  /** The node's tick before which no connection can be silent for too long; 0 = look at the next sweep. */
  heartbeatDueS = 0

  constructor(app: App, counters: AppCounters = new AppCounters()) {
    this.app = app
    this.counters = counters
  }

  get id(): string {
    return this.app.id
  }
}

/** What this node knows of a channel that has local subscribers. */
export class LocalChannel {
  readonly name: string
  readonly topic: Topic
  readonly traits: ChannelTraits
  readonly local: LocalApp
  /** Subscriptions of this node that are not `left`. */
  subscriptions = 0
  /** Those that were told they are subscribed: `settling` or `active`. */
  joined = 0
  /** Those that are `joining` or `settling`; undefined when there are none, which is nearly always. */
  pending: Set<Subscription> | undefined
  /** Resolves when the broker delivers the topic; undefined from then on. */
  ready: Promise<void> | undefined
  /** The version of the last cached event that was delivered. */
  cacheVersion = 0
  /** The subscription count this node's subscribers were told last (2.10); 0 = none yet. */
  toldCount = 0

  constructor(name: string, topic: Topic, traits: ChannelTraits, local: LocalApp) {
    this.name = name
    this.topic = topic
    this.traits = traits
    this.local = local
  }
}

/** Who a connection is signed in as. */
export interface SignedInUser {
  readonly id: string
  /** JSON text, or undefined when the sign-in gave none. */
  readonly userInfo: string | undefined
  /** The user-status subscriptions of its watchlist. */
  readonly watches: Subscription[]
}

/** One client connection of this node, from its handshake to its close. Rare state is made on first use: memory per connection counts. */
export class Connection {
  readonly socketId: SocketId
  readonly local: LocalApp
  readonly socket: Socket
  readonly openedAtS: number
  /** The node's tick when anything was last received. */
  heardAtS: number
  /** The tick of the last unanswered ping; 0 = none was sent yet. */
  pingedAtS = 0
  readonly protocolVersion: number
  /** Channel name → subscription, joining ones included. */
  subscriptions: Map<string, Subscription> | undefined
  user: SignedInUser | undefined
  /** Signed in, or subscribed to a channel that asks for a signature (2.9). */
  authorized = false
  closed = false
  /** We close it so that the client comes back elsewhere: its user has not left (D6). */
  handsOver = false
  clientEventBucket: TokenBucket | undefined
  messageBucket: TokenBucket | undefined
  /** The tick of the last "too many messages" answer, which is given at most once a second. */
  messageRateToldAtS = -1

  constructor(socketId: SocketId, local: LocalApp, socket: Socket, protocolVersion: number, nowS: number) {
    this.socketId = socketId
    this.local = local
    this.socket = socket
    this.protocolVersion = protocolVersion
    this.openedAtS = nowS
    this.heardAtS = nowS
  }

  /** Sends one frame to this connection only. */
  send(frame: string): void {
    if (this.closed) return
    this.local.counters.countSent(1, frame)
    this.socket.send(frame)
  }

  sendError(error: ProtocolError): void {
    this.send(errorFrame(error))
  }

  /** As end(), of a client that is sent away only to come back: members are held for it. */
  handOver(error: ProtocolError): void {
    if (this.closed) return
    this.handsOver = true
    this.end(error)
  }

  /** Tells the error as an event too, then closes with its code: old protocol versions need the event, new ones do not mind (1.3). */
  end(error: ProtocolError): void {
    if (this.closed) return
    this.sendError(error)
    endWithError(this.socket, error)
  }
}

/**
 * Frames and bytes kept for one joining subscription. Above, plain events go first: they were published before the client was told
 * that it is subscribed. If changes of stored truth alone are too many, they go too, and the snapshot is taken again.
 */
const heldFramesMax = 256
const heldBytesMax = 1_048_576

/** Shared by all that hold nothing, which is nearly always; never written to. */
const nothingHeld: HeldFrame[] = []

interface HeldFrame {
  readonly frame: string
  readonly kind: TruthKind
  readonly version: number
}

/** What the client has been told by its snapshot: later messages at or below these versions are old news. */
export interface SnapshotVersions {
  readonly members: number
  readonly cache: number
}

/**
 * One connection's subscription to one channel.
 *
 * `joining`  → the snapshot is on its way; messages are held back
 * `settling` → the client has its snapshot; messages are fed one by one until the cached event of the snapshot has passed
 * `active`   → the socket is on the native topic
 * `left`     → final
 */
export class Subscription {
  readonly connection: Connection
  readonly channel: LocalChannel
  state: 'joining' | 'settling' | 'active' | 'left' = 'joining'
  /** The user this subscription stands for in a presence channel. */
  userId: string | undefined
  /** Whether the presence store was asked to hold this subscription, so that leaving must tell it. */
  presenceAsked = false
  snapshot: SnapshotVersions = noSnapshot
  settlingSinceS = 0
  #held: HeldFrame[] = nothingHeld
  #heldBytes = 0
  #overflowed = false

  constructor(connection: Connection, channel: LocalChannel) {
    this.connection = connection
    this.channel = channel
  }

  /** Takes a message that came before this subscription was active. Returns false when the hold-back ran over. */
  hold(frame: string, kind: TruthKind, version: number): boolean {
    const fits = this.#fits(frame)
    if (!fits) this.#keep(this.#held.filter((held) => held.kind !== 'none'))
    if (fits || (kind !== 'none' && this.#fits(frame))) {
      if (this.#held === nothingHeld) this.#held = []
      this.#held.push({ frame, kind, version })
      this.#heldBytes += frame.length
    } else if (kind !== 'none') {
      this.#overflowed = true
      this.#keep([])
    }
    return fits
  }

  /** Whether messages were lost since the last call, so that the snapshot must be taken again. */
  takeOverflow(): boolean {
    const overflowed = this.#overflowed
    this.#overflowed = false
    return overflowed
  }

  /** Sends what was held back and is newer than the snapshot, in order. */
  releaseHeld(): void {
    const held = this.#held
    this.#keep([])
    for (const { frame, kind, version } of held) this.feed(frame, kind, version)
  }

  /** Sends one message unless the snapshot told it already. */
  feed(frame: string, kind: TruthKind, version: number): void {
    if (kind === 'members' && version <= this.snapshot.members) return
    if (kind === 'cache' && version <= this.snapshot.cache) return
    this.connection.send(frame)
  }

  #fits(frame: string): boolean {
    return this.#held.length < heldFramesMax && this.#heldBytes + frame.length <= heldBytesMax
  }

  #keep(held: HeldFrame[]): void {
    this.#held = held.length === 0 ? nothingHeld : held
    this.#heldBytes = held.reduce((bytes, { frame }) => bytes + frame.length, 0)
  }
}

const noSnapshot: SnapshotVersions = { members: 0, cache: 0 }
