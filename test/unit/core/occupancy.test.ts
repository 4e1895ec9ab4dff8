import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../../src/core/ports/broker.js'
import { subscriptionCountFrame } from '../../../src/protocol/outbound.js'
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

  test('a count that was overtaken by one of another node is told again as it is now', async () => {
    const fixture = await counting()
    const { backend } = fixture
    const client = fixture.connect()
    backend.hold('occupancy.set')
    client.subscribe('news')
    await settle()
    // Another node subscribes and tells its count before our store has answered.
    await backend.inner.occupancy.set('3/news', 2)
    await backend.inner.broker.publish('3/news', { frame: subscriptionCountFrame('news', 2) })
    backend.release('occupancy.set')
    await settle()
    expect(countsOf(client)).toEqual([2, 1, 2])
  })

  test('changes that the store takes as one are told once', async () => {
    const fixture = await counting()
    const { backend } = fixture
    const first = fixture.connect()
    first.subscribe('news')
    await settle()
    first.take()
    backend.hold('occupancy.set')
    const clients = [1, 2, 3].map(() => fixture.connect())
    for (const client of clients) client.subscribe('news')
    await settle()
    backend.takesCountsAsOne = true
    backend.release('occupancy.set')
    await settle()
    expect(countsOf(first)).toEqual([4])
  })

  test('a count whose change came from another node arrives by the bus', async () => {
    const fixture = await counting()
    const client = await fixture.subscribed('news')
    await fixture.backend.inner.broker.publish('3/news', { frame: subscriptionCountFrame('news', 7) })
    expect(countsOf(client)).toEqual([7])
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
    const published = fixture.backend.callsOf('broker.publish').length
    client.close()
    await settle()
    expect(fixture.backend.callsOf('broker.publish')).toHaveLength(published)
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
    await fixture.node.stop()
    await settle()
    expect(fixture.clock.timers).toBe(0)
  })

  test('a node that ends tells what it held back, for the subscribers of other nodes', async () => {
    const fixture = await counting()
    const clients = await crowd(fixture, 110)
    for (const client of clients.splice(105)) client.close()
    await settle()
    clients[0]!.take()
    await fixture.node.stop()
    expect(countsOf(clients[0]!)).toEqual([105])
  })

  test('while the bus is down a count that cannot be told is no warning', async () => {
    const fixture = await counting()
    fixture.backend.inner.broker.publish = () => Promise.reject(new BrokerError('down'))
    fixture.connect().subscribe('news')
    await settle()
    expect(fixture.logger.lines.map(({ level }) => level)).toEqual(['debug'])
  })

  test('a count that cannot be published is logged, not thrown', async () => {
    const fixture = await counting()
    fixture.backend.fail('broker.publish', 'reject')
    const client = fixture.connect()
    client.subscribe('news')
    await settle()
    expect(client.socket.open).toBe(true)
    expect(fixture.logger.at('warn')).toHaveLength(1)
  })
})
