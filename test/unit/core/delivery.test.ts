import { beforeEach, describe, expect, test } from 'vitest'
import { AppCounters } from '../../../src/core/counters.js'
import { appSettings } from '../../fakes/app-settings.js'
import { NodeFixture, names, nothingLeft, settle } from './node-fixture.js'

let fixture: NodeFixture
beforeEach(async () => {
  fixture = await NodeFixture.start()
})

describe('delivery', () => {
  test('is one native publish, whatever the number of subscribers', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => fixture.subscribed('news')))
    await fixture.publish('news', 'x')
    expect(fixture.fanout.publishes).toBe(1)
    for (const client of clients) expect(client.socket.frames.at(-1)).toBe('{"event":"e","channel":"news","data":"x"}')
  })

  test('skips the excluded connection, and nobody for an unknown or foreign one', async () => {
    const one = await fixture.subscribed('news')
    const two = await fixture.subscribed('news')
    const elsewhere = await fixture.subscribed('other')
    await fixture.publish('news', '1', one.id)
    await fixture.publish('news', '2', '1.1')
    await fixture.publish('news', '3', elsewhere.id)
    expect(one.takeTexts()).toEqual(['e 2', 'e 3'])
    expect(two.takeTexts()).toEqual(['e 1', 'e 2', 'e 3'])
  })

  test('counts what it sends: messages and bytes per receiver, nothing where nobody listens', async () => {
    const one = await fixture.subscribed('news')
    await fixture.subscribed('news')
    const { counters } = one.connection.local
    const { messagesSent, bytesSent } = counters
    await fixture.publish('news', 'é')
    const bytes = Buffer.byteLength('{"event":"e","channel":"news","data":"é"}')
    expect(counters.messagesSent - messagesSent).toBe(2)
    expect(counters.bytesSent - bytesSent).toBe(2 * bytes)
    await fixture.publish('news', 'é', one.id)
    expect(counters.messagesSent - messagesSent).toBe(3)
    await fixture.publish('nobody', 'é')
    expect(counters.messagesSent - messagesSent).toBe(3)
    expect(fixture.fanout.publishes).toBe(2)
  })

  test('counts what comes in', () => {
    const client = fixture.connect()
    const { counters } = client.connection.local
    client.sendText('{"event":"é"}')
    fixture.node.gateway.receiveBinary(client.connection, 7)
    client.sendText('not JSON')
    expect(counters).toMatchObject({ messagesReceived: 2, bytesReceived: 14 + 7 + 8 })
    expect(counters.protocolErrors).toEqual({ malformed: 1, unknown: 1, binary: 1, oversize: 0 })
  })

  test('asks the broker for a topic with the first subscriber, and gives it back with the last', async () => {
    const one = await fixture.subscribed('news')
    const two = await fixture.subscribed('news')
    one.close()
    two.unsubscribe('news')
    await fixture.subscribed('news')
    expect(fixture.backend.calls.filter((call) => call.startsWith('broker.'))).toEqual([
      'broker.subscribe 3/news',
      'broker.unsubscribe 3/news',
      'broker.subscribe 3/news',
    ])
  })

  test('keeps apps apart', async () => {
    const other = appSettings({ id: '__proto__', keys: [{ key: 'k', secret: 's' }] })
    fixture = await NodeFixture.start({ apps: [appSettings(), other] })
    const one = await fixture.subscribed('__proto__')
    const two = fixture.connect({ appKey: 'k' })
    two.subscribe('__proto__')
    await settle()
    two.take()
    await fixture.publish('__proto__', 'of 3')
    await fixture.publish('__proto__', 'of proto', undefined, '__proto__')
    expect(one.takeTexts()).toEqual(['e of 3'])
    expect(two.takeTexts()).toEqual(['e of proto'])
    expect(await fixture.node.api.channels('__proto__', '')).toEqual(new Map([['__proto__', 1]]))
    expect(await fixture.node.api.connections('__proto__')).toBe(1)
  })
})

describe('subscribing (2.3, 2.4)', () => {
  test.each([
    ['a name with a space', 'a b', 'InvalidChannel', 400],
    ['another # channel', '#x', 'InvalidChannel', 400],
    ['no name', '', 'InvalidChannel', 400],
    ['a long name', 'x'.repeat(201), 'LimitReached', 4009],
  ])('%s is refused in both ways', async (_what, channel, type, status) => {
    const client = fixture.connect()
    client.take()
    client.subscribe(channel)
    const [refused, error] = client.take()
    expect(refused).toMatchObject({ event: names.refused, channel })
    expect(JSON.parse(String(refused?.data))).toMatchObject({ type, status })
    expect(error).toMatchObject({ event: names.error, data: { code: null } })
    expect(fixture.node.hub.topics.size).toBe(0)
  })

  test.each([
    ['no auth', undefined, undefined, 'Auth info required to subscribe to private-a'],
    ['a foreign key', 'nope:00', undefined, "Invalid key in subscription auth data: 'nope'"],
    ['a wrong digest', '278d425bdf160c739803:beef', undefined, 'Invalid signature: Expected HMAC SHA256 hex digest of'],
  ])('a private channel with %s is refused, and a corrected retry works', async (_what, auth, data, text) => {
    const client = fixture.connect()
    client.take()
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth, channel_data: data } })
    const [refused, error] = client.take()
    const told = JSON.parse(String(refused?.data)) as { type: string; status: number; error: string }
    expect(told).toMatchObject({ type: 'AuthError', status: 401 })
    expect(told.error).toContain(text)
    expect((error?.data as { message: string }).message).toBe(told.error)
    expect(client.connection.local.counters.authFailures.channel).toBe(1)
    client.subscribe('private-a', 'any text: it is part of what is signed')
    await settle()
    expect(client.takeNames()).toEqual([names.succeeded])
  })

  test.each([
    ['not JSON', 'x', 'AuthError', 401],
    ['no user_id', '{}', 'AuthError', 401],
    ['a long user_id', JSON.stringify({ user_id: 'u'.repeat(129) }), 'LimitReached', 4301],
    ['much user_info', JSON.stringify({ user_id: 'u', user_info: 'x'.repeat(10_240) }), 'LimitReached', 4301],
  ])('a member with %s is refused', async (_what, channelData, type, status) => {
    const client = fixture.connect()
    client.take()
    client.subscribe('presence-a', channelData)
    await settle()
    expect(JSON.parse(String(client.take()[0]?.data))).toMatchObject({ type, status })
    expect(fixture.backend.callsOf('presence.join')).toEqual([])
  })

  test('subscriptions per connection are bounded, joining ones included, and freed by unsubscribing', async () => {
    fixture = await NodeFixture.start({ apps: [appSettings({}, { subscriptionsPerConnection: 2 })] })
    const client = fixture.connect()
    client.take()
    for (const channel of ['a', 'b', 'c']) client.subscribe(channel)
    await settle()
    expect(client.takeNames()).toEqual([names.refused, names.error, names.succeeded, names.succeeded])
    client.unsubscribe('a')
    client.subscribe('c')
    await settle()
    expect(client.takeNames()).toEqual([names.succeeded])
  })

  test('unsubscribing has no answer, and nothing more comes', async () => {
    const client = await fixture.subscribed('news')
    client.unsubscribe('news')
    await fixture.publish('news', 'x')
    expect(client.take()).toEqual([])
    client.unsubscribe('news')
    expect(client.take()).toMatchObject([
      { data: { code: null, message: 'No current subscription to channel news, or subscription in progress' } },
    ])
  })

  test('a member who leaves is not told of itself', async () => {
    const ann = await fixture.member('presence-a', 'ann')
    const bob = await fixture.member('presence-a', 'bob')
    ann.take()
    ann.unsubscribe('presence-a')
    await settle()
    expect(ann.take()).toEqual([])
    expect(bob.takeTexts()).toEqual([`${names.removed} {"user_id":"ann"}`])
    ann.close()
    bob.close()
    expect(fixture.leftovers()).toEqual(nothingLeft)
  })
})

describe('the core as the REST API sees it', () => {
  test('publishes in the order given, each event to each of its channels', async () => {
    const client = await fixture.subscribed('a', 'b')
    const app = fixture.registry.byId('3')!
    await fixture.node.api.publish(app, [
      { name: 'one', channels: ['a', 'b'], data: '1', socketId: undefined },
      { name: 'two"', channels: ['b'], data: 'not "JSON"', socketId: undefined },
    ])
    expect(client.take().map(({ event, channel, data }) => [event, channel, data])).toEqual([
      ['one', 'a', '1'],
      ['one', 'b', '1'],
      ['two"', 'b', 'not "JSON"'],
    ])
    await fixture.node.api.publish(app, [])
  })

  test('rejects when one of many was not confirmed', async () => {
    fixture.backend.fail('broker.publish', 'reject')
    const app = fixture.registry.byId('3')!
    const trigger = { name: 'e', channels: ['a', 'b'], data: '1', socketId: undefined }
    await expect(fixture.node.api.publish(app, [trigger, trigger])).rejects.toThrow()
    await expect(fixture.publish('a', 'x')).rejects.toThrow()
  })

  test('answers what is asked of channels', async () => {
    await fixture.member('presence-a', 'ann')
    await fixture.member('presence-a', 'ann')
    await fixture.publish('cache-a', '{"n":1}')
    const { api } = fixture.node
    expect(await api.userCount('3', 'presence-a')).toBe(1)
    expect(await api.userCounts('3')).toEqual(new Map([['presence-a', 1]]))
    expect(await api.userIds('3', 'presence-a')).toEqual(['ann'])
    expect(await api.subscriptionCount('3', 'presence-a')).toBe(2)
    expect(await api.cached('3', 'cache-a')).toEqual({ data: '{"n":1}', ttl: 1800 })
    fixture.clock.advance(1500)
    expect((await api.cached('3', 'cache-a'))?.ttl).toBe(1799)
    expect(await api.cached('3', 'cache-b')).toBeNull()
    expect(await api.connections('3')).toBe(2)
  })

  test('takes from the rate the app has', () => {
    const app = {
      ...fixture.registry.byId('3')!,
      limits: { ...appSettings().limits, triggersPerSecond: 2, readsPerSecond: 1 },
    }
    const { api } = fixture.node
    expect([api.takeBudget(app, 'triggers', 2), api.takeBudget(app, 'triggers', 1)]).toEqual([true, false])
    expect([api.takeBudget(app, 'reads', 1), api.takeBudget(app, 'reads', 1)]).toEqual([true, false])
  })
})

test('disconnections are counted by our codes; a client cannot make labels', () => {
  const counters = new AppCounters()
  for (const code of [1000, 1000, 4200, 4999, 3000, 0, -1, Number.NaN]) counters.countDisconnection(code)
  expect([...counters.disconnections]).toEqual([
    ['1000', 2],
    ['4200', 1],
    ['other', 5],
  ])
})
