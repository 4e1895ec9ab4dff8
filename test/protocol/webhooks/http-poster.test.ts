import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock, type Clock } from '../../../src/base/clock.js'
import { HttpPoster, type HttpPosterOptions } from '../../../src/webhooks/http-poster.js'
import type { Attempt, WebhookRequest } from '../../../src/webhooks/poster.js'
import { eventually } from '../../harness/eventually.js'
import { freePort } from '../../harness/free-port.js'
import { Receiver, reply, type Answer } from './raw-receiver.js'

/** A public address that is given to nobody, so nothing is there to connect to. */
const nobody = '3ffe::1'
const delivered: Attempt = { delivered: true }

let timers: Set<object>
let handlesBefore: number
let receivers: Receiver[]
let poster: HttpPoster

beforeEach(() => {
  handlesBefore = handles()
  timers = new Set()
  receivers = []
  poster = posterWith({})
})

/** After every test, whatever the receiver did, nothing may be left: no timer, no socket at either end, no lookup. */
afterEach(async () => {
  expect(timers.size).toBe(0)
  poster.close()
  for (const receiver of receivers) {
    // Who does not read hears of no end.
    for (const socket of receiver.open) socket.resume()
    await eventually('every connection is closed', () => receiver.open.size === 0)
    await receiver.close()
  }
  await eventually('no handle is left', () => handles() <= handlesBefore)
})

describe('what is sent', () => {
  test('exactly these bytes', async () => {
    const receiver = await listen((socket) => socket.write(reply('200 OK', 'thank you')))
    const headers = {
      'Content-Type': 'application/json',
      'X-Pusher-Key': 'k',
      'X-Pusher-Signature': 'abcdef',
      'x-lower-case': 'a',
      'content-length': '1',
      'Transfer-Encoding': 'chunked',
      HOST: 'other.example.com',
    }
    expect(await post(receiver, { headers, body: '{"name":"grüß ✓"}', path: '/a/b?c=d%20e' })).toEqual(delivered)
    expect(receiver.all).toBe(
      [
        'POST /a/b?c=d%20e HTTP/1.1',
        'Content-Type: application/json',
        'X-Pusher-Key: k',
        'X-Pusher-Signature: abcdef',
        'x-lower-case: a',
        'Content-Length: 21',
        `Host: 127.0.0.1:${receiver.port}`,
        'Connection: keep-alive',
        '',
        '{"name":"grüß ✓"}',
      ].join('\r\n'),
    )
  })

  test('a user and a password of the URL become basic authentication, and appear nowhere else', async () => {
    const receiver = await listen((socket) => socket.write(reply('500 No')))
    const url = new URL(`http://j%C3%B6rg:p%40ss%3A%2F%@127.0.0.1:${receiver.port}/x`)
    expect(await poster.post(request(url))).toEqual({ delivered: false, reason: 'the receiver answered 500' })
    expect(receiver.all).toContain(`\r\nAuthorization: Basic ${Buffer.from('jörg:p@ss:/%').toString('base64')}\r\n`)
    expect(receiver.all).not.toContain('j%C3%B6rg')
  })

  test('an IPv6 address', async () => {
    const receiver = await listen((socket) => socket.write(reply('200 OK')))
    expect(await poster.post(request(new URL(`http://[::ffff:127.0.0.1]:${receiver.port}/`)))).toEqual(delivered)
    expect(receiver.all).toContain(`\r\nHost: [::ffff:7f00:1]:${receiver.port}\r\n`)
  })

  test('the proxies of the environment are not used', async () => {
    const proxy = await listen((socket) => socket.end(reply('500 Proxy')))
    const receiver = await listen((socket) => socket.write(reply('200 OK')))
    const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY']
    for (const name of names) process.env[name] = `http://127.0.0.1:${proxy.port}`
    try {
      expect(await post(receiver)).toEqual(delivered)
    } finally {
      for (const name of names) Reflect.deleteProperty(process.env, name)
    }
    expect(proxy.connections).toBe(0)
  })
})

describe('what is answered', () => {
  const answers: readonly (readonly [what: string, answer: Answer, attempt: Attempt])[] = [
    ['200', (socket) => socket.write(reply('200 OK', 'x')), delivered],
    ['204', (socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'), delivered],
    ['299', (socket) => socket.write(reply('299 Fine')), delivered],
    ['100, then 200', (socket) => socket.write(`HTTP/1.1 100 Continue\r\n\r\n${reply('200 OK')}`), delivered],
    ['103, then 200', (socket) => socket.write(`HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n${reply('200 OK')}`), delivered],
    [
      'trailers',
      (socket) =>
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n'),
      delivered,
    ],
    ['HTTP/1.0 without a length', (socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nhello'), delivered],
    ['two answers', (socket) => socket.write(reply('200 OK') + reply('500 No')), delivered],
    [
      '200 and a body that breaks off',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx'),
      delivered,
    ],
    ['200 and a reset', resetAfter('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx'), delivered],
    [
      '200 and a bad chunk',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
      delivered,
    ],
    [
      '101',
      (socket) => socket.write('HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nabc'),
      failed('the receiver answered 101'),
    ],
    ['400', (socket) => socket.write(reply('400 Bad')), failed('the receiver answered 400')],
    ['410', (socket) => socket.write(reply('410 Gone')), failed('the receiver answered 410')],
    ['500', (socket) => socket.write(reply('500 No', 'a secret')), failed('the receiver answered 500')],
    [
      '503 and a reset',
      resetAfter('HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\n'),
      failed('the receiver answered 503'),
    ],
    [
      '304',
      (socket) => socket.write('HTTP/1.1 304 Same\r\n\r\n'),
      failed('the receiver answered 304, and redirects are not followed'),
    ],
    [
      'garbage',
      (socket) => socket.write('SSH-2.0-OpenSSH\r\n\r\n'),
      failed('the answer is not HTTP (HPE_INVALID_CONSTANT)'),
    ],
    ['half a status line', (socket) => socket.end('HTTP/1.'), failed('the connection was closed before the answer')],
    ['the end', (socket) => socket.end(), failed('the connection was closed before the answer')],
    ['a reset', (socket) => socket.resetAndDestroy(), failed('the connection was closed before the answer')],
    [
      'a reset in the headers',
      resetAfter('HTTP/1.1 200 OK\r\nA: '),
      failed('the connection was closed before the answer'),
    ],
    [
      'huge headers',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\n${`A: ${'x'.repeat(999)}\r\n`.repeat(20)}`),
      failed('the headers of the answer are too large'),
    ],
  ]

  test.each(answers)('%s', async (_what, answer, attempt) => {
    const receiver = await listen(answer)
    expect(await post(receiver)).toEqual(attempt)
    expect(receiver.connections).toBe(1)
  })

  test.each([
    ['nothing', () => {}],
    ['a header that does not end', (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\nA: b')],
    ['a header that drips', (socket: Socket) => drip(socket, 'HTTP/1.1 200 OK\r\n', 'A: b\r\n')],
    ['100 without end', (socket: Socket) => drip(socket, '', 'HTTP/1.1 100 Continue\r\n\r\n')],
  ])('%s: the time is over', async (_what, answer) => {
    const receiver = await listen(answer)
    const startMs = performance.now()
    expect(await post(receiver, { timeoutMs: 150 })).toEqual(failed('no answer within 150 ms'))
    expect(performance.now() - startMs).toBeLessThan(1500)
  })

  test.each([
    ['200 OK', delivered],
    ['500 No', failed('the receiver answered 500')],
  ])('%s and a body that drips: the status counts when the time is over', async (status, attempt) => {
    const receiver = await listen((socket) => drip(socket, `HTTP/1.1 ${status}\r\n\r\n`, 'x'))
    expect(await post(receiver, { timeoutMs: 150 })).toEqual(attempt)
  })

  test('a body without end is cut after 64 KiB', async () => {
    let written = 0
    const receiver = await listen((socket) => {
      const block = 'x'.repeat(65_536)
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const pour = (): void => {
        while (!socket.destroyed && socket.write(block)) written += block.length
      }
      socket.on('drain', pour)
      pour()
    })
    expect(await post(receiver)).toEqual(delivered)
    await eventually('the connection is cut', () => receiver.open.size === 0)
    // The rest has filled the kernel's buffers.
    expect(written).toBeLessThan(32_000_000)
  })

  test('an answer before a large request has been taken, by a receiver that reads no more', async () => {
    const receiver = await listen(() => {})
    receiver.onConnection = (socket) => {
      socket.pause()
      socket.write(reply('413 Too Large'))
    }
    const attempt = await post(receiver, { body: 'x'.repeat(20_000_000) })
    expect(attempt).toEqual(failed('the receiver answered 413'))
    // Nor is the rest sent for the sake of the connection: it is gone, as who reads on can see.
    for (const socket of receiver.open) socket.resume()
    await eventually('the connection is cut', () => receiver.open.size === 0, 2000)
  })

  test('nobody listens', async () => {
    const url = new URL(`http://127.0.0.1:${await freePort()}/`)
    expect(await poster.post(request(url))).toEqual(failed('the connection was refused'))
  })
})

describe('private networks', () => {
  test.each([
    ['127.0.0.1'],
    ['127.1'],
    ['2130706433'],
    ['0x7f000001'],
    ['0x7f.1'],
    ['0177.0.0.1'],
    ['017700000001'],
    ['127.0.0.1.'],
    ['127.8.9.10'],
    ['0.0.0.0'],
    ['[::1]'],
    ['[::]'],
    ['[0:0:0:0:0:0:0:1]'],
    ['[::ffff:127.0.0.1]'],
    ['[::ffff:7f00:1]'],
    ['[::127.0.0.1]'],
    ['[64:ff9b::127.0.0.1]'],
    ['[2002:7f00:1::]'],
    ['localhost'],
    ['localhost.'],
    ['a.localhost'],
  ])('no connection is opened to %s', async (host) => {
    const receiver = await listen((socket) => socket.write(reply('200 OK')))
    const attempt = await poster.post(request(urlOf(receiver, host), { allowPrivateNetwork: false }))
    expect(attempt).toEqual(
      failed(expect.stringMatching(/: set allowPrivateNetwork: true for this webhook if it is meant$/)),
    )
    expect(receiver.connections).toBe(0)
  })

  test.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::'])(
    'no connection is opened to a name that is %s, over http and https',
    async (address) => {
      poster = posterWith({ resolve: async () => [{ address }] })
      const receiver = await listen((socket) => socket.write(reply('200 OK')))
      const reason = `hooks.test is ${address}, an address of this machine: set allowPrivateNetwork: true for this webhook if it is meant`
      for (const scheme of ['http', 'https']) {
        const url = urlOf(receiver, 'hooks.test', scheme)
        expect(await poster.post(request(url, { allowPrivateNetwork: false }))).toEqual(failed(reason))
      }
      expect(receiver.connections).toBe(0)
    },
  )

  test('of several addresses only the public ones are used', async () => {
    poster = posterWith({ resolve: async () => ['127.0.0.1', nobody, '::1'].map((address) => ({ address })) })
    const receiver = await listen((socket) => socket.write(reply('200 OK')))
    const url = urlOf(receiver, 'hooks.test')
    const attempt = await poster.post(request(url, { allowPrivateNetwork: false, timeoutMs: 300 }))
    expect(attempt).toEqual(failed(expect.not.stringContaining('allowPrivateNetwork')))
    expect(receiver.connections).toBe(0)
  })

  test('a name that changes its address between two lookups', async () => {
    const answers = [nobody, '127.0.0.1', nobody, '127.0.0.1']
    let lookups = 0
    poster = posterWith({ resolve: async () => [{ address: answers[lookups++] ?? '127.0.0.1' }] })
    const receiver = await listen((socket) => socket.write(reply('200 OK')))
    const url = urlOf(receiver, 'hooks.test')
    for (const [index, address] of answers.entries()) {
      const attempt = await poster.post(request(url, { allowPrivateNetwork: false, timeoutMs: 300 }))
      const refused = attempt.delivered ? false : attempt.reason.startsWith('hooks.test is 127.0.0.1, an address of')
      expect(attempt.delivered).toBe(false)
      expect(refused).toBe(address === '127.0.0.1')
      // One lookup per attempt: there is no second answer that could be another one.
      expect(lookups).toBe(index + 1)
    }
    expect(receiver.connections).toBe(0)
  })

  test('a connection of a webhook that may is not used for one that may not', async () => {
    poster = posterWith({ resolve: async () => [{ address: '127.0.0.1' }] })
    const receiver = await listen((socket) => socket.write(reply('200 OK')))
    const url = urlOf(receiver, 'hooks.test')
    expect(await poster.post(request(url))).toEqual(delivered)
    expect(await poster.post(request(url, { allowPrivateNetwork: false }))).toMatchObject({ delivered: false })
    expect(await poster.post(request(url))).toEqual(delivered)
    expect(receiver.connections).toBe(1)
    expect(receiver.all.match(/POST/g)).toHaveLength(2)
  })

  test.each(['301 Moved', '302 Found', '303 See', '307 Again', '308 Always'])('%s is not followed', async (status) => {
    const target = await listen((socket) => socket.write(reply('200 OK')))
    const location = `Location: http://127.0.0.1:${target.port}/\r\n`
    const receiver = await listen((socket) => socket.write(reply(status, '', location)))
    const reason = `the receiver answered ${status.slice(0, 3)}, and redirects are not followed`
    expect(await post(receiver)).toEqual(failed(reason))
    expect(target.connections).toBe(0)
  })
})

describe('connections', () => {
  test('one is used again, also after an answer that is no success', async () => {
    const receiver = await listen((socket, { request: n }) =>
      socket.write(reply(n % 2 === 0 ? '200 OK' : '500 No', 'x')),
    )
    for (let n = 0; n < 6; n += 1) await post(receiver)
    expect(receiver.connections).toBe(1)
  })

  test('one that is idle is closed after 4 s, before the receiver would', async () => {
    const receiver = await listen((socket) => socket.write(reply('200 OK')))
    await post(receiver)
    const startMs = performance.now()
    await eventually('it is closed', () => receiver.open.size === 0, 8000)
    expect(performance.now() - startMs).toBeGreaterThan(3500)
  })

  /** The receiver ends an idle connection in the moment in which it is used again. */
  const stale: readonly (readonly [string, Answer])[] = [
    ['reset', (socket) => socket.resetAndDestroy()],
    ['closed', (socket) => socket.end()],
  ]
  test.each(stale)('one that is %s just as it is used again is no failure', async (_how, cut) => {
    const receiver = await listen((socket, at) => {
      if (at.connection === 1 && at.request === 2) cut(socket, at)
      else socket.write(reply('200 OK'))
    })
    expect([await post(receiver), await post(receiver), await post(receiver)]).toEqual([
      delivered,
      delivered,
      delivered,
    ])
    expect(receiver.received[1]).toContain('POST /')
  })

  test('the second try is the last, and within the same time', async () => {
    let hang = false
    const receiver = await listen((socket, { connection, request: n }) => {
      if (connection % 2 === 1 && n === 1) socket.write(reply('200 OK'))
      else if (connection % 2 === 1 || !hang) socket.resetAndDestroy()
    })
    await post(receiver)
    expect(await post(receiver)).toEqual(failed('the connection was closed before the answer'))
    expect(receiver.connections).toBe(2)
    hang = true
    await post(receiver)
    expect(await post(receiver, { timeoutMs: 150 })).toEqual(failed('no answer within 150 ms'))
    expect(receiver.connections).toBe(4)
  })

  test.each([
    ['after a byte of the answer', resetAfter('H')],
    ['in the body', resetAfter('HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\n')],
  ])('one that is cut %s is not tried again', async (_when, cut) => {
    const receiver = await listen((socket, at) => {
      if (at.request === 1) socket.write(reply('200 OK'))
      else cut(socket, at)
    })
    await post(receiver)
    expect(await post(receiver)).toMatchObject({ delivered: false })
    expect(receiver.connections).toBe(1)
  })

  test('so many at one address at most; the others wait in order, and their time runs', async () => {
    poster = posterWith({ openPerAddressMax: 2 })
    const waiting: Socket[] = []
    const receiver = await listen((socket) => waiting.push(socket))
    const other = await listen((socket) => socket.write(reply('200 OK')))
    const attempts = ['a', 'b', 'c', 'd'].map((body) => post(receiver, { body, timeoutMs: body === 'd' ? 200 : 5000 }))
    expect(await post(other)).toEqual(delivered)
    expect(await attempts[3]).toEqual(failed('no answer within 200 ms'))
    expect(receiver.connections).toBe(2)
    for (const socket of waiting.splice(0)) socket.write(reply('200 OK'))
    await eventually('the third has come', () => waiting.length > 0)
    for (const socket of waiting) socket.write(reply('200 OK'))
    expect(await Promise.all(attempts.slice(0, 3))).toEqual([delivered, delivered, delivered])
    expect(receiver.connections).toBe(2)
  })

  test('many at once, half of which are never answered', async () => {
    let count = 0
    const receiver = await listen((socket) => {
      count += 1
      if (count % 2 === 0) socket.write(reply('200 OK'))
    })
    const attempts = await Promise.all(Array.from({ length: 100 }, () => post(receiver, { timeoutMs: 400 })))
    expect(attempts.filter((attempt) => attempt.delivered).length).toBeGreaterThan(10)
    expect(receiver.connections).toBeLessThanOrEqual(100)
  })

  test('close ends what is under way at once; an answer that is known counts', async () => {
    const silent = await listen(() => {})
    const slow = await listen((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx'))
    const attempts = [post(silent), post(slow)]
    await eventually('both have come', () => silent.all !== '' && slow.all !== '')
    // When this answer is here, the earlier one is as well.
    await post(await listen((socket) => socket.write(reply('200 OK'))))
    poster.close()
    expect(await Promise.all(attempts)).toEqual([failed('the server is stopping'), delivered])
    expect(await post(silent)).toEqual(failed('the server is stopping'))
  })
})

describe('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-webhooks-'))
  let tls: { key: string; cert: string }

  beforeAll(() => {
    const options =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=hooks.test -addext subjectAltName=DNS:hooks.test -keyout key.pem -out cert.pem'
    execFileSync('openssl', options.split(' '), { cwd: folder, stdio: 'ignore' })
    tls = { key: readFileSync(join(folder, 'key.pem'), 'utf8'), cert: readFileSync(join(folder, 'cert.pem'), 'utf8') }
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  function trusting(): HttpPoster {
    return posterWith({ ca: tls.cert, resolve: async () => [{ address: '127.0.0.1' }] })
  }

  test('delivered, and the connection is used again', async () => {
    poster = trusting()
    const receiver = await listen((socket) => socket.write(reply('200 OK', 'x')), tls)
    const url = urlOf(receiver, 'hooks.test', 'https')
    expect([await poster.post(request(url)), await poster.post(request(url))]).toEqual([delivered, delivered])
    expect(receiver.connections).toBe(1)
  })

  test('one that is closed just as it is used again is no failure', async () => {
    poster = trusting()
    const receiver = await listen((socket, at) => {
      if (at.connection === 1 && at.request === 2) socket.end()
      else socket.write(reply('200 OK'))
    }, tls)
    const url = urlOf(receiver, 'hooks.test', 'https')
    expect([await poster.post(request(url)), await poster.post(request(url))]).toEqual([delivered, delivered])
    expect(receiver.connections).toBe(2)
  })

  test('a certificate that nobody vouches for, also where the environment would take it', async () => {
    const receiver = await listen((socket) => socket.write(reply('200 OK')), tls)
    poster = posterWith({ resolve: async () => [{ address: '127.0.0.1' }] })
    const url = urlOf(receiver, 'hooks.test', 'https')
    const reason =
      'the certificate of the receiver is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT): name its authority in NODE_EXTRA_CA_CERTS'
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      expect(await poster.post(request(url))).toEqual(failed(reason))
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    }
    expect(receiver.all).toBe('')
  })

  test('a certificate for another name', async () => {
    poster = trusting()
    const receiver = await listen((socket) => socket.write(reply('200 OK')), tls)
    const attempt = await poster.post(request(urlOf(receiver, 'other.test', 'https')))
    expect(attempt).toEqual(failed('the certificate of the receiver is not for other.test'))
  })

  test('https to a receiver of http, and one that is silent', async () => {
    poster = trusting()
    const receiver = await listen(() => {})
    receiver.onConnection = (socket) => socket.end(reply('400 Bad'))
    const attempt = await poster.post(request(urlOf(receiver, 'hooks.test', 'https')))
    expect(attempt).toEqual(failed(expect.stringMatching(/^no TLS connection came about \([A-Z_]+\)$/)))
    receiver.onConnection = () => {}
    const late = await poster.post(request(urlOf(receiver, 'hooks.test', 'https'), { timeoutMs: 150 }))
    expect(late).toEqual(failed('no answer within 150 ms'))
  })
})

function posterWith(options: Partial<HttpPosterOptions>): HttpPoster {
  return new HttpPoster({ clock: countingClock(), ...options })
}

/** The system's, with the timers that are neither stopped nor run in `timers`. */
function countingClock(): Clock {
  return {
    ...systemClock,
    after(delayMs, callback) {
      const token = {}
      timers.add(token)
      const timer = systemClock.after(delayMs, () => {
        timers.delete(token)
        callback()
      })
      return {
        stop: () => {
          timers.delete(token)
          timer.stop()
        },
      }
    },
  }
}

async function listen(answer: Answer, tls?: { key: string; cert: string }): Promise<Receiver> {
  const receiver = await Receiver.listen(answer, tls)
  receivers.push(receiver)
  return receiver
}

function urlOf({ port }: Receiver, host = '127.0.0.1', scheme = 'http', path = '/'): URL {
  return new URL(`${scheme}://${host}:${port}${path}`)
}

function request(url: URL, over: Partial<WebhookRequest> = {}): WebhookRequest {
  return { url, headers: {}, body: '{}', timeoutMs: 5000, allowPrivateNetwork: true, ...over }
}

function post(
  receiver: Receiver,
  { path = '/', ...over }: Partial<WebhookRequest> & { path?: string } = {},
): Promise<Attempt> {
  return poster.post(request(urlOf(receiver, '127.0.0.1', 'http', path), over))
}

function failed(reason: string): Attempt {
  return { delivered: false, reason }
}

/** The bytes arrive, and then the reset does. */
function resetAfter(text: string): Answer {
  return (socket) => socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 30))
}

function drip(socket: Socket, start: string, drop: string): void {
  socket.write(start)
  const timer = setInterval(() => socket.write(drop), 10)
  socket.on('close', () => clearInterval(timer))
}

function handles(): number {
  const ours = new Set(['TCPSocketWrap', 'TCPServerWrap', 'TCPConnectWrap', 'TLSWrap', 'GetAddrInfoReqWrap'])
  return process.getActiveResourcesInfo().filter((kind) => ours.has(kind)).length
}
