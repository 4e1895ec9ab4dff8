import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { appSettings } from '../../fakes/app-settings.js'
import type { Call } from '../../fakes/scripted-backend.js'
import { NodeFixture, nothingLeft, settle } from './node-fixture.js'
import { ObservedClient } from './observed-client.js'

const channels = ['news', 'private-a', 'presence-a', 'cache-a', 'presence-cache-b']
/** The first two connections are of one user. */
const users = ['ann', 'ann', 'bob', '__proto__']
const slowCalls: Call[] = ['broker.subscribe', 'presence.join', 'cache.get']

type Step =
  | { readonly type: 'open' | 'close'; readonly who: number }
  | { readonly type: 'subscribe' | 'unsubscribe' | 'client-event'; readonly who: number; readonly channel: string }
  | { readonly type: 'publish'; readonly who: number; readonly channel: string }
  | { readonly type: 'answer'; readonly call: Call }
  | { readonly type: 'deliver' }

const who = fc.nat(users.length - 1)
const channel = fc.constantFrom(...channels)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('close' as const, 'open' as const), who }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom(
        'subscribe' as const,
        'subscribe' as const,
        'unsubscribe' as const,
        'client-event' as const,
      ),
      who,
      channel,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('publish' as const), who: fc.nat(users.length * 2), channel }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('answer' as const), call: fc.constantFrom(...slowCalls) }) },
  { weight: 3, arbitrary: fc.constant({ type: 'deliver' as const }) },
)

/** One run: few connections, few channels, a store that answers when it likes. */
class History {
  readonly #fixture: NodeFixture
  readonly #inOrder: boolean
  readonly #clients: (ObservedClient | undefined)[] = users.map(() => undefined)
  #published = 0

  constructor(fixture: NodeFixture) {
    this.#fixture = fixture
    this.#inOrder = fixture.backend.answersInOrder
    for (const call of slowCalls) fixture.backend.hold(call)
    fixture.backend.holdsDeliveries = !this.#inOrder
    for (const index of users.keys()) this.#open(index)
  }

  async take(next: Step): Promise<void> {
    const { backend } = this.#fixture
    if (next.type === 'answer') backend.release(next.call, 1)
    else if (next.type === 'deliver') backend.deliverHeld(1)
    else if (next.type === 'publish') await this.#publish(next.channel, this.#clients[next.who])
    else if (next.type === 'open') this.#open(next.who)
    else this.#act(next)
    await settle()
    for (const client of this.#clients) client?.observe()
  }

  /** Everything under way arrives; then all views are equal and complete, and when everybody has left nothing is left. */
  async end(): Promise<void> {
    const { backend } = this.#fixture
    for (const call of slowCalls) backend.release(call)
    await settle()
    backend.holdsDeliveries = false
    backend.deliverHeld()
    await settle()
    for (const client of this.#clients) {
      client?.observe()
      client?.expectComplete()
      for (const [name, { members }] of client?.sessions ?? []) {
        if (members === undefined) continue
        const stored = await backend.presence.userIds(`3/${name}`)
        expect([...members].sort()).toEqual([...stored].sort())
      }
    }
    await this.#leave()
  }

  async #leave(): Promise<void> {
    const { backend } = this.#fixture
    for (const client of this.#clients) client?.client.close()
    await settle()
    expect(this.#fixture.leftovers()).toEqual(nothingLeft)
    expect(await backend.budget.connections('3')).toBe(0)
    expect(await backend.occupancy.list('3', '')).toEqual(new Map())
    for (const name of channels) expect(await backend.presence.count(`3/${name}`)).toBe(0)
    const topics = (call: string) => backend.callsOf(call).length
    expect(topics('broker.unsubscribe')).toBe(topics('broker.subscribe'))
    expect(this.#fixture.logger.lines).toEqual([])
  }

  #open(index: number): void {
    this.#clients[index] ??= new ObservedClient(this.#fixture.connect(), users[index]!)
  }

  #act(next: Extract<Step, { readonly who: number }>): void {
    const client = this.#clients[next.who]
    if (client === undefined) return
    if (next.type === 'close') {
      client.client.close()
      this.#clients[next.who] = undefined
    } else if (next.type === 'subscribe') client.subscribe(next.channel)
    else if (next.type === 'unsubscribe') {
      if (this.#inOrder) client.expectComplete()
      client.unsubscribe(next.channel)
    } else if (next.type === 'client-event' && this.#inOrder) this.#clientEvent(client, next.channel)
  }

  /** Client events overtake what is still under way on the bus (D3), so only a store in order lets them be numbered with the rest. */
  #clientEvent(sender: ObservedClient, name: string): void {
    const accepted = sender.sessions.has(name) && /^(private|presence)-/.test(name)
    if (accepted) this.#expectEvent(name, sender)
    sender.client.send({ event: 'client-e', channel: name, data: this.#published })
    this.#published += 1
  }

  async #publish(name: string, except: ObservedClient | undefined): Promise<void> {
    this.#expectEvent(name, except)
    const number = this.#published
    this.#published += 1
    await this.#fixture.publish(name, String(number), except?.client.id)
  }

  #expectEvent(name: string, except: ObservedClient | undefined): void {
    for (const client of this.#clients) if (client !== except) client?.expectEvent(name, this.#published)
  }
}

describe('random histories of subscribing, leaving and publishing', () => {
  test.each([
    ['a store that answers in order', true],
    ['a store whose answers overtake its messages', false],
  ])('with %s: nothing early, lost, doubled or out of order; nothing left behind', async (_what, answersInOrder) => {
    const app = appSettings({ clientEvents: { enabled: true, perSecond: 10_000 } }, { messagesPerSecond: 0 })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 80 }), async (steps) => {
        const fixture = await NodeFixture.start({ apps: [app], answersInOrder })
        const history = new History(fixture)
        for (const next of steps) await history.take(next)
        await history.end()
      }),
      { numRuns: 250 },
    )
  })
})
