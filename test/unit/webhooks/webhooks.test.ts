import { expect, test } from 'vitest'
import { HmacKey } from '../../../src/protocol/signature.js'
import { nodeBytesMax, QueueSpace, receiverBytesMax } from '../../../src/webhooks/queue-space.js'
import { appKey, appSecret, appSettings, webhookSettings } from '../../fakes/app-settings.js'
import { FakeOutbox, FakeOutboxStore } from '../../fakes/fake-outbox.js'
import { ManualClock } from '../../fakes/manual-clock.js'
import { pass, WebhooksFixture } from './webhooks-fixture.js'

const app = (...webhooks: Parameters<typeof webhookSettings>[0][]) =>
  appSettings({ id: '1', webhooks: webhooks.map((one) => webhookSettings(one)) })

const occupied = (channel: string) => ({ type: 'channel_occupied', appId: '1', channel }) as const
const vacated = (channel: string) => ({ type: 'channel_vacated', appId: '1', channel }) as const
const added = (userId: string) => ({ type: 'member_added', appId: '1', channel: 'presence-a', userId }) as const
const removed = (userId: string) => ({ type: 'member_removed', appId: '1', channel: 'presence-a', userId }) as const

test('a transition is posted signed, with an id and the exact headers', async () => {
  const { store, poster, clock, pass } = bound(new WebhooksFixture([app({ headers: { 'X-Own': 'yes' } })]))
  store.append(occupied('my-channel'))
  await pass(100)
  expect(poster.posted).toHaveLength(1)
  const { request, timeMs, events } = poster.posted[0]!
  expect(events).toEqual([{ name: 'channel_occupied', channel: 'my-channel', id: '0-1700000000000-1' }])
  expect(timeMs).toBeGreaterThan(1_700_000_000_000)
  expect(timeMs).toBeLessThanOrEqual(clock.nowMs())
  const delivery = request.headers['X-Belfry-Delivery']
  expect(delivery).toMatch(/^[0-9a-f]{32}$/)
  expect(request.headers).toEqual({
    'User-Agent': 'Belfry',
    'X-Own': 'yes',
    'Content-Type': 'application/json',
    'X-Pusher-Key': appKey,
    'X-Pusher-Signature': new HmacKey(appSecret).sign(request.body),
    'X-Belfry-Delivery': delivery,
  })
})

test('events are gathered for the window, at most so many', async () => {
  const { store, poster, pass } = bound(new WebhooksFixture([app({ batch: { enabled: true, windowMs: 200, max: 3 } })]))
  for (const name of ['a', 'b', 'c', 'd', 'e']) store.append(occupied(name))
  await pass(100)
  expect(poster.posted.map(({ events }) => events.map(({ channel }) => channel))).toEqual([['a', 'b', 'c']])
  await pass(200)
  expect(poster.posted.map(({ events }) => events.length)).toEqual([3, 2])
})

test('without batching each event has its own request', async () => {
  const { store, poster, pass } = bound(
    new WebhooksFixture([app({ batch: { enabled: false, windowMs: 200, max: 100 } })]),
  )
  for (const name of ['a', 'b', 'c']) store.append(occupied(name))
  await pass(50)
  expect(poster.posted.map(({ events }) => events.map(({ channel }) => channel))).toEqual([['a'], ['b'], ['c']])
})

test('a leave and a return in time send neither; a leave alone is sent after the delay, a late return after it', async () => {
  const fixture = new WebhooksFixture([
    app({ events: ['member_removed'] }, { events: ['member_added'], url: 'https://other.test/' }),
  ])
  const { store, pass, poster } = bound(fixture)
  store.append(removed('ann'))
  await pass(1000)
  store.append(added('ann'))
  await pass(5000)
  expect(fixture.told).toEqual([])
  store.append(removed('ann'))
  await pass(4000)
  store.append(added('ann'))
  await pass(4000)
  expect(poster.posted.map(({ url, events }) => [url, events[0]!.name])).toEqual([
    ['https://receiver.test/hook', 'member_removed'],
    ['https://other.test/', 'member_added'],
  ])
})

test('the pairing rule holds for a URL that is told only one of the two', async () => {
  const fixture = new WebhooksFixture([
    app({ events: ['member_removed'] }, { events: ['member_added'], url: 'https://other.test/' }),
  ])
  const { store, pass, poster } = bound(fixture)
  store.append(removed('ann'))
  await pass(1000)
  store.append(added('ann'))
  await pass(5000)
  expect(fixture.told).toEqual([])
  store.append(removed('ann'))
  await pass(4000)
  store.append(added('ann'))
  await pass(4000)
  expect(poster.posted.map(({ url, events }) => [url, events[0]!.name])).toEqual([
    ['https://receiver.test/hook', 'member_removed'],
    ['https://other.test/', 'member_added'],
  ])
})

test('a subscription count is no return', async () => {
  const fixture = new WebhooksFixture([app({})])
  const { store, pass } = bound(fixture)
  store.append(vacated('a'))
  store.append({ type: 'subscription_count', appId: '1', channel: 'a', count: 0 })
  await pass(4000)
  expect(fixture.told).toEqual(['subscription_count a', 'channel_vacated a'])
})

test('filters: events, prefix and suffix; leaveDelayMs 0 does not wait', async () => {
  const fixture = new WebhooksFixture([
    app(
      { url: 'https://a.test/', events: ['channel_vacated'], leaveDelayMs: 0 },
      { url: 'https://b.test/', channelPrefix: 'private-', channelSuffix: '-x', events: ['channel_occupied'] },
    ),
  ])
  const { store, pass, poster } = bound(fixture)
  for (const name of ['private-1-x', 'private-1', 'a-x']) store.append(occupied(name))
  store.append(vacated('a-x'))
  await pass(200)
  expect(poster.posted.map(({ url, events }) => [url, ...events.map(({ channel }) => channel)]).sort()).toEqual([
    ['https://a.test/', 'a-x'],
    ['https://b.test/', 'private-1-x'],
  ])
})

test('a failed request is sent again with the same ids, a new time, signature and delivery, later and later', async () => {
  const fixture = new WebhooksFixture([app({})])
  const { store, pass, poster } = bound(fixture)
  poster.answer = () => poster.posted.length >= 4
  store.append(occupied('a'))
  await pass(10_000)
  expect(poster.posted.map(({ delivered }) => delivered)).toEqual([false, false, false, false, true])
  expect(new Set(poster.posted.map(({ events }) => events[0]!.id)).size).toBe(1)
  expect(new Set(poster.posted.map(({ request }) => request.headers['X-Pusher-Signature'])).size).toBe(5)
  expect(new Set(poster.posted.map(({ request }) => request.headers['X-Belfry-Delivery'])).size).toBe(5)
  const gaps = poster.posted.slice(1).map(({ timeMs }, index) => timeMs - poster.posted[index]!.timeMs)
  for (const [index, gap] of gaps.entries()) {
    expect(gap).toBeGreaterThanOrEqual(250 * 2 ** index)
    expect(gap).toBeLessThanOrEqual(500 * 2 ** index + 20)
  }
  expect(fixture.counters('1')).toEqual({ delivered: 1, retried: 4, given_up: 0, dropped: 0, paired: 0 })
})

test('what is under way holds up its own channels only', async () => {
  const fixture = new WebhooksFixture([app({ batch: { enabled: false, windowMs: 1, max: 1 } })])
  const { store, pass, poster } = bound(fixture)
  poster.answer = ({ body }) =>
    !body.includes('"name":"channel_occupied","channel":"a"') || fixture.clock.monotonicMs() > 3000
  store.append(occupied('a'))
  store.append({ type: 'subscription_count', appId: '1', channel: 'a', count: 2 })
  store.append({ type: 'subscription_count', appId: '1', channel: 'a', count: 3 })
  store.append(occupied('b'))
  await pass(1000)
  expect(fixture.told).toEqual(['channel_occupied b'])
  await pass(6000)
  expect(poster.events.map((event) => event.subscription_count ?? event.channel)).toEqual(['b', 'a', 2, 3])
})

test('an event is given up after retryForMs, counted and logged once', async () => {
  const fixture = new WebhooksFixture([app({ retryForMs: 20_000 })])
  const { store, pass, poster, logger } = bound(fixture)
  poster.answer = () => false
  store.append(occupied('a'))
  await pass(60_000)
  expect(fixture.counters('1')).toMatchObject({ delivered: 0, given_up: 1 })
  expect(poster.posted.at(-1)!.timeMs - 1_700_000_000_000).toBeLessThanOrEqual(20_000)
  expect(poster.posted.length).toBeGreaterThan(4)
  expect(logger.messages.filter((message) => message.includes('given up'))).toHaveLength(1)
  expect(fixture.webhooks.queued).toBe(0)
})

test('a receiver that hangs delays nobody else and takes no more than its share of memory', async () => {
  const fixture = new WebhooksFixture([
    app({ url: 'https://dead.test/' }, { url: 'https://alive.test/' }),
    appSettings({
      id: '2',
      keys: [{ key: 'k2', secret: 's2' }],
      webhooks: [webhookSettings({ url: 'https://other.test/' })],
    }),
  ])
  const { pass, poster } = bound(fixture)
  poster.answer = ({ url }) => (url.host === 'dead.test' ? new Promise<never>(() => undefined) : true)
  const notice = { channel: 'private-a', event: 'client-x', socketId: '1.1', userId: undefined }
  const dataLiteral = `"${'x'.repeat(100_000)}"`
  const [one, two] = [fixture.registry.byId('1')!, fixture.registry.byId('2')!]
  for (let index = 0; index < 1000; index += 1) {
    fixture.webhooks.clientEvent(one, { ...notice, channel: `private-${index}`, dataLiteral })
    if (index % 100 === 0) await pass(100)
  }
  fixture.webhooks.clientEvent(two, { ...notice, dataLiteral })
  await pass(500)
  const delivered = poster.posted.map(({ url, events }) => ({ url, events: events.length }))
  const of = (url: string) => delivered.filter((one) => one.url === url).reduce((sum, { events }) => sum + events, 0)
  expect(of('https://alive.test/')).toBe(1000)
  expect(of('https://other.test/')).toBe(1)
  const kept = Math.floor(receiverBytesMax / 100_000)
  expect(fixture.webhooks.queued).toBeGreaterThan(kept * 0.95)
  expect(fixture.webhooks.queued).toBeLessThanOrEqual(kept + 1)
  expect(fixture.counters('1').dropped).toBe(1000 - fixture.webhooks.queued)
})

test('the memory of a node is shared out among the receivers that need some', () => {
  const space = new QueueSpace()
  space.enter()
  expect(space.limit).toBe(receiverBytesMax)
  for (let index = 1; index < 16; index += 1) space.enter()
  expect(space.limit).toBe(nodeBytesMax / 16)
  for (let index = 16; index < 1000; index += 1) space.enter()
  expect(space.limit).toBe(1024 * 1024)
  for (let index = 1; index < 1000; index += 1) space.leave()
  expect(space.limit).toBe(receiverBytesMax)
})

test('a node that takes over begins where its predecessor was, per receiver', async () => {
  const clock = new ManualClock()
  const store = new FakeOutboxStore(clock)
  const apps = [app({ url: 'https://dead.test/' }, { url: 'https://alive.test/' })]
  const first = new WebhooksFixture(apps, clock, store)
  const second = new WebhooksFixture(apps, clock, store)
  first.poster.answer = ({ url }) => url.host === 'alive.test'
  store.append(occupied('a'))
  store.append(removed('ann'))
  store.append(occupied('b'))
  await pass(clock, 2500)
  expect(first.told).toEqual(['channel_occupied a', 'channel_occupied b'])
  // It dies without a word; what it noted is at most a second old.
  store.move(second.outbox, false)
  await pass(clock, 200)
  store.append(added('ann'))
  await pass(clock, 5000)
  const told = (host: string) =>
    second.poster.posted
      .filter(({ url }) => url.includes(host))
      .flatMap(({ events }) => events.map((event) => event.channel))
  expect(told('dead.test')).toEqual(['a', 'b'])
  // Behind the held leave the order is not noted, so that b comes once more, with its id.
  expect(told('alive.test')).toEqual(['b'])
  expect(second.poster.posted.flatMap(({ events }) => events).filter(({ name }) => name.startsWith('member'))).toEqual(
    [],
  )
  expect(store.entries).toEqual([])
})

test('a node that lost a partition leaves what it has not sent to the other', async () => {
  const clock = new ManualClock()
  const store = new FakeOutboxStore(clock)
  const first = new WebhooksFixture([app({})], clock, store)
  const second = new WebhooksFixture([app({})], clock, store)
  store.append(removed('ann'))
  store.append(vacated('presence-a'))
  await pass(clock, 1000)
  expect(first.webhooks.queued).toBe(2)
  store.move(second.outbox)
  expect(first.webhooks.queued).toBe(0)
  await pass(clock, 4000)
  expect(first.told).toEqual([])
  expect(second.told).toEqual(['member_removed presence-a ann', 'channel_vacated presence-a'])
})

test('data that is lost takes nothing with it that has been read, and what comes after is read', async () => {
  const fixture = new WebhooksFixture([app({})])
  const { store, pass } = bound(fixture)
  store.append(removed('ann'))
  await pass(500)
  store.empty()
  store.append(occupied('b'))
  await pass(5000)
  expect(fixture.told.sort()).toEqual(['channel_occupied b', 'member_removed presence-a ann'])
  expect(store.entries).toEqual([])
})

test('what was read before a loss of the data is sent, also when another node has the partition by then', async () => {
  const fixture = new WebhooksFixture([app({})])
  const { store, pass } = bound(fixture)
  store.append(removed('ann'))
  await pass(500)
  store.empty()
  store.move(new FakeOutbox(store))
  await pass(200)
  expect(fixture.told).toEqual(['member_removed presence-a ann'])
  expect(fixture.webhooks.queued).toBe(0)
})

test('while the store is down nothing is lost', async () => {
  const fixture = new WebhooksFixture([app({})])
  const { store, outbox, pass } = bound(fixture)
  outbox.isDown = true
  store.append(occupied('a'))
  await pass(3000)
  expect(fixture.told).toEqual([])
  outbox.isDown = false
  await pass(3000)
  expect(fixture.told).toEqual(['channel_occupied a'])
  expect(store.entries).toEqual([])
  expect(fixture.logger.at('error')).toEqual([])
})

test('an end in memory sends everything, held leaves too; with a store the rest is left to others', async () => {
  const memory = new WebhooksFixture([app({})], undefined, undefined, false)
  memory.store.append(removed('ann'))
  memory.store.append(occupied('b'))
  const ended = memory.webhooks.stop(10_000)
  await memory.pass(50)
  await ended
  expect(memory.told.sort()).toEqual(['channel_occupied b', 'member_removed presence-a ann'])
  expect(memory.logger.at('warn')).toEqual([])

  const shared = new WebhooksFixture([app({})])
  shared.store.append(occupied('a'))
  await shared.pass(200)
  shared.store.append(removed('ann'))
  await shared.pass(200)
  shared.webhooks.clientEvent(shared.registry.byId('1')!, {
    channel: 'private-c',
    event: 'client-x',
    dataLiteral: '"{}"',
    socketId: '1.1',
    userId: undefined,
  })
  const left = shared.webhooks.stop(10_000)
  await shared.pass(100)
  await left
  expect(shared.told).toEqual(['channel_occupied a', 'client_event private-c'])
  expect(shared.store.owner).toBeUndefined()
  expect(shared.clock.timers).toBe(0)
  const next = new WebhooksFixture([app({})], shared.clock, shared.store)
  await next.pass(4000)
  expect(next.told).toEqual(['member_removed presence-a ann'])
})

test('an end does not wait longer than it may, and says what is lost', async () => {
  const fixture = new WebhooksFixture([app({})], undefined, undefined, false)
  fixture.poster.answer = () => false
  fixture.store.append(occupied('a'))
  const ended = fixture.webhooks.stop(2000)
  await fixture.pass(2500)
  await ended
  expect(fixture.logger.at('warn').at(-1)).toMatchObject({ fields: { events: 1 } })
})

test('changed settings keep what waits; a webhook that is gone takes it along', async () => {
  const fixture = new WebhooksFixture([app({})])
  const { store, pass, poster, registry } = bound(fixture)
  poster.answer = () => false
  store.append(occupied('a'))
  await pass(1000)
  registry.replace([app({ headers: { 'X-New': '1' }, timeoutMs: 7 })])
  poster.answer = () => true
  await pass(2000)
  expect(fixture.told).toEqual(['channel_occupied a'])
  expect(poster.posted.at(-1)!.request).toMatchObject({ timeoutMs: 7, headers: { 'X-New': '1' } })
  poster.answer = () => false
  store.append(occupied('b'))
  await pass(200)
  registry.replace([app({ url: 'https://elsewhere.test/' })])
  poster.answer = () => true
  await pass(5000)
  expect(fixture.told).toEqual(['channel_occupied a'])
  expect(fixture.webhooks.queued).toBe(0)
  expect(fixture.counters('1')).toMatchObject({ delivered: 1, dropped: 1 })
})

test('an idle node neither reads nor notes', async () => {
  const fixture = new WebhooksFixture([app({})])
  const { store, outbox, pass, clock } = bound(fixture)
  store.append(occupied('a'))
  await pass(5000)
  const { reads } = outbox
  const notes = outbox.notes.length
  await pass(10_000)
  expect([outbox.reads, outbox.notes.length]).toEqual([reads, notes])
  expect(clock.timers).toBe(0)
})

test('at most sixteen requests are under way to a receiver', async () => {
  const fixture = new WebhooksFixture([app({ batch: { enabled: false, windowMs: 1, max: 1 } })])
  const { store, pass, poster } = bound(fixture)
  poster.answer = () => new Promise<never>(() => undefined)
  for (let index = 0; index < 100; index += 1) store.append(occupied(`c${index}`))
  await pass(500)
  expect(poster.underWayMost).toBe(16)
  expect(fixture.webhooks.queued).toBe(100)
})

/** The fixture's parts, free to be taken apart. */
function bound(fixture: WebhooksFixture) {
  const { store, poster, clock, logger, outbox, registry } = fixture
  return { store, poster, clock, logger, outbox, registry, pass: (ms: number) => fixture.pass(ms) }
}

test('two fakes of one store tell apart who may note', async () => {
  const store = new FakeOutboxStore(new ManualClock())
  const [one, other] = [new FakeOutbox(store), new FakeOutbox(store)]
  store.move(one)
  await other.done(0, { doneTo: '5-5', readTo: '5-5', behind: new Map() })
  expect(store.progress.doneTo).toBe('')
})

test('an event is not late because a leave waits', async () => {
  const fixture = new WebhooksFixture([app({})])
  const { store, pass } = bound(fixture)
  store.append(removed('ann'))
  await pass(200)
  store.append(occupied('b'))
  await pass(100)
  expect(fixture.told).toEqual(['channel_occupied b'])
})

test('a client event does not overtake what happened in its channel before', async () => {
  const fixture = new WebhooksFixture([app({})], undefined, undefined, false)
  const { store, pass, registry } = bound(fixture)
  const notice = { event: 'client-x', dataLiteral: '"{}"', socketId: '1.1', userId: undefined }
  // A read has just been made, so the next one is a while away.
  store.append(occupied('before'))
  await pass(20)
  store.append(occupied('private-a'))
  fixture.webhooks.clientEvent(registry.byId('1')!, { channel: 'private-a', ...notice })
  fixture.webhooks.cacheMiss(registry.byId('1')!, 'private-a')
  await pass(500)
  expect(fixture.told).toEqual([
    'channel_occupied before',
    'channel_occupied private-a',
    'client_event private-a',
    'cache_miss private-a',
  ])
  await pass(2000)
  expect(fixture.clock.timers).toBe(0)
})
