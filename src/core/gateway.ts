import { newSocketId } from '../base/socket-id.js'
import { codes } from '../protocol/codes.js'
import { connectionEstablishedFrame, errorFrame } from '../protocol/outbound.js'
import type { Admission, Admissions } from './admission.js'
import type { NodeCounters } from './counters.js'
import type { Hub } from './hub.js'
import type { App } from './ports/app.js'
import type { Logger } from './ports/logger.js'
import type { Socket } from './ports/socket.js'
import type { Session } from './session.js'
import type { Subscriptions } from './subscriptions.js'
import type { Ticker } from './ticker.js'
import type { Users } from './users.js'
import { Connection } from './local-state.js'
import { endWithError } from './closing.js'

export interface GatewayParts {
  readonly hub: Hub
  readonly session: Session
  readonly subscriptions: Subscriptions
  readonly users: Users
  readonly admissions: Admissions
  readonly ticker: Ticker
  readonly counters: NodeCounters
  readonly logger: Logger
  /** Bytes of a text frame above which the connection is closed with 1009. */
  readonly messageBytesMax: number
}

/**
 * What a transport calls. Nothing here throws: whatever goes wrong while one client's input is handled stays with that client.
 */
export class Gateway {
  readonly #parts: GatewayParts

  constructor(parts: GatewayParts) {
    this.#parts = parts
  }

  /** A WebSocket has opened. Returns its connection, or undefined when it was refused and is closing. */
  open(socket: Socket, admission: Admission): Connection | undefined {
    if (!admission.admitted) {
      try {
        this.#refuse(socket, admission)
      } catch (error) {
        this.#parts.logger.error(
          { app_id: admission.app?.id ?? '', err: error },
          'A refused client could not be told why',
        )
      }
      return undefined
    }
    const { hub, ticker } = this.#parts
    const { app, protocolVersion } = admission
    const connection = new Connection(newSocketId(), hub.localApp(app), socket, protocolVersion, ticker.nowS)
    hub.addConnection(connection)
    connection.local.counters.connectionsTotal += 1
    // Whatever happens, the connection is given back: the transport must be able to report its end.
    this.#guard(connection, () =>
      connection.send(connectionEstablishedFrame(connection.socketId, app.heartbeat.activityTimeoutSeconds)),
    )
    return connection
  }

  /** One text frame. */
  receive(connection: Connection, text: string, bytes: number): void {
    if (connection.closed) return
    const { counters } = connection.local
    connection.heardAtS = this.#parts.ticker.nowS
    counters.messagesReceived += 1
    counters.bytesReceived += bytes
    try {
      if (bytes > this.#parts.messageBytesMax) this.#parts.session.tooBig(connection, this.#parts.messageBytesMax)
      else this.#parts.session.receive(connection, text)?.catch((error: unknown) => this.#fault(connection, error))
    } catch (error) {
      this.#fault(connection, error)
    }
  }

  /** A binary frame is not part of the protocol: ignored and counted, but a sign of life (1.1). */
  receiveBinary(connection: Connection, bytes: number): void {
    this.alive(connection)
    connection.local.counters.bytesReceived += bytes
    connection.local.counters.protocolErrors.binary += 1
  }

  /** A ping or pong frame: a sign of life that counts against no limit. */
  alive(connection: Connection): void {
    connection.heardAtS = this.#parts.ticker.nowS
  }

  /** The socket is gone, for whatever reason. @param code the close code seen */
  closed(connection: Connection, code: number, address: string): void {
    if (connection.closed) return
    connection.closed = true
    const { hub, subscriptions, users, admissions } = this.#parts
    connection.local.counters.countDisconnection(code)
    for (const subscription of [...(connection.subscriptions?.values() ?? [])]) {
      this.#guard(connection, () => subscriptions.leave(subscription))
    }
    this.#guard(connection, () => users.signOut(connection))
    hub.removeConnection(connection)
    admissions.release(connection.local.id, address)
  }

  #refuse(socket: Socket, admission: Extract<Admission, { admitted: false }>): void {
    const { error, app } = admission
    const label = String(error.code)
    const { counters } = this.#parts
    if (app === undefined) counters.refusals.set(label, (counters.refusals.get(label) ?? 0) + 1)
    else this.#countRefusal(app, error.code)
    socket.send(errorFrame(error))
    endWithError(socket, error)
  }

  #countRefusal(app: App, code: number | null): void {
    const { counters } = this.#parts.hub.localApp(app)
    counters.countDisconnection(code ?? 0)
    if (code === codes.overQuota) counters.rateLimited.connections += 1
  }

  /** Does one step for a connection; a fault in it stops no other step and no other client. */
  #guard(connection: Connection, step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#fault(connection, error)
    }
  }

  #fault(connection: Connection, error: unknown): void {
    this.#parts.logger.error(
      { app_id: connection.local.id, socket_id: connection.socketId, err: error },
      'A fault of the server while it handled one client; the client stays connected',
    )
  }
}
