import { describe, expect, it } from 'vitest'
import { Attacker, upgradeRequest } from './attacker.js'
import { inheritedNames } from './bad-frames.js'
import { besideInnocent } from './beside-innocent.js'
import { credentials } from './hostile-server.js'

/** An upgrade that is accepted and then closed with a code of 1.5, or, without a code, served as usual. */
interface Handshake {
  readonly name: string
  readonly target: string
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly code?: number
  readonly message?: RegExp
}

const good = `/app/${credentials.key}?protocol=7`
const unknownKey = /^App key [^]* not in this cluster\. Did you forget to specify the cluster\?$/

const handshakes: readonly Handshake[] = [
  ...[
    'x',
    ...inheritedNames,
    'disabled',
    '%',
    '%zz',
    '%00',
    '%ff',
    '%0d%0aX:%20y',
    '%F0%9F%98%80',
    '%22%7D',
    'a'.repeat(8000),
  ].map((key) => ({
    name: `the key ${key.slice(0, 30)}`,
    target: `/app/${key}?protocol=7`,
    code: 4001,
    message: unknownKey,
  })),
  ...[
    '/',
    '/app',
    '/apps/3/events',
    '/app/a/b',
    '/APP/x',
    '/__proto__',
    '/%2e%2e/app/x',
    '//app/x',
    '/pusher/app/x',
    '/live',
    '/metrics',
  ].map((target) => ({
    name: `the path ${target}`,
    target,
    code: 4005,
    message: /^Path not found/,
  })),
  ...[
    '',
    '0',
    '3',
    '8',
    '-7',
    '7.0',
    '7a',
    '1e1',
    '0x7',
    '%37',
    '99999999999',
    '9'.repeat(5000),
    '__proto__',
    'NaN',
  ].map((protocol) => ({
    name: `the protocol ${JSON.stringify(protocol.slice(0, 20))}`,
    target: `/app/${credentials.key}?protocol=${protocol}`,
    code: 4007,
    message: /^Unsupported protocol version/,
  })),
  { name: 'a disabled app', target: '/app/disabled-key?protocol=7', code: 4003, message: /^Application disabled$/ },
  { name: 'an app for TLS only', target: '/app/tls-only-key?protocol=7', code: 4000, message: /only accepts SSL/ },
  {
    name: 'an app for TLS only, and somebody who says that he is a proxy',
    target: '/app/tls-only-key?protocol=7',
    headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.7' },
    code: 4000,
    message: /only accepts SSL/,
  },
  ...[
    undefined,
    '',
    'null',
    'https://example.org',
    'http://example.com',
    'https://example.com.evil',
    'https://evil-example.com',
    'https://sub.example.com',
    'https://example.com@evil.org',
    'https://example.com:8443',
    'https://evil.org/https://example.com',
    'https://example.com, https://evil.org',
    `https://${'a'.repeat(8000)}.example.com`,
    '\u00ff\u00fe',
  ].map((origin) => ({
    name: `the origin ${origin?.slice(0, 40) ?? 'absent'}`,
    target: '/app/origins-key?protocol=7',
    headers: { Origin: origin },
    code: 4009,
    message: /^Origin not allowed$/,
  })),
  // Strange, and no reason to refuse anybody.
  { name: 'a target full of parameters', target: `${good}&${'a=b&'.repeat(2000)}` },
  { name: 'parameters that are not UTF-8', target: `${good}&client=%ff%fe&version=%zz&__proto__=1` },
  { name: 'a WebSocket version of the past', target: good, headers: { 'Sec-WebSocket-Version': '8' } },
  { name: 'a subprotocol of 5 000 characters', target: good, headers: { 'Sec-WebSocket-Protocol': 'a'.repeat(5000) } },
  {
    name: 'extensions of the imagination',
    target: good,
    headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; x=1,,;;"' },
  },
  { name: 'cookies of 12 KB', target: good, headers: { Cookie: 'a'.repeat(12_000) } },
]

const { server, itReceivedEverything } = besideInnocent()

describe(`${handshakes.length} strange handshakes, beside an innocent connection (1.3, 1.5)`, () => {
  it.each(handshakes)('$name', async ({ target, headers, code, message }) => {
    const attacker = await Attacker.connect(server().port, credentials)
    attacker.write(Buffer.from(upgradeRequest(target, headers), 'latin1'))
    await attacker.upgraded()
    if (code === undefined) {
      await attacker.settled()
      expect(attacker.ended).toBe(false)
      attacker.vanish()
      return
    }
    await attacker.waitForEnd()
    expect(attacker.texts.map((text) => JSON.parse(text) as unknown)).toEqual([
      { event: 'pusher:error', data: { code, message: expect.stringMatching(message ?? /(?:)/) as unknown } },
    ])
    expect(attacker.closeCode).toBe(code)
    expect(Buffer.byteLength(attacker.closeReason)).toBeLessThanOrEqual(123)
  })

  itReceivedEverything(5)
})
