import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.js'
import { credentials } from '../../harness/test-server.js'
import { errorText, eventText, expectError, framesSoFar, metricOf } from './expecting.js'
import { sharedServer } from './shared-server.js'

const notAnEvent = 'Invalid message: it must be a JSON object with a string event'
const tooMany = (limit: number) => `Message rejected due to rate limit: at most ${limit} per second are allowed`

describe('frames nobody can use (1.5, 1.6)', () => {
  const server = sharedServer()

  it.each([
    '',
    'hello',
    '{',
    'null',
    '0',
    '"pusher:ping"',
    '[]',
    '[{"event":"pusher:ping"}]',
    '{}',
    '{"data":{}}',
    '{"event":1}',
    '{"event":null}',
    '{"event":{}}',
    '{"event":["pusher:ping"]}',
    '['.repeat(50_000),
    `{"event":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    '{"event":"pusher:ping"}{"event":"pusher:ping"}',
    '{"__proto__":{"event":"pusher:ping"}}',
  ])('answers %.40s with pusher:error and stays', async (text) => {
    const client = await server().connect()
    client.sendText(text)
    await expectError(client, null, notAnEvent)
    await client.expectNothing()
    client.close()
  })

  it.each([
    'pusher:unknown',
    'pusher:connection_established',
    'pusher_internal:subscription_succeeded',
    'my-event',
    '',
  ])('answers the unknown event "%s" with pusher:error and stays', async (event) => {
    const client = await server().connect()
    client.send({ event, channel: 'news', data: {} })
    await expectError(client, null, `Unsupported event received on socket: ${event}`)
    await client.expectNothing()
    client.close()
  })

  it.each([
    ['pusher:subscribe', undefined, 'data.channel'],
    ['pusher:subscribe', {}, 'data.channel'],
    ['pusher:subscribe', { channel: 7 }, 'data.channel'],
    ['pusher:subscribe', ['news'], 'data.channel'],
    ['pusher:subscribe', 'news', 'data.channel'],
    ['pusher:subscribe', null, 'data.channel'],
    ['pusher:unsubscribe', {}, 'data.channel'],
    ['pusher:unsubscribe', undefined, 'data.channel'],
    ['pusher:signin', {}, 'data.auth'],
    ['pusher:signin', { auth: 'x:y' }, 'data.user_data'],
    ['pusher:signin', { auth: 'x:y', user_data: { id: '1' } }, 'data.user_data'],
    ['pusher:signin', undefined, 'data.auth'],
  ])('%s with data %j: Missing parameter', async (event, data, path) => {
    const client = await server().connect()
    client.send({ event, data })
    await expectError(client, null, `Missing parameter: ${path}`)
    await client.expectNothing()
    client.close()
  })

  it('accepts the data of pusher: events as an object and as the JSON text of one', async () => {
    const client = await server().connect()
    client.send({ event: 'pusher:subscribe', data: JSON.stringify({ channel: 'as-text', auth: '' }) })
    await client.next('pusher_internal:subscription_succeeded')
    client.send({ event: 'pusher:unsubscribe', data: '{"channel":"as-text"}' })
    await client.subscribe('as-text')
    client.close()
  })

  it('never repeats more than a piece of a long text, nor anything that breaks the frame', async () => {
    const client = await server().connect()
    client.send({ event: `"\\\n${'x'.repeat(5000)}` })
    const { text } = await client.next('pusher:error')
    expect(text.length).toBeLessThan(400)
    client.close()
  })
})

describe('size and kind of frames (1.5)', () => {
  const server = sharedServer({}, { websocket: { messageBytes: 1000 } })
  const protocolErrors = (kind: string) =>
    metricOf(server().metricsUrl, 'belfry_protocol_errors_total', `app_id="3",kind="${kind}"`)
  const padded = (bytes: number) => {
    const frame = (pad: string) => `{"event":"pusher:ping","data":"${pad}"}`
    return frame('x'.repeat(bytes - frame('').length))
  }

  it('takes a frame of exactly websocket.messageBytes', async () => {
    const client = await server().connect()
    client.sendText(padded(1000))
    await client.next('pusher:pong')
    client.close()
  })

  it.each([1001, 4000])('closes with 1009 after a frame of %d bytes', async (bytes) => {
    const client = await server().connect()
    const before = await protocolErrors('oversize')
    client.sendText(padded(bytes))
    expect(await client.waitForClose()).toEqual({
      code: 1009,
      reason: 'Message too big: at most 1000 bytes are allowed',
    })
    expect(client.unread().map((frame) => frame.text)).toEqual([
      errorText(1009, 'Message too big: at most 1000 bytes are allowed'),
    ])
    expect(await protocolErrors('oversize')).toBe(before + 1)
  })

  it('counts bytes, not characters', async () => {
    const client = await server().connect()
    client.sendText(`{"event":"pusher:ping","data":"${'ü'.repeat(490)}"}`)
    expect((await client.waitForClose()).code).toBe(1009)
  })

  it('cuts the connection beyond four times as much: the peer sees 1006', async () => {
    const client = await server().connect()
    client.sendText(padded(4001))
    expect((await client.waitForClose()).code).toBe(1006)
    expect(client.unread()).toEqual([])
  })

  it('cuts the connection after invalid UTF-8: the peer sees 1006', async () => {
    const client = await server().connect()
    client.socket.send(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), { binary: false })
    expect((await client.waitForClose()).code).toBe(1006)
  })

  it('ignores binary frames and counts them', async () => {
    const client = await server().connect()
    const before = await protocolErrors('binary')
    client.socket.send(Buffer.from('{"event":"pusher:ping","data":{}}'), { binary: true })
    client.socket.send(Buffer.alloc(900), { binary: true })
    await client.expectNothing()
    expect(await protocolErrors('binary')).toBe(before + 2)
    client.close()
  })

  it('puts a message of several fragments together', async () => {
    const client = await server().connect()
    client.socket.send('{"event":"pusher', { fin: false })
    client.socket.send(':ping"}', { fin: true })
    await client.next('pusher:pong')
    client.close()
  })
})

describe('messagesPerSecond (1.5, 9)', () => {
  const server = sharedServer({ limits: { messagesPerSecond: 5 }, clientEvents: { perSecond: 1000 } })
  const unlimited = sharedServer({ limits: { messagesPerSecond: 0 } })

  it('drops what is above, tells it once per second, and the connection stays', async () => {
    const client = await server().connect()
    for (let index = 0; index < 20; index += 1) client.send({ event: `unknown-${index}` })
    const texts = (await framesSoFar(client)).map((frame) => frame.text)
    const refused = texts.filter((text) => text === errorText(4301, tooMany(5)))
    expect(texts.slice(0, 5)).toEqual(
      [0, 1, 2, 3, 4].map((index) => errorText(null, `Unsupported event received on socket: unknown-${index}`)),
    )
    // Two when the second changed in between.
    expect(refused.length).toBeGreaterThanOrEqual(1)
    expect(refused.length).toBeLessThanOrEqual(2)
    await eventually('room again', async () => {
      client.send({ event: 'again' })
      return client.frames.some((frame) => frame.text.includes('received on socket: again'))
    })
    client.close()
  })

  it('counts client events, sign-ins and malformed frames together', async () => {
    const client = await server().connect()
    const other = await server().connect()
    await client.subscribePrivate('private-a', credentials)
    await other.subscribePrivate('private-a', credentials)
    for (const event of ['client-1', 'client-2']) client.send({ event, channel: 'private-a', data: 1 })
    client.signIn({ ...credentials, secret: 'wrong' }, { id: '1' })
    client.signIn({ ...credentials, secret: 'wrong' }, { id: '1' })
    client.sendText('not json')
    for (let index = 0; index < 3; index += 1) {
      client.send({ event: 'client-3', channel: 'private-a', data: 1 })
      client.signIn(credentials, { id: '1' })
      client.sendText('not json')
    }
    for (let index = 0; index < 2; index += 1)
      expect((await client.next('pusher:error')).data).toMatchObject({ code: 4009 })
    await expectError(client, null, notAnEvent)
    await expectError(client, 4301, tooMany(5))
    for (const event of ['client-1', 'client-2']) {
      expect((await other.next()).text).toBe(eventText(event, 'private-a', '1'))
    }
    await other.expectNothing()
    for (const each of [client, other]) each.close()
  })

  it('never counts subscribe, unsubscribe, ping, pong or binary frames', async () => {
    const client = await server().connect()
    for (let index = 0; index < 50; index += 1) {
      client.send({ event: 'pusher:subscribe', data: { channel: `c-${index}` } })
      client.send({ event: 'pusher:unsubscribe', data: { channel: `c-${index}` } })
      client.send({ event: 'pusher:pong', data: {} })
      client.socket.send(Buffer.from([0]), { binary: true })
    }
    for (let index = 0; index < 50; index += 1) client.send({ event: 'pusher:ping', data: {} })
    await eventually('fifty pongs', () => client.frames.filter((frame) => frame.event === 'pusher:pong').length === 50)
    expect(client.frames.filter((frame) => frame.event === 'pusher:error')).toEqual([])
    client.send({ event: 'unknown' })
    await eventually('its own answer', () => client.frames.at(-1)?.text.includes('Unsupported event'))
    client.close()
  })

  it('0 is no limit', async () => {
    const client = await unlimited().connect()
    for (let index = 0; index < 300; index += 1) client.send({ event: 'unknown' })
    for (let index = 0; index < 300; index += 1) {
      await expectError(client, null, 'Unsupported event received on socket: unknown')
    }
    client.close()
  })
})
