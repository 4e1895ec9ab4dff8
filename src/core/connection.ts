import type { TokenBucket } from '../base/token-bucket.js'
import type { ProtocolError } from '../protocol/errors.js'
import { errorFrame } from '../protocol/outbound.js'
import type { LocalApp } from './local-app.js'
import type { SocketId } from './ports/broker.js'
import type { Socket } from './ports/socket.js'
import type { Subscription } from './subscription.js'

/** Who a connection is signed in as. */
export interface SignedInUser {
  readonly id: string
  /** JSON text, or undefined when the sign-in gave none. */
  readonly userInfo: string | undefined
  /** The user-status subscriptions of its watchlist. */
  readonly watches: Subscription[]
}

/** Close frames hold at most 123 bytes of reason. */
const reasonBytesMax = 123

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

  /** Tells the error as an event too, then closes with its code: old protocol versions need the event, new ones do not mind (1.3). */
  end(error: ProtocolError & { readonly code: number | null }): void {
    if (this.closed) return
    this.sendError(error)
    endWithError(this.socket, error)
  }
}

/** Closes a socket with the code and reason of an error. */
export function endWithError(socket: Socket, error: ProtocolError): void {
  socket.end(error.code ?? 4000, closeReason(error.message))
}

/** The reason cut to what a close frame can hold, at a character's edge. */
function closeReason(message: string): string {
  const bytes = Buffer.from(message)
  return bytes.length <= reasonBytesMax ? message : bytes.toString('utf8', 0, reasonBytesMax).replace(/\uFFFD$/, '')
}
