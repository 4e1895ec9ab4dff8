import { describe, expect, it } from 'vitest'
import { Redactor, redacted } from '../../../src/observability/redact.js'

const secret = 'h8Kq-t0p+S3cret/Value'
const hex = 'a1b2c3d4'.repeat(8)

function redactor(): Redactor {
  const made = new Redactor()
  made.addSecret(secret)
  return made
}

describe('Redactor.text', () => {
  it.each([
    ['a known secret', `connect with ${secret} failed`],
    ['a known secret in a URL', `redis://user:${encodeURIComponent(secret)}@host/0`],
    ['a known secret twice', `${secret}${secret}`],
    ['a known secret in JSON', JSON.stringify({ anything: { at: secret } })],
  ])('removes %s', (_name, text) => {
    const clean = redactor().text(text)
    expect(clean).not.toContain(secret)
    expect(clean).not.toContain(encodeURIComponent(secret))
    expect(clean).toContain(redacted)
  })

  it.each([
    [`/apps/1/events?auth_key=k&auth_timestamp=1&auth_signature=hunter2x&body_md5=m`, 'hunter2x'],
    [`GET /x?token=hunter2x HTTP/1.1`, 'hunter2x'],
    [`subscribe auth=key:hunter2x`, 'hunter2x'],
    [`{"event":"pusher:subscribe","data":{"auth":"key:hunter2x","channel":"private-x"}}`, 'hunter2x'],
    [`{"auth":"key:hunter2x","channel":"private-x"}`, 'hunter2x'],
    [`{"channel_data":"{\\"user_id\\":\\"hunter2x\\"}","channel":"c"}`, 'hunter2x'],
    [
      `"{\\"auth\\":\\"key:hunter2x\\",\\"channel_data\\":\\"{\\\\\\"user_id\\\\\\":\\\\\\"hunter2x\\\\\\"}\\"}"`,
      'hunter2x',
    ],
    [`{"user_data": {"id":"hunter2x","user_info":{"name":"hunter2x"}}}`, 'hunter2x'],
    [`{"data":"unterminated hunter2x`, 'hunter2x'],
    [`REVERB_APP_SECRET=hunter2x`, 'hunter2x'],
    [`apps[0].secret: hunter2x is too short`, 'hunter2x'],
    [`appSecret: 'hunter2x y'`, 'hunter2x'],
    [`redis://default:hunter2x@redis:6379/0`, 'hunter2x'],
    [`redis://:hunter@2x@redis:6379/0`, 'hunter'],
    [`Authorization: Bearer hunter2xhunter2x`, 'hunter2x'],
    [`key:${hex}`, hex],
    [`-----BEGIN RSA PRIVATE KEY-----\nhunter2x\n-----END RSA PRIVATE KEY-----`, 'hunter2x'],
    [`-----BEGIN PRIVATE KEY-----\nhunter2x`, 'hunter2x'],
  ])('removes the secret part of %s', (text, part) => {
    expect(new Redactor().text(text)).not.toContain(part)
  })

  it('removes what Node quotes of a text that is not JSON', () => {
    for (const input of ['hunter2x', '{"a": hunter2x}', `${'x'.repeat(100)}hunter2x`]) {
      let message = ''
      try {
        JSON.parse(input)
      } catch (error) {
        message = String(error)
      }
      expect(message).toContain('JSON')
      expect(new Redactor().text(message)).not.toMatch(/hunt|xxx/)
    }
  })

  it.each([
    'listening on http://0.0.0.0:6001',
    'GET /apps/1/events?auth_key=278d425bdf160c739803&auth_timestamp=1353088179',
    'connection closed with 4001: App key abc not in this cluster',
    'the data of 12 channels was updated',
    'channel private-orders.1 of app 1',
    'wss://example.com:443/app/key?protocol=7',
  ])('leaves %s as it is', (text) => {
    expect(redactor().text(text)).toBe(text)
  })

  it('redacts what follows in the same text separately', () => {
    expect(new Redactor().text('?token=abc&x=1&auth=k:v&y=2')).toBe(`?token=${redacted}&x=1&auth=${redacted}&y=2`)
  })

  it('keeps texts bounded and leaves no first part of a secret at the cut', () => {
    for (let at = 16_384 - secret.length - 2; at <= 16_386; at += 1) {
      // Redacted pairs shrink the text, so that its end comes into what is shown.
      const filler = `token=${'y'.repeat(at - 7)} `
      const clean = redactor().text(`${filler}${secret}${'z'.repeat(500)}`)
      expect(clean.length).toBeLessThanOrEqual(4096)
      expect(clean).not.toContain(secret.slice(0, 4))
    }
    expect(redactor().text('x'.repeat(1_000_000)).length).toBeLessThanOrEqual(4096)
  })

  it('takes little time for hostile texts', () => {
    const hostile = [
      'token'.repeat(4000),
      'token='.repeat(4000),
      'secret   '.repeat(3000),
      `token${' '.repeat(16_000)}`,
      '//a:'.repeat(5000),
      '//'.repeat(10_000),
      '-----BEGIN PRIVATE KEY-----'.repeat(800),
      `${'Unexpected '.repeat(2000)} is not valid JSON`,
      `"data":"${'\\'.repeat(16_000)}`,
      `auth=${'"'.repeat(16_000)}`,
      '\\'.repeat(20_000),
    ]
    for (const text of hostile) {
      const startMs = performance.now()
      redactor().text(text)
      expect(performance.now() - startMs, text.slice(0, 20)).toBeLessThan(500)
    }
  })

  it('ignores secrets too short to be one, also the empty one', () => {
    const made = new Redactor()
    for (const short of ['', 'a', 'app']) made.addSecret(short)
    expect(made.text('an app apart')).toBe('an app apart')
  })

  it('accepts a secret that is no valid Unicode', () => {
    const made = new Redactor()
    made.addSecret('lone\ud800secret')
    expect(made.text('x lone\ud800secret y')).toBe(`x ${redacted} y`)
  })
})

describe('Redactor.fields', () => {
  it.each([
    'secret',
    'auth',
    'auth_signature',
    'password',
    'token',
    'channel_data',
    'user_data',
    'userData',
    'user_info',
    'data',
    'Authorization',
    'set-cookie',
    'appSecret',
    'redis_password',
    'accessToken',
    'secrets',
    'passphrase',
    'body',
    'payload',
    'privateKey',
  ])('never shows what stands under %s, whatever it is', (key) => {
    for (const value of ['hunter2', 42, { nested: 'hunter2' }, ['hunter2'], null, new Error('hunter2')]) {
      expect(new Redactor().fields({ [key]: value })).toEqual({ [key]: redacted })
      expect(new Redactor().fields({ deep: [{ [key]: value }] })).toEqual({ deep: [{ [key]: redacted }] })
    }
  })

  it('leaves plain fields as they are', () => {
    const fields = {
      app_id: '1',
      socket_id: '1.2',
      channel: 'presence-x',
      code: 4001,
      key: 'abc',
      ok: true,
      none: null,
    }
    expect(redactor().fields(fields)).toEqual(fields)
  })

  it('writes an error as type, message, code, stack and cause, without secrets and other properties', () => {
    const error = new TypeError(`no route for ${secret}`, { cause: new Error(`token=${secret}`) })
    Object.assign(error, { code: 'ENOROUTE', request: { anything: 'hunter2' }, command: ['AUTH', 'hunter2'] })
    const { err } = redactor().fields({ err: error })
    expect(err).toMatchObject({ type: 'TypeError', code: 'ENOROUTE', message: `no route for ${redacted}` })
    expect(err).toHaveProperty('cause.message', `token=${redacted}`)
    expect(err).toHaveProperty('stack', expect.stringContaining('redact.test'))
    expect(JSON.stringify(err)).not.toMatch(/hunter2|h8Kq/)
  })

  it('writes the errors of an aggregate, and what is thrown that is no error', () => {
    const made = redactor()
    expect(made.fields({ err: new AggregateError([new Error('one')], 'all failed') })).toHaveProperty(
      'err.errors.0.message',
      'one',
    )
    expect(made.fields({ err: `thrown ${secret}` })).toEqual({ err: `thrown ${redacted}` })
  })

  it('survives every shape of value, bounded and as JSON', () => {
    const cyclic: Record<string, unknown> = { name: 'cyclic', at: secret }
    cyclic['self'] = cyclic
    const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, secret]))
    let bomb: unknown = secret
    for (let level = 0; level < 20; level += 1) bomb = [bomb, bomb, bomb, bomb]
    const throwing = {
      get bad(): string {
        throw new Error(secret)
      },
      good: 1,
    }
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    const errorWithTrap = new Error('x')
    Object.defineProperty(errorWithTrap, 'message', {
      get() {
        throw new Error(secret)
      },
    })
    const fields = {
      cyclic,
      wide,
      bomb,
      throwing,
      proxy: revoked.proxy,
      errorWithTrap,
      map: new Map<unknown, unknown>([
        ['password', secret],
        [{ an: 'object' }, secret],
      ]),
      set: new Set([secret]),
      bytes: Buffer.from(secret),
      big: 12n,
      not: Number.NaN,
      date: new Date(0),
      wrongDate: new Date(Number.NaN),
      url: new URL('redis://user:hunter2@host/0'),
      call: () => secret,
      symbol: Symbol(secret),
      toJSON: { toJSON: () => secret },
      ['__proto__']: { polluted: secret },
      [`key ${secret}`]: 1,
      none: undefined,
    }
    const json = JSON.stringify(redactor().fields(fields))
    expect(json).not.toContain(secret)
    expect(json).not.toContain('hunter2')
    expect(json.length).toBeLessThan(30_000)
    expect(redactor().fields({ throwing })).toEqual({ throwing: { bad: '[unreadable]', good: 1 } })
    expect(JSON.parse(json)).toMatchObject({
      proxy: '[unreadable]',
      bytes: `[${secret.length} bytes]`,
      big: '12',
      not: 'NaN',
    })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
