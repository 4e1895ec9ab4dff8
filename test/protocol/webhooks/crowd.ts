/** So many users of one presence channel, each with a connection of its own that does little with what it is told. */
import { expect } from 'vitest'
import { WireClient } from '../../black-box/wire-client.js'
import { appId, credentials } from '../../harness/test-server.js'
import type { ReceivedEvent } from '../../harness/webhook-receiver.js'

const openingMax = 32

export class Crowd {
  readonly #clients: readonly WireClient[]
  readonly #channel: string

  private constructor(channel: string, clients: readonly WireClient[]) {
    this.#channel = channel
    this.#clients = clients
  }

  /** Connected, in turn to each of the ports, and in no channel yet. */
  static async connect(channel: string, count: number, ports: readonly number[]): Promise<Crowd> {
    const clients: WireClient[] = []
    let next = 0
    const lane = async () => {
      for (let index = next++; index < count; index = next++) {
        const port = ports[index % ports.length]!
        const client = new WireClient({ host: '127.0.0.1', port, app: { id: appId, ...credentials } })
        // What members are told of each other is looked at elsewhere.
        client.onBytes = (bytes, start, end) => bytes.subarray(start, end).includes('pusher_internal:member_')
        clients[index] = client
        await client.connected
      }
    }
    await Promise.all(Array.from({ length: openingMax }, lane))
    return new Crowd(channel, clients)
  }

  /** `user-0` and so on, at the same moment. */
  async join(): Promise<void> {
    await Promise.all(this.#clients.map((client, index) => client.subscribe(this.#channel, `user-${index}`)))
  }

  /** All disconnect. */
  leave(): void {
    for (const client of this.#clients) client.close()
  }
}

/** Every user once, of the events with this name. */
function usersOf(events: readonly ReceivedEvent[], name: string): string[] {
  return events.filter((event) => event.name === name).map(({ user_id: user = '' }) => user)
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_none, index) => `user-${index}`)
}

/** How many there are of each name. */
export function counted(events: readonly ReceivedEvent[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { name } of events) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** Everybody was away for too long: the channel and each of so many users left once and returned once. */
export function expectAwayAndBack(events: readonly ReceivedEvent[], users: number): void {
  expect(counted(events)).toEqual({
    channel_vacated: 1,
    channel_occupied: 1,
    member_removed: users,
    member_added: users,
  })
  for (const name of ['member_removed', 'member_added']) {
    expect(new Set(usersOf(events, name))).toEqual(new Set(names(users)))
  }
}
