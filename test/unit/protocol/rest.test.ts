import { describe, expect, it } from 'vitest'
import { decodeBatch, decodeChannel, decodeEvent } from '../../../src/protocol/rest.js'
import { Refusal } from '../../../src/protocol/rest-errors.js'
import { Params } from '../../../src/protocol/rest-query.js'

const limits = {
  channelNameLength: 200,
  eventNameLength: 200,
  eventBytes: 1000,
  channelsPerTrigger: 100,
  batchEvents: 10,
}
const noParams = new Params([], [])
const base = { name: 'n', data: 'd', channel: 'a' }

function decode(body: unknown, some: Partial<typeof limits> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return decodeEvent(Buffer.from(text), noParams, { ...limits, ...some })
}

function batch(body: unknown) {
  return decodeBatch(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), limits)
}

describe('fields of an event (4.3)', () => {
  it.each([
    ['not JSON', '{', 400, 'Invalid body: it is not JSON. Send a JSON object.'],
    ['a byte order mark', '\ufeff{}', 400, 'Invalid body: it is not JSON. Send a JSON object.'],
    ['null', 'null', 400, 'Invalid body: it must be a JSON object.'],
    ['a list', '[]', 400, 'Invalid body: it must be a JSON object.'],
    ['no name', { ...base, name: undefined }, 400, 'Missing required parameter: name'],
    ['name null', { ...base, name: null }, 400, 'Missing required parameter: name'],
    ['an empty name', { ...base, name: '' }, 400, 'Missing required parameter: name'],
    ['a number as name', { ...base, name: 1 }, 400, 'Invalid parameter: name must be a string'],
    ['a list as name', { ...base, name: ['n'] }, 400, 'Invalid parameter: name must be a string'],
    ['a long name', { ...base, name: 'x'.repeat(201) }, 400, 'Event name too long (201 > 200 characters)'],
    ['no data', { ...base, data: undefined }, 400, 'Missing required parameter: data'],
    ['no channel', { ...base, channel: undefined }, 400, 'Missing required parameter: channel'],
    ['channel null', { ...base, channel: null, channels: null }, 400, 'Missing required parameter: channel'],
    ['a list as channel', { ...base, channel: ['a'] }, 400, 'Invalid parameter: channel must be a string'],
    ['an object as channel', { ...base, channel: {} }, 400, 'Invalid parameter: channel must be a string'],
    ['no channels', { ...base, channels: [] }, 400, 'Invalid parameter: channels is empty. Name at least one channel.'],
    ['a string as channels', { ...base, channels: 'a' }, 400, 'Invalid parameter: channels must be a list of strings'],
    [
      'an object as channels',
      { ...base, channels: { length: 1, 0: 'a' } },
      400,
      'Invalid parameter: channels must be a list of strings',
    ],
    [
      'null in channels',
      { ...base, channels: ['a', null] },
      400,
      'Invalid parameter: channels must be a list of strings',
    ],
    [
      '101 channels',
      { ...base, channels: Array(101).fill('a') },
      400,
      'Too many channels (101 > 100). Split the trigger.',
    ],
    ['a bad channel', { ...base, channels: ['a', 'b c'] }, 400, /^Invalid channel name "b c": only letters/],
    ['an empty channel', { ...base, channel: '' }, 400, /^Invalid channel name ""/],
    ['a # channel', { ...base, channel: '#x' }, 400, /^Invalid channel name "#x"/],
    ['a user channel of nobody', { ...base, channel: '#server-to-user-' }, 400, /^Invalid channel name/],
    ['a long channel', { ...base, channel: 'a'.repeat(201) }, 400, 'Channel name too long (201 > 200 characters)'],
    ['a number as socket_id', { ...base, socket_id: 1.2 }, 400, 'Invalid parameter: socket_id must be a string'],
    ['an empty socket_id', { ...base, socket_id: '' }, 400, /^Invalid socket_id ""/],
    ['a list as info', { ...base, info: ['user_count'] }, 400, 'Invalid parameter: info must be a string'],
    [
      'an unknown attribute',
      { ...base, info: 'user_count,x' },
      400,
      /^info should be a comma separated list of attributes, but "x"/,
    ],
  ])('%s', (_, body, status, text) => {
    const result = decode(body)
    expect(result).toBeInstanceOf(Refusal)
    expect(result).toMatchObject({ status, text: typeof text === 'string' ? text : expect.stringMatching(text) })
  })

  it.each(['pusher:ping', 'pusher:', 'pusher_internal:member_added'])('the reserved name %s is refused', (name) => {
    expect(decode({ ...base, name })).toMatchObject({ status: 400 })
  })

  it.each(['pusher', 'my-pusher:x', 'client-x', 'Pusher:x', '__proto__', 'ü\u0000', 'x'.repeat(200)])(
    'the name %j is free',
    (name) => {
      expect(decode({ ...base, name })).toMatchObject({ name })
    },
  )

  it.each(['a.b', '1.', '.1', '1', '1.2.3', '1.2\n', ' 1.2', '1,2', '-1.2', '١.٢'])(
    'trap 16: socket_id %j is refused',
    (socketId) => {
      expect(decode({ ...base, socket_id: socketId })).toMatchObject({ status: 400 })
    },
  )

  it.each([
    [null, undefined],
    [undefined, undefined],
    ['0.0', '0.0'],
    ['8589934592.8589934591', '8589934592.8589934591'],
  ])('socket_id %j excludes %j', (given, socketId) => {
    expect(decode({ ...base, socket_id: given })).toMatchObject({ socketId })
  })

  it('a user channel may be longer than the limit for names, and channels win over channel', () => {
    const channel = `#server-to-user-${'u'.repeat(200)}`
    expect(decode({ ...base, channel })).toMatchObject({ channels: [channel] })
    expect(decode({ ...base, channels: ['x'], channel: 'y' })).toMatchObject({ channels: ['x'] })
  })

  it('__proto__ is a channel like any other, and no way to set a field', () => {
    expect(decode({ ...base, channel: '__proto__' })).toMatchObject({ channels: ['__proto__'] })
    expect(decode('{"__proto__":{"name":"n","data":"d","channel":"a"}}')).toMatchObject({
      text: 'Missing required parameter: name',
    })
    expect(decode('{"name":"n","data":"d","channel":"a","constructor":{"prototype":{"x":1}}}')).toMatchObject({
      name: 'n',
    })
  })

  it('of repeated fields the last counts, for a slice too', () => {
    expect(decode('{"name":"x","name":"n","data":1,"data":[ 2 ],"channel":"a"}')).toMatchObject({
      name: 'n',
      data: '[ 2 ]',
    })
  })
})

describe('data', () => {
  it.each([['{"b":1, "a":12345678901234567890}'], ['[1,\t2]'], ['1.10'], ['true'], ['null'], ['{"__proto__":1}']])(
    '%s, no string, becomes its exact text',
    (text) => {
      expect(decode(`{"name":"n","channel":"a","data" : ${text} }`)).toMatchObject({ data: text })
      expect(
        batch(`{"batch":[{"name":"n","channel":"a","data":"x"},{"data" : ${text} ,"name":"n","channel":"a"}]}`),
      ).toMatchObject([{ data: 'x' }, { data: text }])
    },
  )

  it.each(['', 'plain', '"quoted"', '{"a": 1}', 'ü\u0000\ud83d\ude00', '\ud800'])(
    'the string %j stays as it is',
    (data) => {
      expect(decode({ ...base, data })).toMatchObject({ data })
    },
  )

  it.each([
    ['x'.repeat(1000), true],
    ['x'.repeat(1001), false],
    ['ü'.repeat(500), true],
    ['ü'.repeat(501), false],
    ['€'.repeat(333), true],
    ['€'.repeat(334), false],
    ['😀'.repeat(250), true],
    ['😀'.repeat(251), false],
  ])('is measured in bytes of UTF-8: %#', (data, fits) => {
    expect(decode({ ...base, data }) instanceof Refusal).toBe(!fits)
  })

  it('measures the exact text of what is no string', () => {
    expect(decode(`{"name":"n","channel":"a","data":[${' '.repeat(999)}]}`)).toMatchObject({ status: 413 })
    expect(decode(`{"name":"n","channel":"a","data":[${' '.repeat(998)}]}`)).toMatchObject({ name: 'n' })
  })

  it('413 says the limit and never repeats the data', () => {
    const result = decode({ ...base, data: 'SECRET'.repeat(500) })
    expect(result).toMatchObject({
      status: 413,
      text: expect.stringMatching(/^The data content of this event exceeds the allowed maximum \(1000 bytes\)\. /),
    })
    expect(JSON.stringify(result)).not.toContain('SECRET')
  })

  it('50 000 levels are passed on, or refused for their size; never a fault', () => {
    const deep = `${'['.repeat(50_000)}1${']'.repeat(50_000)}`
    expect(decode(`{"name":"n","channel":"a","data":${deep}}`, { eventBytes: 200_000 })).toMatchObject({ data: deep })
    expect(decode(`{"name":"n","channel":"a","data":${deep}}`)).toMatchObject({ status: 413 })
    expect(decode(deep)).toMatchObject({ status: 400 })
    expect(decode(deep.slice(0, 60_000))).toMatchObject({ status: 400 })
  })
})

describe('fields in the query (4.2)', () => {
  const query = (pairs: readonly (readonly [string, string])[]) =>
    decodeEvent(
      Buffer.alloc(0),
      new Params(
        pairs.map(([name]) => name),
        pairs.map(([, value]) => value),
      ),
      limits,
    )

  it('lists are repeated names ending in []', () => {
    const pairs = [
      ['name', 'n'],
      ['channels[]', 'b'],
      ['data', ''],
      ['channels[]', 'a'],
      ['info', 'user_count'],
    ] as const
    expect(query(pairs)).toMatchObject({ channels: ['b', 'a'], data: '', info: { userCount: true } })
  })

  it('channels without [] is no list', () => {
    expect(
      query([
        ['name', 'n'],
        ['data', 'd'],
        ['channels', 'a'],
      ]),
    ).toMatchObject({ status: 400 })
  })

  it('are not looked at when there is a body', () => {
    const params = new Params(['name'], ['n'])
    expect(decodeEvent(Buffer.from('{"data":"d","channel":"a"}'), params, limits)).toMatchObject({ status: 400 })
  })
})

describe('batches (4.4)', () => {
  it.each([
    ['{}', 'Missing required parameter: batch'],
    ['{"batch":null}', 'Missing required parameter: batch'],
    ['{"batch":{}}', 'Invalid parameter: batch must be a list of events'],
    ['{"batch":[null]}', 'Invalid parameter: batch[0] must be an object'],
    ['{"batch":[[]]}', 'Invalid parameter: batch[0] must be an object'],
    ['{"batch":[{"name":"n","data":"d","channels":["a"]}]}', 'Missing required parameter: channel'],
    ['{"batch":[{"name":"n","data":"d","channel":["a"]}]}', 'Invalid parameter: channel must be a string'],
    ['{"batch":[{"name":"n","channel":"a"}]}', 'Missing required parameter: data'],
    [`{"batch":[${Array(11).fill('1').join()}]}`, 'Batch too large (11 > 10)'],
    ['', 'Invalid body: it is not JSON. Send a JSON object.'],
  ])('%s', (body, text) => {
    expect(batch(body)).toMatchObject({ status: 400, text })
  })
})

describe('decodeChannel', () => {
  it.each([
    ['presence-x', { presence: true }],
    ['#server-to-user-1', { auth: 'user' }],
    ['a-zA-Z0-9_-=@,.;', { auth: 'none' }],
  ])('%s', (name, traits) => {
    expect(decodeChannel(name, 200)).toMatchObject(traits)
  })
})
