import { describe, expect, test } from 'vitest'
import { decodeClientMessage } from '../../../src/protocol/inbound.js'

const decode = (message: unknown) => decodeClientMessage(JSON.stringify(message))

/** What an `invalid` message would be answered with. */
function refusal(text: string): string {
  const message = decodeClientMessage(text)
  if (message.type !== 'invalid') throw new Error(`valid: ${message.type}`)
  expect(message.error.code).toBeNull()
  return `${message.kind}: ${message.error.message}`
}

const malformed = 'malformed: Invalid message: it must be a JSON object with a string event'

describe('frames that are no message', () => {
  test.each([
    '',
    ' ',
    'x',
    '{',
    '[]',
    '[{"event":"pusher:ping"}]',
    'null',
    'true',
    '1',
    '"pusher:ping"',
    '{}',
    '{"event":null}',
    '{"event":1}',
    '{"event":["pusher:ping"]}',
    '{"event":{}}',
    '{"data":{}}',
    '\u0000',
    '{"event":"pusher:ping"}x',
    '\ufeff{"event":"pusher:ping"}',
    '{"__proto__":{"event":"pusher:ping"}}',
    '['.repeat(50_000),
    `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
  ])('%.40s', (text) => {
    expect(refusal(text)).toBe(malformed)
  })

  test.each([
    ['pusher:nonsense', 'pusher:nonsense'],
    ['', ''],
    ['my-event', 'my-event'],
    ['client', 'client'],
    ['Client-x', 'Client-x'],
    ['pusher:Subscribe', 'pusher:Subscribe'],
    ['pusher_internal:subscription_succeeded', 'pusher_internal:subscription_succeeded'],
    ['__proto__', '__proto__'],
    ['x'.repeat(500), `${'x'.repeat(200)}…`],
  ])('the unknown event %.30s', (event, echoed) => {
    expect(refusal(JSON.stringify({ event, data: {} }))).toBe(
      `unknown: Unsupported event received on socket: ${echoed}`,
    )
  })
})

describe('ping and pong', () => {
  test.each([undefined, null, {}, '', '{}', [], 1])('with data %j', (data) => {
    expect(decode({ event: 'pusher:ping', data })).toEqual({ type: 'ping' })
    expect(decode({ event: 'pusher:pong', data })).toEqual({ type: 'pong' })
  })
})

describe('subscribe', () => {
  const channelData = '{"user_id":"u1", "user_info":{"n":1.0}}'

  test.each([
    ['an object', (data: object) => data],
    ['a JSON string', (data: object) => JSON.stringify(data)],
  ])('data as %s', (_what, form) => {
    const data = form({ channel: 'presence-a', auth: 'k:d', channel_data: channelData })
    expect(decode({ event: 'pusher:subscribe', data })).toEqual({
      type: 'subscribe',
      channel: 'presence-a',
      auth: 'k:d',
      channelData,
    })
  })

  test.each([
    ['absent', {}, undefined],
    ['empty', { auth: '' }, undefined],
    ['no text', { auth: { key: 1 } }, undefined],
    ['null', { auth: null }, undefined],
  ])('auth %s is none', (_what, more, auth) => {
    expect(decode({ event: 'pusher:subscribe', data: { channel: 'a', ...more } })).toMatchObject({ auth })
  })

  test.each([
    ['absent', {}, undefined],
    ['null', { channel_data: null }, undefined],
    ['empty, which is signed as such', { channel_data: '' }, ''],
    ['an object, which can fit no signature', { channel_data: { user_id: 'u1' } }, ''],
    ['a number', { channel_data: 1 }, ''],
  ])('channel_data %s', (_what, more, channelDataOf) => {
    expect(decode({ event: 'pusher:subscribe', data: { channel: 'a', ...more } })).toMatchObject({
      channelData: channelDataOf,
    })
  })

  test.each(['', '__proto__', 'a b', '\u0000', 'x'.repeat(10_000)])(
    'any text is a channel to be looked at: %.20j',
    (channel) => {
      expect(decode({ event: 'pusher:subscribe', data: { channel } })).toMatchObject({ type: 'subscribe', channel })
    },
  )

  test.each([
    undefined,
    null,
    [],
    1,
    'x',
    '[]',
    'null',
    {},
    { channel: 1 },
    { channel: null },
    { channel: ['a'] },
    { Channel: 'a' },
  ])('data %j has no channel', (data) => {
    expect(refusal(JSON.stringify({ event: 'pusher:subscribe', data }))).toBe(
      'malformed: Missing parameter: data.channel',
    )
    expect(refusal(JSON.stringify({ event: 'pusher:unsubscribe', data }))).toBe(
      'malformed: Missing parameter: data.channel',
    )
  })

  test('a channel inherited from a prototype is none', () => {
    expect(refusal('{"event":"pusher:subscribe","data":{"__proto__":{"channel":"a"}}}')).toContain('data.channel')
  })
})

test('unsubscribe', () => {
  expect(decode({ event: 'pusher:unsubscribe', data: { channel: 'a' } })).toEqual({ type: 'unsubscribe', channel: 'a' })
  expect(decode({ event: 'pusher:unsubscribe', data: '{"channel":"a"}' })).toEqual({
    type: 'unsubscribe',
    channel: 'a',
  })
})

describe('signin', () => {
  test('takes the texts as they are', () => {
    const userData = '{"id": "ann"}'
    expect(decode({ event: 'pusher:signin', data: { auth: '', user_data: userData } })).toEqual({
      type: 'signin',
      auth: '',
      userData,
    })
  })

  test.each([
    [{}, 'data.auth'],
    [{ user_data: '{}' }, 'data.auth'],
    [{ auth: 1, user_data: '{}' }, 'data.auth'],
    [{ auth: 'k:d' }, 'data.user_data'],
    [{ auth: 'k:d', user_data: { id: 'ann' } }, 'data.user_data'],
  ])('%j lacks something', (data, path) => {
    expect(refusal(JSON.stringify({ event: 'pusher:signin', data }))).toBe(`malformed: Missing parameter: ${path}`)
  })
})

describe('client events (2.6)', () => {
  const literalOf = (text: string) => {
    const message = decodeClientMessage(text)
    if (message.type !== 'client-event') throw new Error(message.type)
    return message
  }

  test('a string passes as the literal that was received', () => {
    const message = literalOf('{"event":"client-x","channel":"private-a","data":"a\\u00e9\\n\\ud800"}')
    expect(message).toMatchObject({ event: 'client-x', channel: 'private-a', dataLiteral: '"a\\u00e9\\n\\ud800"' })
    expect(message.dataBytes).toBe(Buffer.byteLength('aé\n\ud800'))
  })

  test.each([
    ['{ "b" : 1.10, "a":[1e3 , "\\u0041"] }'],
    ['[]'],
    ['1.0'],
    ['12345678901234567890'],
    ['true'],
    ['null'],
    ['{"data":{"data":"inner"}}'],
    ['{"__proto__":1}'],
  ])('anything else passes as the exact slice: %s', (slice) => {
    const message = literalOf(`{"event":"client-x","data":${slice},"channel":"private-a"}`)
    expect(JSON.parse(message.dataLiteral)).toBe(slice)
    expect(message.dataBytes).toBe(Buffer.byteLength(slice))
  })

  test('of a repeated data the last one counts, as everywhere in JSON', () => {
    expect(literalOf('{"event":"client-x","channel":"a","data":1,"data":{"x":2}}').dataLiteral).toBe('"{\\"x\\":2}"')
  })

  test('a user_id the client sends is dropped', () => {
    expect(literalOf('{"event":"client-x","channel":"a","data":1,"user_id":"forged"}')).toEqual({
      type: 'client-event',
      event: 'client-x',
      channel: 'a',
      dataLiteral: '"1"',
      dataBytes: 1,
    })
  })

  test.each([
    '{"event":"client-x","channel":"a"}',
    '{"event":"client-x","data":1}',
    '{"event":"client-x","channel":1,"data":1}',
    '{"event":"client-x","channel":null,"data":1}',
    '{"event":"client-x","channel":["a"],"data":1}',
    '{"event":"client-x"}',
  ])('%s is malformed', (text) => {
    expect(refusal(text)).toBe('malformed: Invalid client event (must contain channel and data)')
  })

  test('64 levels of data are allowed, 65 are malformed; brackets in strings are no levels', () => {
    const nested = (levels: number) =>
      `{"event":"client-x","channel":"a","data":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect(literalOf(nested(64)).type).toBe('client-event')
    expect(refusal(nested(65))).toContain('Invalid client event')
    expect(refusal(nested(50_000))).toContain('Invalid client event')
    expect(literalOf(`{"event":"client-x","channel":"a","data":"${'['.repeat(100)}"}`).type).toBe('client-event')
  })
})
