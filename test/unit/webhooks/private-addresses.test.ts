import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { kindOfPrivate } from '../../../src/webhooks/private-addresses.js'

const machine = 'an address of this machine'
const cloud = "an address of a cloud's own services"
const link = 'a link-local address'
const network = 'an address of a private network'
const multicast = 'a multicast address'
const reserved = 'a reserved address'

/** First and last address of everything that is not public in IPv4. The model of the property tests, too. */
const ranges: readonly (readonly [first: string, last: string, kind: string])[] = [
  ['0.0.0.0', '0.255.255.255', machine],
  ['10.0.0.0', '10.255.255.255', network],
  ['100.64.0.0', '100.100.100.199', network],
  ['100.100.100.200', '100.100.100.200', cloud],
  ['100.100.100.201', '100.127.255.255', network],
  ['127.0.0.0', '127.255.255.255', machine],
  ['168.63.129.16', '168.63.129.16', cloud],
  ['169.254.0.0', '169.254.169.253', link],
  ['169.254.169.254', '169.254.169.254', cloud],
  ['169.254.169.255', '169.254.255.255', link],
  ['172.16.0.0', '172.31.255.255', network],
  ['192.0.0.0', '192.0.0.255', reserved],
  ['192.0.2.0', '192.0.2.255', reserved],
  ['192.88.99.0', '192.88.99.255', reserved],
  ['192.168.0.0', '192.168.255.255', network],
  ['198.18.0.0', '198.19.255.255', reserved],
  ['198.51.100.0', '198.51.100.255', reserved],
  ['203.0.113.0', '203.0.113.255', reserved],
  ['224.0.0.0', '239.255.255.255', multicast],
  ['240.0.0.0', '255.255.255.255', reserved],
]

const ipv4 = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  // Where mistakes live: at the edges.
  fc
    .constantFrom(...ranges.flatMap(([first, last]) => [numberOf(first), numberOf(last)]))
    .chain((edge) => fc.integer({ min: -2, max: 2 }).map((step) => Math.min(0xffff_ffff, Math.max(0, edge + step)))),
)

describe('IPv4', () => {
  test.each(ranges)('%s to %s is %s, its neighbours are not', (first, last, kind) => {
    expect(kindOfPrivate(first)).toBe(kind)
    expect(kindOfPrivate(last)).toBe(kind)
    for (const beside of [numberOf(first) - 1, numberOf(last) + 1]) {
      if (beside >= 0 && beside <= 0xffff_ffff) expect(kindOfPrivate(dotted(beside))).not.toBe(kind)
    }
  })

  test('every address is what the ranges say', () => {
    fc.assert(
      fc.property(ipv4, (value) => {
        expect(kindOfPrivate(dotted(value))).toBe(modelOf(value))
      }),
      { numRuns: 3000 },
    )
  })

  test.each(['1.1.1.1', '8.8.8.8', '93.184.215.14', '100.63.255.255', '100.128.0.0', '172.32.0.0', '223.255.255.255'])(
    '%s is public',
    (address) => {
      expect(kindOfPrivate(address)).toBeUndefined()
    },
  )
})

describe('IPv6', () => {
  test.each([
    ['::', machine],
    ['::1', machine],
    ['0:0:0:0:0:0:0:1', machine],
    ['::ffff:127.0.0.1', machine],
    ['::ffff:7f00:1', machine],
    ['::FFFF:10.1.2.3', network],
    ['::ffff:169.254.169.254', cloud],
    ['::127.0.0.1', reserved],
    ['::2', reserved],
    ['::8.8.8.8', reserved],
    ['::ffff:0:127.0.0.1', reserved],
    ['64:ff9b::127.0.0.1', machine],
    ['64:ff9b::a9fe:a9fe', cloud],
    ['64:ff9b:1::1', network],
    ['64:ff9b:1:ffff:ffff:ffff:ffff:ffff', network],
    ['64:ff9b:2::8.8.8.8', reserved],
    ['2002:7f00:1::', machine],
    ['2002:a00:1::1', network],
    ['2002:c0a8:101:ffff::', network],
    ['fe80::1', link],
    ['fe80::1%eth0', link],
    ['febf:ffff::1', link],
    ['fec0::1', network],
    ['feff::1', network],
    ['fc00::', network],
    ['fdff:ffff::1', network],
    ['fd00:ec2::254', cloud],
    ['fd00:ec2::253', network],
    ['ff02::1', multicast],
    ['ff0e::1', multicast],
    ['100::1', reserved],
    ['2001::1', reserved],
    ['2001:2::1', reserved],
    ['2001:10::1', reserved],
    ['2001:1ff:ffff::', reserved],
    ['2001:db8::1', reserved],
    ['2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', reserved],
    ['3fff::1', reserved],
    ['3fff:fff:ffff::', reserved],
    ['4000::', reserved],
    ['5f00::1', reserved],
    ['1fff:ffff::', reserved],
    ['::1%lo', machine],
  ])('%s is %s', (address, kind) => {
    expect(kindOfPrivate(address)).toBe(kind)
  })

  test.each([
    '2000::',
    '2001:200::1',
    '2001:db7:ffff::',
    '2001:db9::',
    '2606:4700:4700::1111',
    '2a00:1450:4001:81c::200e',
    '3fff:1000::',
    '3ffe::1',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
  ])('%s is public', (address) => {
    expect(kindOfPrivate(address)).toBeUndefined()
  })

  test('one that stands for an IPv4 address is what that is, however it is written', () => {
    fc.assert(
      fc.property(ipv4, fc.bigInt({ min: 0n, max: (1n << 80n) - 1n }), (value, rest) => {
        const kind = modelOf(value)
        const hex = `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`
        for (const prefix of ['::ffff:', '0:0:0:0:0:ffff:', '::FFFF:', '64:ff9b::', '64:ff9b:0:0:0:0:']) {
          expect(kindOfPrivate(`${prefix}${dotted(value)}`)).toBe(kind)
          expect(kindOfPrivate(`${prefix}${hex}`)).toBe(kind)
        }
        expect(kindOfPrivate(grouped((0x2002n << 112n) | (BigInt(value) << 80n) | rest))).toBe(kind)
      }),
    )
  })

  test('nothing outside of what is given out is public, except what stands for an IPv4 address', () => {
    const embedding = [0xffffn << 32n, 0x64_ff9bn << 96n]
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) => {
        fc.pre(value >> 125n !== 1n && !embedding.includes((value >> 32n) << 32n))
        expect(kindOfPrivate(grouped(value))).toBeDefined()
      }),
    )
  })

  test('the notation makes no difference', () => {
    const top = fc.constantFrom(0n, 0x64_ff9bn, 0xfd00_0ec2n, 0xfe80_0000n, 0x2001_0db8n, 0x2001_0000n, 0x2606_4700n)
    const bottom = fc.oneof(fc.constantFrom(0n, 1n, 0x254n), fc.bigInt({ min: 0n, max: (1n << 96n) - 1n }))
    fc.assert(
      fc.property(top, bottom, (high, low) => {
        const full = grouped((high << 96n) | low)
        const short = new URL(`http://[${full}]`).hostname.slice(1, -1)
        expect(kindOfPrivate(short)).toBe(kindOfPrivate(full))
        expect(kindOfPrivate(full.toUpperCase())).toBe(kindOfPrivate(full))
      }),
    )
  })
})

test.each(['', 'localhost', '127.1', '0x7f000001', '[::1]', '1.2.3.4.5', '1::2::3', ' 8.8.8.8', '8.8.8.8 ', '%eth0'])(
  '%j is not an address',
  (text) => {
    expect(kindOfPrivate(text)).toBe('not an address')
  },
)

test('no text is too much', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void kindOfPrivate(text)))
})

function modelOf(value: number): string | undefined {
  return ranges.find(([first, last]) => numberOf(first) <= value && value <= numberOf(last))?.[2]
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.')
}

/** All eight groups with all their zeros. */
function grouped(value: bigint): string {
  return value.toString(16).padStart(32, '0').match(/.{4}/g)!.join(':')
}
