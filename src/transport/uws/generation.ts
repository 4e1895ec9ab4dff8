import type { Clock } from '../../base/clock.js'
import type { UwsListeningApp, UwsListenSocket } from './library.js'
import type { SocketHome, UwsSocket } from './uws-socket.js'

/**
 * One uWebSockets app with its listener and its sockets. There is one for the life of the process, and a new one after every
 * certificate reload: old sockets live on in the old app, whose topics are a tree of their own.
 */
export class Generation implements SocketHome {
  readonly app: UwsListeningApp
  readonly compress: boolean
  readonly sockets = new Set<UwsSocket>()
  listenSocket: UwsListenSocket | undefined
  readonly #clock: Clock
  readonly #full = new Set<UwsSocket>()

  constructor(app: UwsListeningApp, compress: boolean, clock: Clock) {
    this.app = app
    this.compress = compress
    this.#clock = clock
  }

  /**
   * A message for this socket was dropped because its buffer is full. It is cut on the next turn of the loop: here, possibly in
   * the middle of a native publish, neither `end` (which crashes) nor a close handler that publishes is safe.
   */
  overflowed(socket: UwsSocket): void {
    if (socket.connection !== undefined && !this.#full.has(socket)) {
      socket.connection.local.counters.slowConsumersClosed += 1
    }
    if (this.#full.size === 0) this.#clock.after(0, () => this.#cutFull())
    this.#full.add(socket)
  }

  #cutFull(): void {
    const full = [...this.#full]
    this.#full.clear()
    for (const socket of full) socket.cut()
  }
}
