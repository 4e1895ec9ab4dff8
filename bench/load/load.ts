/** All connections of one scenario run to one server, which may be several nodes. */
import { ChannelCheck } from './channel-check.js'
import type { ChannelExpectation } from './channel-check.js'
import { Faults } from './faults.js'
import { PusherClient } from './pusher-client.js'
import { RestConnection } from './rest-connection.js'
import type { Target } from './target.js'

/**
 * One loopback address has 28 000 ports, and a closed connection keeps its own for a minute. The first connections of a
 * run leave the choice to the kernel; further ones take addresses in turn, over all runs.
 */
const connectionsPerAddressMax = 5_000
const addresses = 250
let boundConnections = 0
/** Connections being opened at the same time, unless a scenario wants more. */
const openingMax = 64

/** Number of a connection → number of the node it goes to, from 0 on; above the last node it begins again. */
export type Placing = (index: number) => number

export const atFirst: Placing = () => 0
/** To all nodes in turn. */
export const spread: Placing = (index) => index

export class Load {
  /** The first node, to which everything goes that is not placed. */
  readonly target: Target
  readonly faults: Faults
  readonly #targets: readonly [Target, ...Target[]]
  readonly #clients: PusherClient[] = []
  readonly #rest: RestConnection[] = []
  readonly #checks: ChannelCheck[] = []
  #opened = 0

  /** @param faults where what goes wrong is counted, if it is not for this load alone */
  constructor(targets: readonly [Target, ...Target[]], faults = new Faults()) {
    this.faults = faults
    this.#targets = targets
    this.target = targets[0]
  }

  get nodes(): number {
    return this.#targets.length
  }

  /**
   * Opens connections and prepares each (a subscription, as a rule); in their order.
   * @param atOnce how many are being opened at any time
   */
  async clients(
    count: number,
    prepare: (client: PusherClient, index: number) => Promise<unknown>,
    placing: Placing = atFirst,
    atOnce = openingMax,
  ) {
    const opened: PusherClient[] = new Array<PusherClient>(count)
    let next = 0
    const lane = async () => {
      while (next < count) {
        const index = next
        next += 1
        const client = await PusherClient.connect(this.targetOf(placing(index)), this.faults, this.#nextAddress())
        opened[index] = client
        this.#clients.push(client)
        await prepare(client, index)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, lane))
    return opened
  }

  /** Checks the events of one channel until finish(). */
  check(expected: ChannelExpectation): ChannelCheck {
    const check = new ChannelCheck(expected, this.faults)
    this.#checks.push(check)
    return check
  }

  targetOf(node: number): Target {
    return this.#targets[node % this.nodes] ?? this.target
  }

  /** A keep-alive connection for requests. */
  rest(node = 0): RestConnection {
    const connection = new RestConnection(this.targetOf(node), this.faults)
    this.#rest.push(connection)
    return connection
  }

  /** Sends one request over a connection of its own, closed by this side after the answer. */
  async sendFresh(request: Buffer): Promise<Buffer> {
    const connection = new RestConnection(this.target, this.faults)
    try {
      return await connection.send(request)
    } finally {
      connection.close()
    }
  }

  /** The end of the run: what has not arrived is lost. */
  finish(): void {
    for (const check of this.#checks) check.finish()
  }

  close(): void {
    for (const client of this.#clients) client.close()
    for (const connection of this.#rest) connection.close()
  }

  #nextAddress(): string | undefined {
    this.#opened += 1
    if (this.#opened <= connectionsPerAddressMax) return undefined
    boundConnections += 1
    return `127.0.0.${2 + (Math.floor(boundConnections / connectionsPerAddressMax) % addresses)}`
  }
}
