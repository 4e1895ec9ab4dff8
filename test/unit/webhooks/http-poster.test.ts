import type { LookupOptions } from 'node:dns'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GuardedLookup } from '../../../src/webhooks/guarded-lookup.js'
import { HttpPoster, type HttpPosterOptions } from '../../../src/webhooks/http-poster.js'
import type { WebhookRequest } from '../../../src/webhooks/poster.js'
import { ManualClock } from '../../fakes/manual-clock.js'

/** What opens no connection; with connections: test/protocol/webhooks/http-poster.test.ts. */
describe('HttpPoster without a network', () => {
  const remedy = 'set allowPrivateNetwork: true for this webhook if it is meant'
  let clock: ManualClock
  let asked: string[]
  let poster: HttpPoster

  beforeEach(() => {
    clock = new ManualClock()
    asked = []
    poster = posterWith({})
  })

  afterEach(() => {
    poster.close()
    expect(clock.timers).toBe(0)
  })

  function posterWith(options: Partial<HttpPosterOptions>): HttpPoster {
    return new HttpPoster({ clock, resolve: silent, ...options })
  }

  function silent(hostname: string): Promise<never> {
    asked.push(hostname)
    return new Promise(() => {})
  }

  function request(url: string, over: Partial<WebhookRequest> = {}): WebhookRequest {
    return { url: new URL(url), headers: {}, body: '{}', timeoutMs: 5000, allowPrivateNetwork: false, ...over }
  }

  test.each([
    ['http://127.0.0.1/', '127.0.0.1 is an address of this machine'],
    ['http://127.0.0.1./', '127.0.0.1 is an address of this machine'],
    ['https://127.1/', '127.0.0.1 is an address of this machine'],
    ['http://2130706433/', '127.0.0.1 is an address of this machine'],
    ['http://0x7f.0.0.1/', '127.0.0.1 is an address of this machine'],
    ['http://0177.0.0.1/', '127.0.0.1 is an address of this machine'],
    ['http://0/', '0.0.0.0 is an address of this machine'],
    ['http://１２７.0.0.1/', '127.0.0.1 is an address of this machine'],
    ['http://[::1]/', '::1 is an address of this machine'],
    ['http://[::]/', ':: is an address of this machine'],
    ['http://[::ffff:127.0.0.1]/', '::ffff:7f00:1 is an address of this machine'],
    ['http://[64:ff9b::10.0.0.1]/', '64:ff9b::a00:1 is an address of a private network'],
    ['http://[2002:7f00:1::]/', '2002:7f00:1:: is an address of this machine'],
    ['http://10.0.0.5:8080/a?b', '10.0.0.5 is an address of a private network'],
    ['http://169.254.169.254/latest/', "169.254.169.254 is an address of a cloud's own services"],
    ['http://[fd00:ec2::254]/', "fd00:ec2::254 is an address of a cloud's own services"],
    ['http://[fe80::1]/', 'fe80::1 is a link-local address'],
    ['http://localhost/', 'localhost is a name of this machine'],
    ['http://LOCALHOST./', 'localhost. is a name of this machine'],
    ['http://a.localhost/', 'a.localhost is a name of this machine'],
  ])('%s is refused without a lookup', async (url, reason) => {
    expect(await poster.post(request(url))).toEqual({ delivered: false, reason: `${reason}: ${remedy}` })
    expect(asked).toEqual([])
  })

  test('a name is refused for what it resolves to', async () => {
    poster = posterWith({ resolve: async () => [{ address: '10.0.0.5' }, { address: '::1' }] })
    const reason = `hooks.example.com is 10.0.0.5, an address of a private network: ${remedy}`
    expect(await poster.post(request('https://u:p@hooks.example.com/x?secret'))).toEqual({ delivered: false, reason })
  })

  test.each([
    ['nothing', async () => [], 'the name hooks.example.com has no address'],
    ['no addresses', async () => [{ address: 'localhost' }], 'the name hooks.example.com has no address'],
    ['an error', () => Promise.reject(coded('ENOTFOUND')), 'the name hooks.example.com does not exist'],
    [
      'a passing error',
      () => Promise.reject(coded('EAI_AGAIN')),
      'the name hooks.example.com cannot be looked up just now',
    ],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a resolver may do worse than it should
    ['no Error', () => Promise.reject(Object.create(null)), 'the request failed'],
    [
      'an exception',
      () => {
        throw coded('secret text')
      },
      'the request failed',
    ],
  ])('a resolver that answers with %s', async (_what, resolve, reason) => {
    poster = posterWith({ resolve })
    expect(await poster.post(request('http://hooks.example.com/'))).toEqual({ delivered: false, reason })
    expect(await poster.post(request('http://hooks.example.com/'))).toEqual({ delivered: false, reason })
  })

  test('a resolver that is silent: the time covers it, and however many wait, it is asked once', async () => {
    const attempts = ['/a', '/b', '/c'].map((path) => poster.post(request(`http://hooks.example.com${path}`)))
    await turn()
    clock.advance(4999)
    const late = poster.post(request('http://hooks.example.com/d'))
    clock.advance(1)
    const expected = { delivered: false, reason: 'no answer within 5000 ms' }
    expect(await Promise.all(attempts)).toEqual([expected, expected, expected])
    clock.advance(4999)
    expect(await late).toEqual(expected)
    expect(asked).toEqual(['hooks.example.com'])
  })

  test.each([
    ['a line break in a header', { headers: { 'X-Secret': 'hush\r\nX-Other: 1' } }],
    ['a name that is none', { headers: { 'X Secret': 'hush' } }],
    ['a character beyond latin1', { headers: { 'X-Secret': 'hush ✓' } }],
  ])('%s is no exception', async (_what, over) => {
    const reason = 'a header of this webhook holds characters that cannot be sent'
    expect(await poster.post(request('http://hooks.example.com/', over))).toEqual({ delivered: false, reason })
  })

  test('another protocol is refused', async () => {
    const reason = 'the address is neither http: nor https:'
    expect(await poster.post(request('ftp://hooks.example.com/'))).toEqual({ delivered: false, reason })
  })

  test('requests under way are bounded, those that wait included', async () => {
    poster = posterWith({ openMax: 2, openPerAddressMax: 1 })
    const first = poster.post(request('http://hooks.example.com/', { timeoutMs: 1000 }))
    const second = poster.post(request('http://hooks.example.com/'))
    const third = await poster.post(request('http://hooks.example.com/'))
    expect(third).toEqual({ delivered: false, reason: '2 webhook requests are under way already' })
    // Whoever has nothing under way is not kept out by others.
    void poster.post(request('http://other.example.com/'))
    clock.advance(1000)
    expect(await first).toEqual({ delivered: false, reason: 'no answer within 1000 ms' })
    await turn()
    expect(asked).toEqual(['hooks.example.com', 'other.example.com'])
    clock.advance(4000)
    expect(await second).toEqual({ delivered: false, reason: 'no answer within 5000 ms' })
  })

  test('close ends what waits for a name and what waits for its turn, and nothing begins after it', async () => {
    poster = posterWith({ openPerAddressMax: 1 })
    const attempts = [1, 2, 3].map(() => poster.post(request('http://hooks.example.com/')))
    await turn()
    poster.close()
    poster.close()
    const expected = { delivered: false, reason: 'the server is stopping' }
    expect(await Promise.all(attempts)).toEqual([expected, expected, expected])
    expect(await poster.post(request('http://hooks.example.com/'))).toEqual(expected)
    await turn()
    expect(asked).toEqual(['hooks.example.com'])
  })
})

describe('GuardedLookup', () => {
  const many = ['10.0.0.1', ...Array.from({ length: 20 }, (_, index) => `8.8.8.${index}`), '2606:4700::1']

  test('gives one address to a caller that wants one, and no more than eight to others', async () => {
    const names = new GuardedLookup(async () => many.map((address) => ({ address })))
    expect(await asked(names, false, {})).toEqual([null, '8.8.8.0', 4])
    expect(await asked(names, true, {})).toEqual([null, '10.0.0.1', 4])
    const eight = many.slice(1, 9).map((address) => ({ address, family: 4 }))
    expect(await asked(names, false, { all: true })).toEqual([null, eight])
  })

  test('asks again once the answer is there', async () => {
    let lookups = 0
    const names = new GuardedLookup(async () => [{ address: `8.8.8.${++lookups}` }])
    const [first, second] = await Promise.all([asked(names, false, {}), asked(names, false, {})])
    expect([first, second, await asked(names, false, {})].map((answer) => answer[1])).toEqual([
      '8.8.8.1',
      '8.8.8.1',
      '8.8.8.2',
    ])
  })

  function asked(names: GuardedLookup, allowPrivateNetwork: boolean, options: LookupOptions): Promise<unknown[]> {
    return new Promise((resolve) => {
      names.lookupFor(allowPrivateNetwork)('hooks.test', options, (...answer) => resolve(answer))
    })
  }
})

function coded(code: string): Error {
  return Object.assign(new Error('with a secret'), { code })
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
