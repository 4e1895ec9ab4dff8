import { expect } from 'vitest'
import { names, type Client, type Received } from './node-fixture.js'

/** What a client of one channel may believe, from its subscription_succeeded on. */
interface Session {
  /** Numbers of the events received; they only grow. */
  readonly got: number[]
  /** Numbers of the events that were published to it since. */
  readonly due: number[]
  /** The members, as the client keeps them; undefined on other channels. */
  readonly members: Set<string> | undefined
}

/** Checks at every frame what section 2 of the protocol promises to a subscriber: nothing early, nothing twice, nothing out of order. */
export class ObservedClient {
  readonly client: Client
  readonly userId: string
  readonly sessions = new Map<string, Session>()
  /** Channels whose subscription was asked for and not taken back. */
  readonly #asked = new Set<string>()

  constructor(client: Client, userId: string) {
    this.client = client
    this.userId = userId
  }

  subscribe(channel: string): void {
    this.#asked.add(channel)
    if (channel.startsWith('presence-')) this.client.joinPresence(channel, this.userId)
    else this.client.subscribe(channel)
  }

  unsubscribe(channel: string): void {
    this.observe()
    this.client.unsubscribe(channel)
    this.#asked.delete(channel)
    this.sessions.delete(channel)
  }

  /** An event is published now: a subscriber who was told of its success must get it. */
  expectEvent(channel: string, number: number): void {
    this.sessions.get(channel)?.due.push(number)
  }

  observe(): void {
    for (const received of this.client.take()) {
      if (received.channel !== undefined) this.#take(received.channel, received)
    }
  }

  /** Nothing that was due is missing. */
  expectComplete(): void {
    for (const { got, due } of this.sessions.values()) expect(got).toEqual(expect.arrayContaining(due))
  }

  #take(channel: string, { event, data }: Received): void {
    const session = this.sessions.get(channel)
    if (event === names.succeeded) {
      expect(this.#asked.has(channel)).toBe(true)
      expect(session).toBeUndefined()
      this.sessions.set(channel, { got: [], due: [], members: this.#membersOf(channel, String(data)) })
      return
    }
    if (session === undefined) throw new Error(`${event} on ${channel} outside of a subscription`)
    if (event === names.added || event === names.removed) this.#change(session, event, String(data))
    else if (event === names.miss) expect(session.got).toEqual([])
    else {
      expect(Number(data)).toBeGreaterThan(session.got.at(-1) ?? -1)
      session.got.push(Number(data))
    }
  }

  #membersOf(channel: string, data: string): Set<string> | undefined {
    if (!channel.startsWith('presence-')) return undefined
    const { presence } = JSON.parse(data) as { presence: { count: number; ids: string[]; hash: object } }
    expect(presence.ids).toHaveLength(presence.count)
    expect(Object.keys(presence.hash).sort()).toEqual([...presence.ids].sort())
    expect(presence.ids).toContain(this.userId)
    return new Set(presence.ids)
  }

  #change(session: Session, event: string, data: string): void {
    const { user_id: userId } = JSON.parse(data) as { user_id: string }
    // Its own user is there as long as it is.
    expect(userId).not.toBe(this.userId)
    if (event === names.added) {
      expect(session.members?.has(userId)).toBe(false)
      session.members?.add(userId)
    } else {
      expect(session.members?.delete(userId)).toBe(true)
    }
  }
}
