import { errors } from '../protocol/errors.js'
import type { Hub } from './hub.js'

/**
 * Closes sockets that read too slowly (architecture idea 7). Above the transport's cap messages are lost, so a socket is ended
 * at half of it, while the close frame still fits; the transport cuts those that reach the cap between two sweeps.
 */
export class SlowConsumers {
  readonly #hub: Hub
  readonly #endAboveBytes: number
  #sentAtLastSweep = 0
  /** Bytes waiting in all sockets at the last sweep. */
  bufferedBytes = 0

  /** @param backpressureBytesMax the transport's cap for one socket */
  constructor(hub: Hub, backpressureBytesMax: number) {
    this.#hub = hub
    this.#endAboveBytes = backpressureBytesMax / 2
  }

  /**
   * Called once a second while something is sent; does nothing when nothing was sent since the last time and nothing waits.
   * @returns whether it had something to do
   */
  sweep(): boolean {
    const sent = this.#bytesSent()
    if (sent === this.#sentAtLastSweep && this.bufferedBytes === 0) return false
    this.#sentAtLastSweep = sent
    this.bufferedBytes = 0
    for (const local of this.#hub.apps.values()) {
      for (const connection of local.connections.values()) {
        const waiting = connection.socket.bufferedBytes()
        this.bufferedBytes += waiting
        if (waiting <= this.#endAboveBytes) continue
        local.counters.slowConsumersClosed += 1
        connection.end(errors.slowConsumer())
      }
    }
    return true
  }

  #bytesSent(): number {
    let sent = 0
    for (const local of this.#hub.apps.values()) sent += local.counters.bytesSent
    return sent
  }
}
