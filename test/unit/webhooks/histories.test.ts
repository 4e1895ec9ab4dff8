import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TransitionType } from '../../../src/core/ports/outbox.js'
import { appSettings, webhookSettings } from '../../fakes/app-settings.js'
import { FakeOutboxStore } from '../../fakes/fake-outbox.js'
import type { PostedEvent } from '../../fakes/fake-poster.js'
import { ManualClock } from '../../fakes/manual-clock.js'
import { pass, WebhooksFixture } from './webhooks-fixture.js'

const leaveDelayMs = 3000

interface Step {
  readonly channel: number
  readonly user: number
  readonly waitMs: number
  /** What else happens: a receiver that fails or hangs for a while, another node, a store that is away. */
  readonly trouble: 'none' | 'fail' | 'hang' | 'well' | 'move' | 'kill' | 'down' | 'up'
}

const step: fc.Arbitrary<Step> = fc.record({
  channel: fc.nat(2),
  user: fc.nat(3),
  waitMs: fc.constantFrom(0, 0, 10, 200, 1000, 2500, 3500),
  trouble: fc.constantFrom('none', 'none', 'none', 'none', 'fail', 'hang', 'well', 'move', 'kill', 'down', 'up'),
})

/** Joins and leaves of users, as the store would append them. */
class Rooms {
  readonly #store: FakeOutboxStore
  readonly rooms = new Map<string, Set<string>>()

  constructor(store: FakeOutboxStore) {
    this.#store = store
  }

  toggle(channel: string, userId: string): void {
    const room = this.rooms.get(channel) ?? new Set()
    this.rooms.set(channel, room)
    if (room.delete(userId)) {
      this.#append('member_removed', channel, userId)
      if (room.size === 0) this.#append('channel_vacated', channel)
      return
    }
    room.add(userId)
    this.#append('member_added', channel, userId)
    if (room.size === 1) this.#append('channel_occupied', channel)
  }

  #append(type: TransitionType, channel: string, userId?: string): void {
    this.#store.append({ type, appId: '1', channel, ...(userId === undefined ? {} : { userId }) })
  }
}

interface Logged {
  readonly id: string
  readonly text: string
  readonly who: string
  readonly leave: boolean
  readonly timeMs: number
}

/** What must be told, by the rule of section 5 over everything that happened: `NAME CHANNEL USER` in the order it is due, by id. */
class Expected {
  readonly #log: Logged[] = []
  #seen = 0

  note({ entries }: FakeOutboxStore): void {
    for (const { id, transition } of entries) {
      const number = Number(id.slice(id.indexOf('-') + 1))
      if (number <= this.#seen) continue
      this.#seen = number
      const { type, channel, userId, timeMs } = transition
      const leave = type === 'member_removed' || type === 'channel_vacated'
      const who = `${channel} ${userId ?? ''}`
      this.#log.push({ id: `0-${id}`, text: `${type} ${who}`, who, leave, timeMs })
    }
  }

  events(): Map<string, string> {
    const held = new Map<string, Logged>()
    const paired = new Set<string>()
    for (const entry of this.#log) {
      const left = held.get(entry.who)
      held.delete(entry.who)
      if (entry.leave) held.set(entry.who, entry)
      else if (left !== undefined && entry.timeMs < left.timeMs + leaveDelayMs) {
        paired.add(left.id)
        paired.add(entry.id)
      }
    }
    const due = (entry: Logged) => entry.timeMs + (entry.leave ? leaveDelayMs : 0)
    const told = this.#log.filter(({ id }) => !paired.has(id))
    told.sort(
      (a, b) => due(a) - due(b) || Number(b.leave) - Number(a.leave) || this.#log.indexOf(a) - this.#log.indexOf(b),
    )
    return new Map(told.map(({ id, text }) => [id, text]))
  }
}

test('whatever fails meanwhile, everything is told that the rule says and nothing else, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
      await plays(steps)
    }),
    { numRuns: 100 },
  )
})

async function plays(steps: readonly Step[]): Promise<void> {
  const clock = new ManualClock()
  const store = new FakeOutboxStore(clock)
  const apps = [
    appSettings({
      id: '1',
      webhooks: [webhookSettings({ leaveDelayMs, batch: { enabled: true, windowMs: 50, max: 3 } })],
    }),
  ]
  const delivered: PostedEvent[] = []
  let mood: Step['trouble'] = 'well'
  const nodes = [new WebhooksFixture(apps, clock, store)]
  const observe = (node: WebhooksFixture): void => {
    node.poster.answer = async ({ body }) => {
      if (mood === 'hang') await new Promise((resolve) => clock.after(5000, () => resolve(undefined)))
      if (mood !== 'well') return false
      delivered.push(...(JSON.parse(body) as { events: PostedEvent[] }).events)
      return true
    }
  }
  observe(nodes[0]!)
  const rooms = new Rooms(store)
  const expected = new Expected()
  for (const { channel, user, waitMs, trouble } of steps) {
    const node = nodes.at(-1)!
    if (trouble === 'fail' || trouble === 'hang' || trouble === 'well') mood = trouble
    if (trouble === 'down') node.outbox.isDown = true
    if (trouble === 'up') node.outbox.isDown = false
    if (trouble === 'move' || trouble === 'kill') {
      const next = new WebhooksFixture(apps, clock, store)
      observe(next)
      nodes.push(next)
      // A node that was killed is not told anything, and its requests come to nothing.
      if (trouble === 'kill') {
        node.poster.answer = () => new Promise<never>(() => undefined)
        await node.webhooks.stop(0)
      }
      store.move(next.outbox, trouble === 'move')
    }
    rooms.toggle(`presence-${channel}`, `u${user}`)
    expected.note(store)
    await pass(clock, waitMs)
  }
  mood = 'well'
  for (const { outbox } of nodes) outbox.isDown = false
  await pass(clock, 45_000)
  const due = expected.events()
  const first = [...new Map(delivered.map((event) => [event.id, textOf(event)]))]
  expect(new Map(first.sort())).toEqual(new Map([...due].sort()))
  for (const channel of rooms.rooms.keys()) {
    const seen = [...new Set(delivered.filter((event) => event.channel === channel).map(({ id }) => id))]
    expect(seen).toEqual([...due].filter(([, text]) => text.split(' ')[1] === channel).map(([id]) => id))
  }
  expect(store.entries).toEqual([])
  expect(nodes.at(-1)!.webhooks.queued).toBe(0)
}

function textOf({ name, channel, user_id: userId }: PostedEvent): string {
  return `${name} ${channel} ${userId ?? ''}`
}
