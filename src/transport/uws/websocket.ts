import type { Admissions, Knock } from '../../core/admission.js'
import type { Gateway } from '../../core/gateway.js'
import type { Logger } from '../../core/ports/logger.js'
import type { ClientAddresses } from './client-address.js'
import type { Generation } from './generation.js'
import { queryOf, type UwsBehavior, type UwsRequest, type UwsResponse, type UwsSocketContext } from './library.js'
import { UwsSocket, type UserData } from './uws-socket.js'

export interface WebSocketOptions {
  readonly gateway: Gateway
  readonly admissions: Pick<Admissions, 'decide'>
  readonly addresses: ClientAddresses
  readonly logger: Logger
  /** Bytes of a frame above which we close with 1009; the library cuts above four times as many. */
  readonly messageBytesMax: number
  /** Bytes that may wait for one socket before messages to it are dropped. */
  readonly backpressureBytesMax: number
  /** The library's compression setting; 0 = none. */
  readonly compression: number
  readonly tls: boolean
}

/**
 * How uWebSockets.js treats the sockets of one app. Every upgrade is accepted: a refusal with a code of the protocol needs an
 * open socket to be sent on. An exception that leaves one of these callbacks ends the process, so none may: the gateway's calls
 * never throw, and the upgrade catches its own.
 * @param hasKey whether the route's first parameter is the app key (`/app/:key`)
 */
export function webSocketBehavior(
  options: WebSocketOptions,
  generation: Generation,
  hasKey: boolean,
): UwsBehavior<UserData> {
  const { gateway } = options
  return {
    compression: options.compression,
    maxPayloadLength: 4 * options.messageBytesMax,
    maxBackpressure: options.backpressureBytesMax,
    closeOnBackpressureLimit: false,
    // Liveness is the core's: the library would close without a code of the protocol.
    idleTimeout: 0,
    sendPingsAutomatically: false,
    maxLifetime: 0,

    upgrade(response, request, context) {
      try {
        const admission = options.admissions.decide(knock(options, response, request, hasKey))
        upgrade(response, request, context, new UwsSocket(admission, generation), generation.compress)
      } catch (error) {
        options.logger.error(
          { err: error },
          'A fault of the server while a connection opened; that connection is closed',
        )
        response.onAborted(() => undefined)
        response.close()
      }
    },

    open(ws) {
      const socket = ws.getUserData().socket
      socket.ws = ws
      generation.sockets.add(socket)
      socket.connection = gateway.open(socket, socket.admission)
    },

    message(ws, message, isBinary) {
      const { connection } = ws.getUserData().socket
      if (connection === undefined) return
      if (isBinary) gateway.receiveBinary(connection, message.byteLength)
      else gateway.receive(connection, Buffer.from(message).toString('utf8'), message.byteLength)
    },

    ping(ws) {
      const { connection } = ws.getUserData().socket
      if (connection !== undefined) gateway.alive(connection)
    },

    pong(ws) {
      const { connection } = ws.getUserData().socket
      if (connection !== undefined) gateway.alive(connection)
    },

    dropped(ws) {
      generation.overflowed(ws.getUserData().socket)
    },

    close(ws, code) {
      const socket = ws.getUserData().socket
      socket.ws = undefined
      generation.sockets.delete(socket)
      const { connection, admission } = socket
      if (connection !== undefined && admission.admitted) gateway.closed(connection, code, admission.address)
    },
  }
}

function knock(options: WebSocketOptions, response: UwsResponse, request: UwsRequest, hasKey: boolean): Knock {
  const { address, secure } = options.addresses.identify(response, request, options.tls)
  return {
    appKey: hasKey ? decodeKey(request.getParameter(0) ?? '') : undefined,
    protocol: protocolOf(queryOf(request)),
    origin: request.getHeader('origin'),
    secure,
    address,
  }
}

function upgrade(
  response: UwsResponse,
  request: UwsRequest,
  context: UwsSocketContext,
  socket: UwsSocket,
  compress: boolean,
): void {
  response.upgrade(
    // The library copies the properties to an object of its own, so the socket is one of them and not the user data itself.
    { socket } satisfies UserData,
    request.getHeader('sec-websocket-key'),
    // Whatever subprotocol is asked for is granted; pusher-js asks for none (1.1).
    request.getHeader('sec-websocket-protocol'),
    compress ? request.getHeader('sec-websocket-extensions') : '',
    context,
  )
}

function decodeKey(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    // Not percent-encoded text: it stays what it is, and is no app's key.
    return raw
  }
}

function protocolOf(query: string): string | undefined {
  return /(?:^|&)protocol=([^&]*)/.exec(query)?.[1]
}
