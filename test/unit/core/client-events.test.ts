import { beforeEach, describe, expect, test } from 'vitest'
import { appSettings } from '../../fakes/app-settings.js'
import { NodeFixture, names, settle, type Client } from './node-fixture.js'

describe('client events (2.6)', () => {
  let fixture: NodeFixture
  beforeEach(async () => {
    fixture = await NodeFixture.start({ apps: [appSettings({}, { eventNameLength: 20, eventBytes: 100 })] })
  })

  async function subscribed(channel: string): Promise<Client> {
    const client = fixture.connect()
    client.subscribe(channel)
    await settle()
    client.take()
    return client
  }

  const event = (channel: string, data: unknown = 'x', name = 'client-e') => ({ event: name, channel, data })

  test('reach everybody else, also other connections of the user, and go to the other nodes', async () => {
    const ann = await fixture.member('presence-a', 'ann')
    const tab = await fixture.member('presence-a', 'ann')
    const bob = await fixture.member('presence-a', 'bob')
    for (const client of [ann, tab, bob]) client.take()
    ann.send({ ...event('presence-a', { a: 1.0 }), user_id: 'forged' })
    const frame = '{"event":"client-e","channel":"presence-a","data":"{\\"a\\":1}","user_id":"ann"}'
    expect(tab.socket.frames.at(-1)).toBe(frame)
    expect(bob.socket.frames.at(-1)).toBe(frame)
    expect(ann.take()).toEqual([])
    expect(fixture.backend.callsOf('broker.relay')).toEqual(['broker.relay 3/presence-a'])
    expect(fixture.backend.callsOf('broker.publish')).toEqual([])
  })

  test('say no user on private channels, and are not cached', async () => {
    const one = await subscribed('private-cache-a')
    const two = await subscribed('private-cache-a')
    one.send(event('private-cache-a'))
    expect(two.socket.frames.at(-1)).toBe('{"event":"client-e","channel":"private-cache-a","data":"x"}')
    expect(await fixture.node.api.cached('3', 'private-cache-a')).toBeNull()
  })

  test.each([
    ['on a public channel', 'news', event('news'), null, 'only supported on private and presence channels'],
    ['on an encrypted channel', 'private-encrypted-a', event('private-encrypted-a'), null, 'only supported'],
    ['on a channel not subscribed to', 'private-a', event('private-b'), null, 'not subscribed to channel private-b'],
    ['with a long name', 'private-a', event('private-a', 'x', `client-${'e'.repeat(14)}`), 4301, '21 characters'],
    ['with much data', 'private-a', event('private-a', 'é'.repeat(51)), 4301, '102 bytes'],
  ])('%s are refused and reach nobody', async (_what, channel, message, code, text) => {
    const sender = await subscribed(channel)
    const other = await subscribed(channel)
    sender.send(message)
    expect(sender.take()).toMatchObject([
      { event: names.error, data: { code, message: expect.stringContaining(text) as unknown } },
    ])
    expect(other.take()).toEqual([])
    expect(fixture.backend.callsOf('broker.relay')).toEqual([])
    expect(sender.socket.open).toBe(true)
  })

  test('at their limits they pass', async () => {
    const sender = await subscribed('private-a')
    const other = await subscribed('private-a')
    sender.send(event('private-a', 'é'.repeat(50), `client-${'e'.repeat(13)}`))
    expect(other.take()).toHaveLength(1)
  })

  test('can be turned off, which is said before anything else', async () => {
    fixture = await NodeFixture.start({ apps: [appSettings({ clientEvents: { enabled: false, perSecond: 10 } })] })
    const sender = await subscribed('news')
    sender.send(event('news'))
    expect(sender.take()).toMatchObject([
      {
        data: {
          code: null,
          message: 'To send client events, you must enable this feature in the Settings page of your dashboard.',
        },
      },
    ])
  })
})

describe('rate limits', () => {
  test('client events: so many per second and connection, 4301 above, the connection stays', async () => {
    const fixture = await NodeFixture.start({ apps: [appSettings({ clientEvents: { enabled: true, perSecond: 3 } })] })
    const ann = await fixture.member('presence-a', 'ann')
    const bob = await fixture.member('presence-a', 'bob')
    ann.take()
    for (let index = 0; index < 5; index += 1)
      ann.send({ event: 'client-e', channel: 'presence-a', data: String(index) })
    expect(bob.takeTexts()).toEqual(['client-e 0', 'client-e 1', 'client-e 2'])
    expect(ann.take()).toMatchObject([
      { data: { code: 4301, message: 'Client event rejected due to rate limit' } },
      { data: { code: 4301 } },
    ])
    // Another connection has its own.
    bob.send({ event: 'client-e', channel: 'presence-a', data: 'b' })
    expect(ann.takeTexts()).toEqual(['client-e b'])
    fixture.clock.advance(334)
    ann.send({ event: 'client-e', channel: 'presence-a', data: 'later' })
    ann.send({ event: 'client-e', channel: 'presence-a', data: 'too soon' })
    expect(bob.takeTexts()).toEqual(['client-e later'])
    expect(ann.connection.local.counters.rateLimited.client_events).toBe(3)
  })

  test('counted messages: dropped above the limit, told at most once a second', async () => {
    const fixture = await NodeFixture.start({ apps: [appSettings({}, { messagesPerSecond: 5 })] })
    const client = fixture.connect()
    client.take()
    for (let index = 0; index < 50; index += 1) client.send({ event: 'junk' })
    const messages = client.take().map(({ data }) => (data as { code: number | null }).code)
    expect(messages).toEqual([null, null, null, null, null, 4301])
    expect(client.connection.local.counters.rateLimited.messages).toBe(45)
    await fixture.passSeconds(1)
    for (let index = 0; index < 50; index += 1) client.send({ event: 'junk' })
    expect(client.take()).toHaveLength(6)
    expect(client.socket.open).toBe(true)
  })

  test('never count subscribe, unsubscribe, ping and pong', async () => {
    const fixture = await NodeFixture.start({ apps: [appSettings({}, { messagesPerSecond: 1 })] })
    const client = fixture.connect()
    for (let index = 0; index < 300; index += 1) client.subscribe(`c${index}`)
    await settle()
    client.take()
    for (let index = 0; index < 300; index += 1) client.unsubscribe(`c${index}`)
    for (let index = 0; index < 300; index += 1) client.send({ event: 'pusher:ping' })
    for (let index = 0; index < 300; index += 1) client.send({ event: 'pusher:pong' })
    expect(client.takeNames()).toEqual(Array.from({ length: 300 }, () => 'pusher:pong'))
    expect(client.connection.local.counters.rateLimited.messages).toBe(0)
  })

  test('count sign-ins', async () => {
    const fixture = await NodeFixture.start({ apps: [appSettings({}, { messagesPerSecond: 2 })] })
    const client = fixture.connect()
    for (let index = 0; index < 4; index += 1) client.signIn('ann')
    await settle()
    expect(client.received.filter(({ event }) => event === names.signedIn)).toHaveLength(2)
  })

  test('0 is no limit for counted messages, and a changed limit counts at once', async () => {
    const fixture = await NodeFixture.start({ apps: [appSettings({}, { messagesPerSecond: 0 })] })
    const client = fixture.connect()
    client.take()
    for (let index = 0; index < 500; index += 1) client.send({ event: 'junk' })
    expect(client.take()).toHaveLength(500)
    fixture.registry.replace([appSettings({}, { messagesPerSecond: 2 })])
    for (let index = 0; index < 500; index += 1) client.send({ event: 'junk' })
    expect(client.take()).toHaveLength(3)
  })

  test('a frame above the message limit closes with 1009', async () => {
    const fixture = await NodeFixture.start()
    const client = fixture.connect()
    client.sendText('x'.repeat(130_001))
    expect(client.socket.ended?.code).toBe(1009)
    expect(client.connection.local.counters.protocolErrors.oversize).toBe(1)
    const other = fixture.connect()
    other.sendText(JSON.stringify({ event: 'pusher:ping', data: 'x'.repeat(129_000) }))
    expect(other.received.at(-1)?.event).toBe('pusher:pong')
  })
})
