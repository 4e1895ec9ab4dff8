import { describe, expect, test } from 'vitest'
import { ClientAddresses } from '../../../src/transport/uws/client-address.js'

type Headers = readonly (readonly [string, string])[]

/** The two pieces of a uWebSockets request that are asked for; several lines of one name stay several, as there. */
function requestWith(headers: Headers) {
  return {
    getHeader: (name: string) => headers.find(([key]) => key === name)?.[1] ?? '',
    forEach: (callback: (key: string, value: string) => void) => {
      for (const [key, value] of headers) callback(key, value)
    },
  }
}

function identify(addresses: ClientAddresses, peer: string, headers: Headers = [], tls = false) {
  const response = { getRemoteAddressAsText: () => new TextEncoder().encode(peer).buffer }
  // A part of the library's objects: what `identify` uses of them.
  return addresses.identify(
    response as Parameters<ClientAddresses['identify']>[0],
    requestWith(headers) as Parameters<ClientAddresses['identify']>[1],
    tls,
  )
}

const proxies = ['10.0.0.0/8', '192.0.2.9', '2001:db8:1::/48', '::1']
const xff = (...values: string[]): Headers => values.map((value) => ['x-forwarded-for', value] as const)

describe('the address of a client', () => {
  test('is not read when nobody needs it', () => {
    expect(identify(new ClientAddresses([], false), '203.0.113.7')).toEqual({ address: '', secure: false })
    expect(identify(new ClientAddresses([], false), '203.0.113.7', [], true)).toEqual({ address: '', secure: true })
  })

  test.each([
    ['IPv4', '203.0.113.7', '203.0.113.7'],
    ['IPv4 on a dual-stack socket', '0000:0000:0000:0000:0000:ffff:cb00:7107', '203.0.113.7'],
    ['the same, written short', '::ffff:203.0.113.7', '203.0.113.7'],
    ['IPv6', '2001:0db8:0002:0000:0000:0000:0000:0001', '2001:0db8:0002:0000:0000:0000:0000:0001'],
    ['nothing', '', ''],
  ])('without proxies is that of the peer: %s', (_what, peer, address) => {
    expect(identify(new ClientAddresses([], true), peer).address).toBe(address)
  })

  test('a peer that is no trusted proxy is not believed', () => {
    const headers: Headers = [
      ['x-forwarded-for', '1.1.1.1'],
      ['x-forwarded-proto', 'https'],
    ]
    expect(identify(new ClientAddresses([], true), '203.0.113.7', headers)).toEqual({
      address: '203.0.113.7',
      secure: false,
    })
    expect(identify(new ClientAddresses(proxies, false), '203.0.113.7', headers)).toEqual({
      address: '203.0.113.7',
      secure: false,
    })
  })

  test.each([
    ['one hop', xff('203.0.113.7'), '203.0.113.7'],
    ['a claim of the client before it', xff('1.1.1.1, 203.0.113.7'), '203.0.113.7'],
    ['a line of the client before the line of the proxy', xff('1.1.1.1', '203.0.113.7'), '203.0.113.7'],
    ['trusted proxies behind it', xff('1.1.1.1, 203.0.113.7, 10.1.2.3,192.0.2.9'), '203.0.113.7'],
    ['IPv6', xff('2001:db8:2::5'), '2001:db8:2::5'],
    ['a mapped address', xff('::ffff:203.0.113.7'), '203.0.113.7'],
    ['no header', xff(), '10.0.0.1'],
    ['an empty header', xff(''), '10.0.0.1'],
    ['only trusted ones', xff('10.1.1.1, 10.2.2.2'), '10.0.0.1'],
    ['something that is no address', xff('1.1.1.1, unknown'), '10.0.0.1'],
    ['junk further left', xff('<script>, 203.0.113.7'), '203.0.113.7'],
  ])('behind a trusted proxy is the nearest untrusted one: %s', (_what, headers, address) => {
    expect(identify(new ClientAddresses(proxies, false), '10.0.0.1', headers).address).toBe(address)
  })

  test.each([
    '10.255.0.1',
    '192.0.2.9',
    '2001:0db8:0001:0000:0000:0000:0000:0007',
    '0000:0000:0000:0000:0000:0000:0000:0001',
    '::ffff:10.0.0.1',
  ])('%s is trusted', (peer) => {
    expect(identify(new ClientAddresses(proxies, false), peer, xff('203.0.113.7')).address).toBe('203.0.113.7')
  })

  test.each(['11.0.0.1', '192.0.2.8', '2001:0db8:0002:0000:0000:0000:0000:0007'])('%s is not', (peer) => {
    expect(identify(new ClientAddresses(proxies, false), peer, xff('203.0.113.7')).address).toBe(peer)
  })
})

describe('whether the side of the client is TLS', () => {
  test.each([
    ['https', false, true],
    ['HTTPS', false, true],
    ['wss', false, true],
    ['http', true, false],
    ['ws', true, false],
    ['https, http', false, true],
    ['', false, false],
    ['', true, true],
    ['nonsense', true, false],
  ])('a trusted proxy says %j on a socket with TLS %s: %s', (proto, tls, secure) => {
    const addresses = new ClientAddresses(proxies, false)
    expect(identify(addresses, '10.0.0.1', [['x-forwarded-proto', proto]], tls).secure).toBe(secure)
  })
})
