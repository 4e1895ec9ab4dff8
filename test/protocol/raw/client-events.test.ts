import { beforeAll, afterAll, describe, expect, it } from 'vitest'
import type { RawClient } from '../../harness/raw-client.js'
import { credentials, describeInProcess } from '../../harness/test-server.js'
import { eventText, expectError, framesSoFar } from './expecting.js'
import { ClockedServer, sharedServer } from './shared-server.js'

const malformed = 'Invalid client event (must contain channel and data)'
const disabled = 'To send client events, you must enable this feature in the Settings page of your dashboard.'
const wrongChannel = 'Client event rejected - only supported on private and presence channels'
const notSubscribed = (channel: string) =>
  `Cannot broadcast client event (connection not subscribed to channel ${channel})`
const tooFast = 'Client event rejected due to rate limit'
const closeAll = (...clients: RawClient[]) => clients.forEach((client) => client.close())

describe('client events: who may send (2.6, in the order of its rules)', () => {
  const server = sharedServer({ limits: { eventBytes: 100, eventNameLength: 20 } })
  const off = sharedServer({ clientEvents: { enabled: false } })

  it.each([
    '{"event":"client-a"}',
    '{"event":"client-a","channel":"private-a"}',
    '{"event":"client-a","data":{}}',
    '{"event":"client-a","channel":7,"data":{}}',
    '{"event":"client-a","channel":null,"data":{}}',
    '{"event":"client-a","channel":["private-a"],"data":{}}',
  ])('rule 1: %s is malformed, also where client events are off', async (text) => {
    for (const client of [await server().connect(), await off().connect()]) {
      client.sendText(text)
      await expectError(client, null, malformed)
      await client.expectNothing()
      client.close()
    }
  })

  it('rule 2: switched off, whatever the channel', async () => {
    const client = await off().connect()
    await client.subscribePrivate('private-a', credentials)
    for (const channel of ['private-a', 'public', 'private-not-subscribed']) {
      client.send({ event: 'client-a', channel, data: {} })
      await expectError(client, null, disabled)
    }
    client.close()
  })

  it.each([
    'news',
    'cache-news',
    'private-encrypted-a',
    'private-encrypted-cache-a',
    'private',
    '#server-to-user-1',
    'not valid',
    '',
  ])('rule 3: not on %j, subscribed or not', async (channel) => {
    const client = await server().connect()
    if (channel === 'news' || channel === 'private') await client.subscribe(channel)
    if (channel === 'private-encrypted-a') await client.subscribePrivate(channel, credentials)
    client.send({ event: 'client-a', channel, data: {} })
    await expectError(client, null, wrongChannel)
    await client.expectNothing()
    client.close()
  })

  it('rule 4: only a subscriber, also for an event that is too large', async () => {
    const client = await server().connect()
    for (const channel of ['private-a', 'presence-a', 'private-cache-a']) {
      client.send({ event: 'client-a', channel, data: 'x'.repeat(101) })
      await expectError(client, null, notSubscribed(channel))
    }
    await client.subscribePrivate('private-a', credentials)
    client.send({ event: 'pusher:unsubscribe', data: { channel: 'private-a' } })
    client.send({ event: 'client-a', channel: 'private-a', data: 1 })
    await expectError(client, null, notSubscribed('private-a'))
    client.close()
  })

  it('rule 5: name and data within the limits, in characters and bytes', async () => {
    const [client, other] = await pair(server(), 'private-a')
    const send = (event: string, data: unknown) => client.send({ event, channel: 'private-a', data })
    send(`client-${'x'.repeat(14)}`, 1)
    await expectError(client, 4301, 'Client event rejected: its name has 21 characters, at most 20 are allowed')
    for (const data of ['x'.repeat(101), `${'ü'.repeat(50)}x`, ['x'.repeat(97)]]) {
      send('client-a', data)
      await expectError(client, 4301, 'Client event rejected: its data has 101 bytes, at most 100 are allowed')
    }
    send(`client-${'x'.repeat(13)}`, 'ü'.repeat(50))
    send('client-a', ['x'.repeat(96)])
    expect((await other.next()).text).toBe(eventText(`client-${'x'.repeat(13)}`, 'private-a', 'ü'.repeat(50)))
    expect((await other.next()).text).toBe(eventText('client-a', 'private-a', `["${'x'.repeat(96)}"]`))
    await client.expectNothing()
    closeAll(client, other)
  })

  it('rule 6: above 10 per second a connection is told 4301 and the event dropped; the others are not held back', async () => {
    const [client, other] = await pair(server(), 'private-a')
    for (let index = 0; index < 12; index += 1) client.send({ event: 'client-n', channel: 'private-a', data: index })
    await expectError(client, 4301, tooFast)
    await expectError(client, 4301, tooFast)
    other.send({ event: 'client-b', channel: 'private-a', data: 1 })
    expect((await client.next()).text).toBe(eventText('client-b', 'private-a', '1'))
    const got = await framesSoFar(other)
    expect(got.map((frame) => frame.text)).toEqual(
      Array.from({ length: 10 }, (_, index) => eventText('client-n', 'private-a', String(index))),
    )
    await client.expectNothing()
    closeAll(client, other)
  })
})

describeInProcess('client events by the second (2.6, rule 6)', 'moves its clock', () => {
  let server: ClockedServer
  beforeAll(async () => {
    server = await ClockedServer.start({ clientEvents: { perSecond: 2 } })
  })
  afterAll(() => server.stop())

  it('the rate fills up again', async () => {
    const [client, other] = await pair(server, 'private-a')
    const burst = async (count: number) => {
      for (let index = 0; index < count; index += 1) client.send({ event: 'client-n', channel: 'private-a', data: 0 })
      const refused = (await framesSoFar(client)).length
      return [(await framesSoFar(other)).length, refused]
    }
    expect(await burst(3)).toEqual([2, 1])
    server.clock.advance(500)
    expect(await burst(2)).toEqual([1, 1])
    server.clock.advance(10_000)
    expect(await burst(3)).toEqual([2, 1])
    closeAll(client, other)
  })
})

describe('client events: what arrives (2.6)', () => {
  const server = sharedServer({ clientEvents: { perSecond: 1000 } })

  it.each(['private-a', 'private-cache-a'])(
    'on %s: everyone but the sending connection, without user_id',
    async (channel) => {
      const [client, other] = await pair(server(), channel)
      const outsider = await server().connect()
      await outsider.subscribe('news')
      client.sendText(`{"event":"client-a","channel":"${channel}","data":{"a":1},"user_id":"forged","extra":1}`)
      expect((await other.next()).text).toBe(eventText('client-a', channel, '{"a":1}'))
      for (const each of [client, other, outsider]) await each.expectNothing()
      closeAll(client, other, outsider)
    },
  )

  it.each(['presence-a', 'presence-cache-a'])(
    "on %s: with the sender's own user_id; another tab gets it too",
    async (channel) => {
      const [client, tab, other] = [await server().connect(), await server().connect(), await server().connect()]
      await client.subscribePresence(channel, credentials, 'u"1')
      await tab.subscribePresence(channel, credentials, 'u"1')
      await other.subscribePresence(channel, credentials, 'u2')
      for (const each of [client, tab, other]) await framesSoFar(each)
      client.sendText(`{"event":"client-a","channel":"${channel}","user_id":"forged","data":"d"}`)
      for (const each of [tab, other]) {
        expect((await each.next()).text).toBe(eventText('client-a', channel, 'd', 'u"1'))
        await each.expectNothing()
      }
      await client.expectNothing()
      closeAll(client, tab, other)
    },
  )

  it.each([
    ['a string unchanged', '"plain text"', 'plain text'],
    ['JSON in a string unchanged', '"{\\"a\\": 1.0}"', '{"a": 1.0}'],
    ['an empty string', '""', ''],
    ['number precision', '12345678901234567890.10', '12345678901234567890.10'],
    ['exponents', '1E+2', '1E+2'],
    [
      'key order and spaces',
      '{ "b" : 1.0,  "a":[ 1 , 2 ], "10":1, "9":2 }',
      '{ "b" : 1.0,  "a":[ 1 , 2 ], "10":1, "9":2 }',
    ],
    ['repeated keys', '{"a":1,"a":2}', '{"a":1,"a":2}'],
    ['null', 'null', 'null'],
    ['false', 'false', 'false'],
    ['an empty object', '{}', '{}'],
    ['an array', '[1,"]",{"}":"{"}]', '[1,"]",{"}":"{"}]'],
    ['unicode', '{"ü":"😀 Ω \u2028"}', '{"ü":"😀 Ω \u2028"}'],
    ['escapes as they are written', '{"a":"\\u00fc\\/\\n"}', '{"a":"\\u00fc\\/\\n"}'],
    ['a quote behind backslashes', '["\\\\",  "\\\\\\""]', '["\\\\",  "\\\\\\""]'],
    ['__proto__', '{"__proto__":{"x":1}}', '{"__proto__":{"x":1}}'],
    ['64 levels', `${'['.repeat(64)}${']'.repeat(64)}`, `${'['.repeat(64)}${']'.repeat(64)}`],
    ['brackets in strings', `["${'['.repeat(100)}"]`, `["${'['.repeat(100)}"]`],
  ])('data: %s', async (_what, written, expected) => {
    const channel = ownChannel()
    const [client, other] = await pair(server(), channel)
    client.sendText(`{"data": ${written} ,"event":"client-a","channel":"${channel}"}`)
    const frame = await other.next()
    expect(frame.data).toBe(expected)
    expect(Object.keys(frame)).toEqual(['event', 'channel', 'data', 'text'])
    closeAll(client, other)
  })

  it('a lone surrogate in data stays what was written', async () => {
    const channel = ownChannel()
    const [client, other] = await pair(server(), channel)
    client.sendText(`{"event":"client-a","channel":"${channel}","data":{"a":"\\ud800"}}`)
    expect((await other.next()).data).toBe('{"a":"\\ud800"}')
    closeAll(client, other)
  })

  it('the last of repeated data members counts, as for JSON.parse', async () => {
    const channel = ownChannel()
    const [client, other] = await pair(server(), channel)
    client.sendText(`{"event":"client-a","channel":"${channel}","data":1,"d\\u0061ta":{"x":2}}`)
    expect((await other.next()).data).toBe('{"x":2}')
    closeAll(client, other)
  })

  it.each([
    ['65 levels of arrays', `${'['.repeat(65)}${']'.repeat(65)}`],
    ['65 levels of objects', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`],
    ['20 000 levels', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  ])('data: %s are malformed', async (_what, data) => {
    const channel = ownChannel()
    const [client, other] = await pair(server(), channel)
    client.sendText(`{"event":"client-a","channel":"${channel}","data":${data}}`)
    await expectError(client, null, malformed)
    await other.expectNothing()
    closeAll(client, other)
  })

  it('keeps the order of one sender', async () => {
    const channel = ownChannel()
    const [client, other] = await pair(server(), channel)
    for (let index = 0; index < 50; index += 1) client.send({ event: 'client-n', channel, data: index })
    for (let index = 0; index < 50; index += 1) expect((await other.next('client-n')).data).toBe(String(index))
    closeAll(client, other)
  })

  it('any name behind client- is passed on as it is', async () => {
    const channel = ownChannel()
    const [client, other] = await pair(server(), channel)
    for (const event of ['client-', 'client-"ü"', 'client-pusher:ping']) {
      client.send({ event, channel, data: '' })
      expect((await other.next()).text).toBe(eventText(event, channel, ''))
    }
    closeAll(client, other)
  })
})

let channels = 0

/** Another one for each test: between nodes an event may still be on its way to those who subscribe next. */
function ownChannel(): string {
  channels += 1
  return `private-${channels}`
}

async function pair(server: { connect(): Promise<RawClient> }, channel: string): Promise<[RawClient, RawClient]> {
  const clients: [RawClient, RawClient] = [await server.connect(), await server.connect()]
  for (const client of clients) {
    await client.subscribePrivate(channel, credentials)
    await framesSoFar(client)
  }
  return clients
}
