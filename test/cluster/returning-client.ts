/**
 * A client that comes back as pusher-js does: at once after 4200 to 4299, after a second when the connection ends otherwise, not at
 * all after 4000 to 4099.
 *
 *     const client = new ReturningClient(run, target, async (connection) => { await connection.subscribe('room', 'user-1') })
 *     await client.first                    // prepared for the first time
 *     client.returns                        // what happened since
 */
import type { Target } from '../../bench/load/target.js'
import type { Run } from '../black-box/run.js'
import { WireClient } from '../black-box/wire-client.js'

const retryMs = 1000

export interface Return {
  readonly code: number | string
  readonly closedAtMs: number
  /** When it was connected and prepared again; undefined until then. */
  backAtMs: number | undefined
}

export class ReturningClient {
  /** The connection of now, which may be under way. */
  connection: WireClient
  readonly returns: Return[] = []
  /** Connections that ended before they were prepared. */
  failedAttempts = 0
  /** Connected and prepared. */
  here = false
  readonly first: Promise<void>
  onClosed: (() => void) | undefined
  readonly #target: () => Target
  readonly #prepare: (connection: WireClient) => Promise<void>
  #done = false
  #timer: NodeJS.Timeout | undefined

  /** @param prepare runs after every handshake: subscribes again */
  constructor(run: Run, target: () => Target, prepare: (connection: WireClient) => Promise<void>) {
    this.#target = target
    this.#prepare = prepare
    run.onEnd(() => this.destroy())
    this.connection = this.#connect()
    this.first = this.#begin()
    this.first.catch(() => undefined)
  }

  /** Leaves for good, as pusher-js does. */
  close(): void {
    this.#leave()
    this.connection.close()
  }

  /** Vanishes for good. */
  destroy(): void {
    this.#leave()
    this.connection.destroy()
  }

  #leave(): void {
    this.#done = true
    this.here = false
    clearTimeout(this.#timer)
  }

  #connect(): WireClient {
    const connection = new WireClient(this.#target())
    connection.onClosed = () => this.#closed(connection)
    return connection
  }

  async #begin(): Promise<void> {
    const { connection } = this
    await connection.connected
    await this.#prepare(connection)
    if (this.#done || connection !== this.connection) return
    this.here = true
    const last = this.returns.at(-1)
    if (last !== undefined) last.backAtMs = performance.now()
  }

  #closed(connection: WireClient): void {
    if (this.#done || connection !== this.connection) return
    const { code = 1006, atMs = performance.now() } = connection.closed ?? {}
    if (this.here) {
      this.returns.push({ code, closedAtMs: atMs, backAtMs: undefined })
      this.here = false
      this.onClosed?.()
    } else this.failedAttempts += 1
    if (typeof code === 'number' && code >= 4000 && code < 4100) return
    const again = () => {
      this.connection = this.#connect()
      // The end of this connection is seen by onClosed, as that of every other.
      this.#begin().catch(() => undefined)
    }
    if (typeof code === 'number' && code >= 4200 && code < 4300) again()
    else this.#timer = setTimeout(again, retryMs)
  }
}

/** Connections being opened at the same time. */
const openingMax = 32

/** So many of them, each prepared for the first time, in their order. */
export async function returningClients(
  run: Run,
  count: number,
  target: () => Target,
  prepare: (connection: WireClient, index: number) => Promise<void>,
): Promise<ReturningClient[]> {
  const clients: ReturningClient[] = new Array<ReturningClient>(count)
  let next = 0
  const lane = async () => {
    for (let index = next++; index < count; index = next++) {
      const client = new ReturningClient(run, target, (connection) => prepare(connection, index))
      clients[index] = client
      await client.first
    }
  }
  await Promise.all(Array.from({ length: openingMax }, lane))
  return clients
}
