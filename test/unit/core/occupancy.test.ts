import { describe, expect, test } from 'vitest'
import { appSettings } from '../../fakes/app-settings.js'
import { NodeFixture, names, settle, type Client } from './node-fixture.js'

describe('occupancy', () => {
  test('every change reaches the store at once, with the number that is true now', async () => {
    const fixture = await NodeFixture.start()
    const one = await fixture.subscribed('news')
    const two = await fixture.subscribed('news')
    one.unsubscribe('news')
    two.close()
    expect(fixture.backend.callsOf('occupancy.set')).toEqual(
      [1, 2, 1, 0].map((count) => `occupancy.set 3/news ${count}`),
    )
    await fixture.subscribed('news')
    expect(await fixture.node.api.subscriptionCount('3', 'news')).toBe(1)
  })

  test('counts what was told to be subscribed, not what is joining', async () => {
    const fixture = await NodeFixture.start()
    fixture.backend.hold('broker.subscribe')
    const client = fixture.connect()
    client.subscribe('news')
    await settle()
    expect(fixture.backend.callsOf('occupancy.set')).toEqual([])
    client.unsubscribe('news')
    fixture.backend.release('broker.subscribe')
    await settle()
    expect(fixture.backend.callsOf('occupancy.set')).toEqual([])
  })

  test('internal channels are told to nobody', async () => {
    const fixture = await NodeFixture.start()
    const client = fixture.connect()
    client.signIn('ann', ['bob'])
    client.subscribe('#server-to-user-ann')
    await settle()
    expect(client.connection.subscriptions?.get('#server-to-user-ann')?.state).toBe('active')
    client.close()
    await settle()
    expect(fixture.backend.callsOf('occupancy.set')).toEqual([])
    expect(await fixture.node.api.channels('3', '')).toEqual(new Map())
  })
})

describe('subscription_count (2.10)', () => {
  const counting = () => NodeFixture.start({ apps: [appSettings({ subscriptionCount: { enabled: true } })] })
  const countsOf = (client: Client) =>
    client
      .take()
      .filter(({ event }) => event === names.count)
      .map(({ data }) => (JSON.parse(String(data)) as { subscription_count: number }).subscription_count)

  /** Subscribers of other nodes come and go. */
  const total = (fixture: NodeFixture, count: number, topic = '3/news') => fixture.backend.sink.counted(topic, count)

  test('every change is told in its order, whichever node made it', async () => {
    const fixture = await counting()
    const client = await fixture.subscribed('news')
    for (const count of [7, 8, 2, 8]) total(fixture, count)
    expect(countsOf(client)).toEqual([7, 8, 2, 8])
  })

  test('one native publish tells all subscribers', async () => {
    const fixture = await counting()
    for (let index = 0; index < 5; index += 1) await fixture.subscribed('news')
    const before = fixture.fanout.publishes
    total(fixture, 9)
    expect(fixture.fanout.publishes).toBe(before + 1)
  })

  test('whoever is joining is told after the success, and its own count last', async () => {
    const fixture = await counting()
    const one = await fixture.subscribed('cache-a')
    fixture.backend.hold('cache.get')
    const two = fixture.connect()
    two.take()
    two.subscribe('cache-a')
    await settle()
    total(fixture, 5, '3/cache-a')
    expect(countsOf(one)).toEqual([5])
    expect(two.take()).toEqual([])
    fixture.backend.release('cache.get')
    await settle()
    expect(two.take().map(({ event, data }) => [event, data])).toEqual([
      [names.succeeded, '{}'],
      [names.miss, '{}'],
      [names.count, '{"subscription_count":5}'],
      [names.count, '{"subscription_count":2}'],
    ])
  })

  test('what comes for a channel without subscribers, or that has no counts, is told to nobody', async () => {
    const fixture = await counting()
    const client = fixture.connect()
    client.signIn('ann')
    client.joinPresence('presence-a', 'ann')
    client.subscribe('#server-to-user-ann')
    await settle()
    client.take()
    for (const channel of ['presence-a', '#server-to-user-ann', 'elsewhere']) total(fixture, 3, `3/${channel}`)
    total(fixture, 3, 'unknown/news')
    expect(client.take()).toEqual([])
    const off = await NodeFixture.start()
    const other = await off.subscribed('news')
    total(off, 3)
    expect(other.take()).toEqual([])
  })

  async function crowd(fixture: NodeFixture, size: number): Promise<Client[]> {
    const clients: Client[] = []
    for (let index = 0; index < size; index += 1) {
      const client = fixture.connect()
      client.subscribe('news')
      await settle()
      clients.push(client)
    }
    return clients
  }

  test('is off unless the app wants it', async () => {
    const fixture = await NodeFixture.start()
    const client = fixture.connect()
    client.subscribe('news')
    await settle()
    expect(countsOf(client)).toEqual([])
  })

  test('is told to all after every subscribe and unsubscribe, after the success', async () => {
    const fixture = await counting()
    const one = fixture.connect()
    one.take()
    one.subscribe('news')
    await settle()
    expect(one.take()).toMatchObject([
      { event: names.succeeded },
      { event: names.count, channel: 'news', data: '{"subscription_count":1}' },
    ])
    const two = fixture.connect()
    two.subscribe('news')
    await settle()
    expect(countsOf(one)).toEqual([2])
    expect(countsOf(two)).toEqual([2])
    two.close()
    await settle()
    expect(countsOf(one)).toEqual([1])
  })

  test('comes after the cached event', async () => {
    const fixture = await counting()
    await fixture.publish('cache-a', 'kept')
    const client = fixture.connect()
    client.take()
    client.subscribe('cache-a')
    await settle()
    expect(client.takeNames()).toEqual([names.succeeded, 'e', names.count])
  })

  test('is not told on presence channels, nor the count 0', async () => {
    const fixture = await counting()
    const member = fixture.connect()
    member.joinPresence('presence-a', 'ann')
    await settle()
    expect(countsOf(member)).toEqual([])
    const client = await fixture.subscribed('news')
    total(fixture, 0)
    expect(countsOf(client)).toEqual([])
  })

  test('above 100 is told at most once per 5 s, and only when it changed', async () => {
    const fixture = await counting()
    const clients = await crowd(fixture, 101)
    const watcher = clients[0]!
    expect(countsOf(watcher)).toEqual(Array.from({ length: 101 }, (_none, index) => index + 1))
    // The 101st opened a window.
    const more = await crowd(fixture, 3)
    expect(countsOf(watcher)).toEqual([])
    await fixture.passSeconds(4)
    expect(countsOf(watcher)).toEqual([])
    await fixture.passSeconds(1)
    expect(countsOf(watcher)).toEqual([104])
    // The same number again at the end of the next window: nothing to tell.
    more[0]?.close()
    await settle()
    await crowd(fixture, 1)
    await fixture.passSeconds(5)
    expect(countsOf(watcher)).toEqual([])
    await fixture.passSeconds(20)
    expect(countsOf(watcher)).toEqual([])
    // A change after a quiet time is told at once.
    more[1]?.close()
    await settle()
    expect(countsOf(watcher)).toEqual([103])
  })

  test('below the mark every change is told again', async () => {
    const fixture = await counting()
    const clients = await crowd(fixture, 102)
    const watcher = clients[0]!
    countsOf(watcher)
    clients[1]?.close()
    await settle()
    expect(countsOf(watcher)).toEqual([])
    clients[2]?.close()
    await settle()
    clients[3]?.close()
    await settle()
    expect(countsOf(watcher)).toEqual([100, 99])
    await fixture.passSeconds(6)
    expect(countsOf(watcher)).toEqual([])
  })

  test('its timers end with the channel window, and with the node', async () => {
    const fixture = await counting()
    const idle = fixture.clock.timers
    const clients = await crowd(fixture, 101)
    expect(fixture.clock.timers).toBe(idle + 1)
    for (const client of clients) client.close()
    await settle()
    await fixture.passSeconds(6)
    expect(fixture.clock.timers).toBe(idle)
    const again = await crowd(fixture, 110)
    for (const client of again) client.close()
    await fixture.stop()
    await settle()
    expect(fixture.clock.timers).toBe(0)
  })

  test('the same count again is told below the mark only, where it is for who is new', async () => {
    const fixture = await counting()
    const client = await fixture.subscribed('news')
    for (const count of [50, 50, 150]) total(fixture, count)
    await fixture.passSeconds(6)
    total(fixture, 150)
    expect(countsOf(client)).toEqual([50, 50, 150])
    total(fixture, 151)
    expect(countsOf(client)).toEqual([151])
  })

  test('who subscribes while a count is held back is told it at the end of the window', async () => {
    const fixture = await counting()
    const one = await fixture.subscribed('news')
    total(fixture, 200)
    one.close()
    const two = await fixture.subscribed('news')
    total(fixture, 200)
    expect(countsOf(two)).toEqual([])
    await fixture.passSeconds(5)
    expect(countsOf(two)).toEqual([200])
  })

  test('a count that cannot be told is logged, not thrown, also at the end of a window', async () => {
    const fixture = await counting()
    const client = await fixture.subscribed('news')
    total(fixture, 200)
    total(fixture, 201)
    fixture.fanout.publishError = new Error('the fan-out fails')
    await fixture.passSeconds(5)
    total(fixture, 3)
    expect(client.socket.open).toBe(true)
    expect(fixture.logger.at('error')).toHaveLength(2)
  })

  test('a count that cannot be stored is logged, not thrown', async () => {
    const fixture = await counting()
    fixture.backend.fail('occupancy.set', 'reject')
    const client = fixture.connect()
    client.subscribe('news')
    await settle()
    expect(client.socket.open).toBe(true)
    expect(fixture.logger.at('warn')).toHaveLength(1)
  })

  test('after the end of a node nobody is told, and no timer starts', async () => {
    const fixture = await counting()
    const client = await fixture.subscribed('news')
    await fixture.stop()
    total(fixture, 200)
    expect(countsOf(client)).toEqual([])
    expect(fixture.clock.timers).toBe(0)
  })
})
