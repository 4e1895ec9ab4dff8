import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isReply } from '../../src/http/reply.js'
import { Route } from '../../src/http/router.js'
import { parseChannelName } from '../../src/protocol/channel-name.js'
import { decodeBatch, decodeEvent, type RestEvent } from '../../src/protocol/rest.js'
import { Refusal } from '../../src/protocol/rest-errors.js'
import { Params, parseQuery } from '../../src/protocol/rest-query.js'
import { appKey as key } from '../fakes/app-settings.js'
import { RestFixture, sign, vectorTimestamp } from '../unit/http/rest-fixture.js'

const numRuns = Number(process.env['BELFRY_TEST_FUZZ_RUNS'] ?? 100_000)
const limits = { channelNameLength: 20, eventNameLength: 20, eventBytes: 40, channelsPerTrigger: 3, batchEvents: 3 }
const noParams = new Params([], [])

/** What tends to break decoders, as JSON text. */
const hostileValue = fc.constantFrom(
  'null',
  'true',
  '0',
  '-1e999',
  '12345678901234567890',
  '""',
  '"a"',
  '"pusher:x"',
  '"client-x"',
  '"__proto__"',
  '"1.2"',
  '"\\ud800"',
  '"\\u0000"',
  '"ü€😀"',
  '"a,b"',
  '"user_count"',
  '"user_count,subscription_count"',
  '[]',
  '{}',
  '["a"]',
  '["a","a","b"]',
  '["a","b","c","d"]',
  '[null]',
  '[["a"]]',
  '{"length":1,"0":"a"}',
  '{"__proto__":{}}',
  '"#server-to-user-1"',
  '"#x"',
  '"presence-a"',
  '"aaaaaaaaaaaaaaaaaaaaa"',
  '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"',
  '{ "b" : [1,{"data":"}"}] }',
  '[[[[[[[[[[]]]]]]]]]]',
)
const fieldName = fc.constantFrom(
  '"name"',
  '"data"',
  '"channel"',
  '"channels"',
  '"socket_id"',
  '"info"',
  '"d\\u0061ta"',
  '"__proto__"',
  '"batch"',
  '"x"',
)
const plausible = fc.constantFrom(
  '"name":"n"',
  '"data":"d"',
  '"channel":"a"',
  '"channels":["a","b"]',
  '"socket_id":"1.2"',
  '"name":"n","data":{"a":1},"channel":"b"',
)
const member = fc.oneof(
  plausible,
  fc.tuple(fieldName, hostileValue).map(([name, value]) => `${name}:${value}`),
)
const object = fc.array(member, { maxLength: 6 }).map((members) => `{${members.join(' , ')}}`)
const jsonish = fc
  .array(fc.constantFrom(...Array.from('{}[]":,\\ \nu0ad'), '"data"', '"batch":[', '"name":"n",', '\ud800'), {
    maxLength: 20,
  })
  .map((pieces) => pieces.join(''))

describe('event decoders', () => {
  it('decodeEvent: every body gives a valid event or one line of refusal', () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: object }, jsonish), (text) => {
        expectEvent(decodeEvent(Buffer.from(text), noParams, limits), () => dataOf(JSON.parse(text)))
      }),
      { numRuns },
    )
  })

  it('decodeEvent: any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        const result = decodeEvent(Buffer.from(bytes), noParams, limits)
        if (!(result instanceof Refusal)) throw new Error('an event out of random bytes')
      }),
      { numRuns },
    )
  })

  it('decodeBatch: every body gives valid events or one line of refusal', () => {
    const batch = fc.array(fc.oneof({ weight: 6, arbitrary: object }, hostileValue), { maxLength: 4 })
    fc.assert(
      fc.property(
        fc.oneof({ weight: 6, arbitrary: batch.map((events) => `{"batch": [${events.join(' ,')}]}`) }, object, jsonish),
        (text) => {
          const result = decodeBatch(Buffer.from(text), limits)
          if (result instanceof Refusal) {
            expectRefusal(result)
            return
          }
          const { batch: sent } = JSON.parse(text) as { batch: unknown[] }
          if (result.length !== sent.length) throw new Error('events were lost')
          for (const [index, event] of result.entries()) expectEvent(event, () => dataOf(sent[index]))
        },
      ),
      { numRuns },
    )
  })

  it('decodeEvent from the query', () => {
    const name = fc.constantFrom('name', 'data', 'channel', 'channels', 'channels[]', 'socket_id', 'info', '__proto__')
    const value = fc.constantFrom(
      '',
      'n',
      'a',
      '#x',
      '1.2',
      'user_count',
      ',',
      '__proto__',
      'x'.repeat(50),
      'ü'.repeat(21),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 7 }), (pairs) => {
        const params = new Params(
          pairs.map(([one]) => one),
          pairs.map(([, one]) => one),
        )
        expectEvent(decodeEvent(Buffer.alloc(0), params, limits), () => params.get('data'))
      }),
      { numRuns },
    )
  })
})

describe('the query', () => {
  const queryText = fc
    .array(
      fc.constantFrom(
        'a',
        'b',
        'B',
        'c[]',
        '=',
        '&',
        '&',
        '%',
        '+',
        '%41',
        '%c3%bc',
        '%ff',
        '%5',
        'auth_signature',
        '__proto__',
        '1',
      ),
      { maxLength: 16 },
    )
    .map((pieces) => pieces.join(''))

  it('is canonicalised as a plain reading of 4.1 does it', () => {
    fc.assert(
      fc.property(queryText, (text) => {
        const query = parseQuery(text)
        const model = plainReading(text)
        if (query.signed !== model.decoded) throw new Error(`${query.signed} is not ${model.decoded}`)
        if ((query.raw?.signed ?? query.signed) !== model.raw)
          throw new Error(`${query.raw?.signed ?? ''} is not ${model.raw}`)
        if ((query.duplicate !== undefined) !== model.repeats)
          throw new Error('a repeated name was not seen, or one that is not')
      }),
      { numRuns },
    )
  })

  it('signs the same in any order of different names', () => {
    const names = [
      'auth_key',
      'auth_timestamp',
      'auth_version',
      'body_md5',
      'auth_signature',
      'info',
      'Filter_By_Prefix',
    ]
    fc.assert(
      fc.property(fc.shuffledSubarray(names), fc.constantFrom('x', 'a+b', '%41', ''), (order, value) => {
        const sorted = [...order].map((name) => name.toLowerCase()).sort()
        const one = parseQuery(order.map((name) => `${name}=${value}`).join('&'))
        const other = parseQuery(sorted.map((name) => `${name}=${value}`).join('&'))
        if (one.signed !== other.signed || one.raw?.signed !== other.raw?.signed) throw new Error('the order mattered')
      }),
      { numRuns },
    )
  })
})

describe('the entrance', () => {
  const segment = fc.constantFrom(
    '/',
    '/apps',
    '/3',
    '/events',
    '/channels',
    '/users',
    '/a',
    '/%zz',
    '/__proto__',
    '/terminate_connections',
    '%2F',
    '\u0000',
  )
  const path = fc.array(segment, { maxLength: 6 }).map((pieces) => pieces.join(''))
  const pair = fc.constantFrom(
    `auth_key=${key}`,
    'auth_key=x',
    'auth_version=1.0',
    `auth_timestamp=${vectorTimestamp}`,
    'auth_timestamp=1e9',
    'auth_signature=%',
    'x=%ff',
    '&',
    'info',
  )

  it('any path and query give a route or a refusal; without the secret nothing is admitted', () => {
    const { router } = new RestFixture()
    fc.assert(
      fc.property(
        fc.constantFrom('GET', 'POST', 'PUT'),
        path,
        fc.array(pair, { maxLength: 6 }),
        (method, target, pairs) => {
          const route = router.route(method, target)
          const reply = route instanceof Route ? route.authenticate(method, target, pairs.join('&')) : route
          if (!isReply(reply)) throw new Error('admitted without a signature')
          if (reply.status < 400 || reply.status > 405 || !/^[^\n]+\n$/.test(reply.body)) throw new Error(reply.body)
        },
      ),
      { numRuns },
    )
  })

  it('what is signed is admitted, however values are escaped and parameters ordered', () => {
    const { router } = new RestFixture()
    const value = fc.string({ unit: fc.constantFrom('a', ' ', 'ü', '/', '%', '1', '😀'), maxLength: 6 })
    fc.assert(
      fc.property(value, value, fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }), (one, other, order) => {
        const pairs: [string, string][] = [
          ['auth_key', key],
          ['auth_timestamp', String(vectorTimestamp)],
          ['auth_version', '1.0'],
          ['info', one],
          ['x', other],
        ]
        const signed = pairs.map(([name, text]) => `${name}=${text}`).join('&')
        pairs.push(['auth_signature', sign(`GET\n/apps/3/channels\n${signed}`)])
        const query = order.map((index) => (pairs[index] ?? []).map(encodeURIComponent).join('=')).join('&')
        const route = router.route('GET', '/apps/3/channels')
        const admitted = route instanceof Route ? route.authenticate('GET', '/apps/3/channels', query) : route
        if (isReply(admitted)) throw new Error(admitted.body)
        if (admitted.params.get('info') !== one) throw new Error('another value than was signed')
      }),
      { numRuns },
    )
  })
})

it('the generators reach events, not only refusals', () => {
  const results = fc
    .sample(object, { numRuns: 2000, seed: 1 })
    .map((text) => decodeEvent(Buffer.from(text), noParams, limits))
  expect(results.filter((result) => !(result instanceof Refusal)).length).toBeGreaterThan(100)
})

function expectRefusal(refusal: Refusal): void {
  if (![400, 413].includes(refusal.status) || !/^[^\n]+$/.test(refusal.text))
    throw new Error(`${refusal.status} ${refusal.text}`)
}

/** @param sentData the data as a plain JSON.parse sees it */
function expectEvent(event: RestEvent | Refusal, sentData: () => unknown): void {
  if (event instanceof Refusal) {
    expectRefusal(event)
    return
  }
  const { name, channels, data, socketId } = event
  const problems = [
    name.length === 0 || name.length > limits.eventNameLength || name.startsWith('pusher:'),
    channels.length === 0 || channels.length > limits.channelsPerTrigger || new Set(channels).size !== channels.length,
    channels.some((channel) => parseChannelName(channel) === undefined),
    Buffer.byteLength(data) > limits.eventBytes,
    socketId !== undefined && !/^\d+\.\d+$/.test(socketId),
  ]
  if (problems.includes(true)) throw new Error(`invalid: ${JSON.stringify(event)}`)
  const sent = sentData()
  const same = typeof sent === 'string' ? data === sent : JSON.stringify(JSON.parse(data)) === JSON.stringify(sent)
  if (!same) throw new Error(`data is ${data}`)
}

function dataOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, 'data')?.value : undefined
}

/** 4.1 word by word, without a thought for speed. */
function plainReading(text: string): { decoded: string; raw: string; repeats: boolean } {
  const pairs = text
    .split('&')
    .filter((piece) => piece.length > 0)
    .map((piece) => /^([^=]*)=?(.*)$/s.exec(piece) ?? ['', '', ''])
    .map(([, name = '', value = '']) => ({ name: decodedPlainly(name).toLowerCase(), value }))
  const sorted = pairs.toSorted((one, other) => (one.name === other.name ? 0 : one.name < other.name ? -1 : 1))
  const signed = sorted.filter(({ name }) => name !== 'auth_signature')
  const counts = countNames(pairs.map(({ name }) => name))
  return {
    decoded: signed.map(({ name, value }) => `${name}=${decodedPlainly(value)}`).join('&'),
    raw: signed.map(({ name, value }) => `${name}=${value}`).join('&'),
    repeats: [...counts].some(([name, count]) => count > 1 && !name.endsWith('[]')),
  }
}

/** Byte by byte; for ASCII text only. */
function decodedPlainly(text: string): string {
  const bytes: number[] = []
  for (let at = 0; at < text.length; at += 1) {
    const digits = text.slice(at + 1, at + 3)
    if (text[at] === '%' && /^[0-9a-f]{2}$/i.test(digits)) {
      bytes.push(parseInt(digits, 16))
      at += 2
    } else bytes.push(text[at] === '+' ? 0x20 : text.charCodeAt(at))
  }
  return Buffer.from(bytes).toString()
}

function countNames(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
