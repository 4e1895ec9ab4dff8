/** What the publishing scenarios share: a channel whose messages are signed before the clock starts and all checked. */
import type { ChannelCheck } from '../load/channel-check.js'
import { atFirst } from '../load/load.js'
import type { Load, Placing } from '../load/load.js'
import { eventData, eventName } from '../load/message.js'
import type { PusherClient } from '../load/pusher-client.js'
import type { RestConnection } from '../load/rest-connection.js'
import { signedRequest } from '../load/target.js'

export interface PublishedChannelOptions {
  readonly channel: string
  /** Independent senders, each with an order of its own. */
  readonly publishers: number
  /** Signed requests per publisher, sent round and round. */
  readonly ringSize: number
  readonly dataBytes: number
}

/** One channel, its subscribers and its triggers. */
export class PublishedChannel {
  readonly check: ChannelCheck
  readonly #requests: readonly (readonly Buffer[])[]
  readonly #next: number[]
  readonly #ringSize: number

  constructor(load: Load, { channel, publishers, ringSize, dataBytes }: PublishedChannelOptions) {
    const dataOf = (publisher: number, sequence: number) => eventData(publisher, sequence, dataBytes)
    const request = (publisher: number, sequence: number) => {
      const body = JSON.stringify({ name: eventName, channels: [channel], data: dataOf(publisher, sequence) })
      return signedRequest(load.target, 'POST', '/events', body)
    }
    this.check = load.check({ channel, event: eventName, ringSize, dataOf })
    this.#ringSize = ringSize
    this.#next = new Array<number>(publishers).fill(0)
    this.#requests = Array.from({ length: publishers }, (_, publisher) =>
      Array.from({ length: ringSize }, (__, sequence) => request(publisher, sequence)),
    )
  }

  /** Opens the subscribers, each on a connection of its own. */
  async subscribe(load: Load, subscribers: number, placing: Placing = atFirst): Promise<void> {
    const prepare = async (client: PusherClient) => {
      client.subscriber = this.check.addSubscriber()
      await client.subscribe(this.check.channel)
    }
    await load.clients(subscribers, prepare, placing)
  }

  /** Publishes the publisher's next message; resolves once it is answered and every subscriber has it. */
  async trigger(publisher: number, send: (request: Buffer) => Promise<Buffer>): Promise<void> {
    const sequence = this.#next[publisher] ?? 0
    const request = this.#requests[publisher]?.[sequence]
    if (request === undefined) throw new Error(`no publisher ${publisher}`)
    this.#next[publisher] = (sequence + 1) % this.#ringSize
    const delivered = this.check.delivered(publisher, sequence)
    await Promise.all([send(request).then(checkTriggerAnswer), delivered])
  }
}

/** One keep-alive connection per lane. */
export function restLanes(load: Load, lanes: number): (lane: number) => (request: Buffer) => Promise<Buffer> {
  const connections: RestConnection[] = Array.from({ length: lanes }, () => load.rest())
  return (lane) => (request) => {
    const connection = connections[lane]
    if (connection === undefined) throw new Error(`no lane ${lane}`)
    return connection.send(request)
  }
}

/** Pusher answers `{}`; some servers say more, but always an object. */
export function checkTriggerAnswer(body: Buffer): void {
  if (body[0] !== 0x7b || body[body.length - 1] !== 0x7d) throw new Error(`a trigger was answered ${body.toString()}`)
}
