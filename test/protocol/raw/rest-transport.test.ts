import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.js'
import { signedQuery } from '../../harness/rest.js'
import { appId, credentials, describeInProcess, type TestServer } from '../../harness/test-server.js'
import { eventText } from './expecting.js'
import { HttpWire } from './http-wire.js'
import { sharedServer } from './shared-server.js'

const target = (method: string, path: string, body = '', query: Record<string, string> = {}) =>
  `${path}?${signedQuery(credentials, method, path, body, { query })}`
const events = `/apps/${appId}/events`
const channels = `/apps/${appId}/channels`

async function withWire(server: TestServer, use: (wire: HttpWire) => Promise<void>): Promise<void> {
  const wire = await HttpWire.open(server.url)
  try {
    await use(wire)
  } finally {
    wire.close()
  }
}

describe('status lines and keep-alive (4, 4.11)', () => {
  const server = sharedServer({ limits: { triggersPerSecond: 1, eventBytes: 100 } })

  it('one TCP connection carries successes and every refusal, each with its real status line', async () => {
    await withWire(server(), async (wire) => {
      const body = JSON.stringify({ name: 'e', data: 'd', channel: 'a' })
      const large = JSON.stringify({ name: 'e', data: 'x'.repeat(101), channel: 'a' })
      const bad = JSON.stringify({ name: 'e', data: 'd', channel: 'a b' })
      const statusLines: string[] = []
      for (const [method, path, sent] of [
        ['POST', target('POST', events, body), body],
        ['POST', target('POST', events, bad), bad],
        ['GET', `${channels}?auth_key=x`, undefined],
        ['GET', '/nowhere', undefined],
        ['DELETE', channels, undefined],
        ['POST', target('POST', events, large), large],
        ['POST', target('POST', events, body), body],
        ['GET', target('GET', channels), undefined],
      ] as const) {
        const { statusLine, headers } = await wire.request(method, path, sent)
        statusLines.push(statusLine)
        expect(headers.get('content-type')).toMatch(/^(application\/json|text\/plain; charset=utf-8)$/)
        if (statusLine.includes('429')) expect(headers.get('retry-after')).toBe('1')
        if (statusLine.includes('405')) expect(headers.get('allow')).toBe('GET')
      }
      expect(statusLines).toEqual([
        'HTTP/1.1 200 OK',
        'HTTP/1.1 400 Bad Request',
        'HTTP/1.1 401 Unauthorized',
        'HTTP/1.1 404 Not Found',
        'HTTP/1.1 405 Method Not Allowed',
        'HTTP/1.1 413 Payload Too Large',
        'HTTP/1.1 429 Too Many Requests',
        'HTTP/1.1 200 OK',
      ])
      expect(wire.closed).toBe(false)
    })
  })

  it('error bodies are plain text that ends in a newline', async () => {
    const answers = [
      await fetch(`${server().url}${channels}`),
      await fetch(`${server().url}/apps/${appId}/nowhere`),
      await fetch(`${server().url}${events}`),
      await server().post('events', {}),
    ]
    for (const answer of answers) {
      expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
      const text = typeof answer.text === 'string' ? answer.text : await answer.text()
      expect(text).toMatch(/^[^\n]+\n$/)
    }
  })
})

// uWebSockets ends a connection on which a request comes behind one whose answer waits, here for Redis.
describeInProcess('pipelining (4)', 'the library does not wait for Redis', () => {
  const server = sharedServer()

  it('requests sent at once are answered in order', async () => {
    await withWire(server(), async (wire) => {
      const paths = ['/live', target('GET', channels), '/nowhere', '/']
      wire.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`).join(''))
      const statusLines: string[] = []
      while (statusLines.length < paths.length) statusLines.push((await wire.answer()).statusLine)
      expect(statusLines).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK', 'HTTP/1.1 404 Not Found', 'HTTP/1.1 200 OK'])
    })
  })
})

describe('bodies (4.2, 4.3)', () => {
  const server = sharedServer({}, { http: { bodyBytes: 2000 } })
  const large = JSON.stringify({ name: 'e', data: 'x'.repeat(2000), channel: 'a' })
  const tooLarge = /^The request body exceeds the allowed maximum \(2000 bytes\)\..*\n$/

  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'nonsense', ''])(
    'Content-Type %j is not relied on',
    async (contentType) => {
      const body = JSON.stringify({ name: 'e', data: 'd', channel: 'a' })
      const answer = await fetch(server().url + target('POST', events, body), {
        method: 'POST',
        body,
        headers: contentType === '' ? {} : { 'content-type': contentType },
      })
      expect([answer.status, await answer.text()]).toEqual([200, '{}'])
    },
  )

  it('413 as soon as the declared length is too large, without reading on', async () => {
    await withWire(server(), async (wire) => {
      wire.write(
        `POST ${target('POST', events, large)} HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000000\r\n\r\n{"name"`,
      )
      const answer = await wire.answer()
      expect(answer.statusLine).toBe('HTTP/1.1 413 Payload Too Large')
      expect(answer.body).toMatch(tooLarge)
      await wire.waitForClose()
    })
  })

  it('413 while a chunked body streams, before its end', async () => {
    await withWire(server(), async (wire) => {
      const path = target('POST', events, large)
      wire.write(`POST ${path} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n`)
      for (let count = 0; count < 3; count += 1) wire.write(`3e8\r\n${'x'.repeat(1000)}\r\n`)
      const answer = await wire.answer()
      expect(answer.statusLine).toBe('HTTP/1.1 413 Payload Too Large')
      expect(answer.body).toMatch(tooLarge)
      await wire.waitForClose()
    })
  })

  it('takes a chunked body within the limit', async () => {
    const client = await server().connect()
    await client.subscribe('a')
    const body = JSON.stringify({ name: 'e', data: 'chunked', channel: 'a' })
    await withWire(server(), async (wire) => {
      wire.write(`POST ${target('POST', events, body)} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n`)
      for (const piece of [body.slice(0, 10), body.slice(10)])
        wire.write(`${piece.length.toString(16)}\r\n${piece}\r\n`)
      wire.write('0\r\n\r\n')
      expect((await wire.answer()).body).toBe('{}')
    })
    expect((await client.next()).text).toBe(eventText('e', 'a', 'chunked'))
    client.close()
  })

  it('takes a body that comes byte by byte', async () => {
    const body = JSON.stringify({ name: 'e', data: 'slow', channel: 'a' })
    await withWire(server(), async (wire) => {
      wire.write(
        `POST ${target('POST', events, body)} HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n`,
      )
      for (const letter of body) {
        wire.write(letter)
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect((await wire.answer()).body).toBe('{}')
    })
  })

  it('401 before the body is read', async () => {
    await withWire(server(), async (wire) => {
      wire.write(`POST ${events}?auth_key=no HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n{`)
      expect((await wire.answer()).statusLine).toBe('HTTP/1.1 401 Unauthorized')
    })
  })

  it.each([
    ['Content-Length twice, the same', 'Content-Length: 2\r\nContent-Length: 2\r\n'],
    ['Content-Length twice, different', 'Content-Length: 2\r\nContent-Length: 40\r\n'],
  ])('%s: the connection is closed unanswered', async (_what, headers) => {
    await withWire(server(), async (wire) => {
      wire.write(`POST ${target('POST', events, '{}')} HTTP/1.1\r\nHost: test\r\n${headers}\r\n{}`)
      await wire.waitForClose()
      expect(wire.rest).toBe('')
    })
  })

  it('Content-Length with Transfer-Encoding: refused, the connection is closed', async () => {
    await withWire(server(), async (wire) => {
      wire.write(
        `POST ${target('POST', events, '{}')} HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
      )
      await wire.waitForClose()
      expect(wire.rest).not.toContain('200')
    })
  })

  it('a client that goes away in the middle of its body hurts nobody', async () => {
    await withWire(server(), async (wire) => {
      wire.write(`POST ${target('POST', events, large)} HTTP/1.1\r\nHost: test\r\nContent-Length: 1500\r\n\r\n{"name"`)
      await new Promise((resolve) => setImmediate(resolve))
    })
    expect((await server().get('channels')).status).toBe(200)
  })
})

describe('request heads (1.1, 4)', () => {
  const server = sharedServer()

  it('accepts 12 KB of cookies', async () => {
    await withWire(server(), async (wire) => {
      const cookie = `Cookie: a=${'x'.repeat(12_288)}\r\n`
      wire.write(`GET ${target('GET', channels)} HTTP/1.1\r\nHost: test\r\n${cookie}\r\n`)
      expect((await wire.answer()).body).toBe('{"channels":{}}')
    })
  })

  it('answers 431 beyond http.headerBytes', async () => {
    await withWire(server(), async (wire) => {
      wire.write(`GET /live HTTP/1.1\r\nHost: test\r\nCookie: a=${'x'.repeat(20_000)}\r\n\r\n`)
      await eventually('an answer', () => wire.rest.startsWith('HTTP/1.1 431'))
    })
  })
})

describe('path prefix (1.1, 4.1)', () => {
  const server = sharedServer({}, { pathPrefix: '/realtime' })

  it('is put in front of every path and is not signed', async () => {
    const client = await server().connect()
    await client.subscribe('a')
    await server().trigger('a', 'e', 'd')
    expect((await client.next()).text).toBe(eventText('e', 'a', 'd'))
    expect((await server().get('channels')).text).toBe('{"channels":{"a":{}}}')
    client.close()
  })

  it('a signature over the path with the prefix is refused', async () => {
    const path = `/realtime${channels}`
    const answer = await fetch(server().url.replace('/realtime', '') + target('GET', path))
    expect(answer.status).toBe(401)
  })

  it.each(['/', '/live', '/ready', '/up', '/health', '/accept-traffic'])(
    '%s answers with and without it',
    async (path) => {
      const bare = server().url.replace('/realtime', '')
      for (const url of [`${server().url}${path}`, bare + path]) {
        const answer = await fetch(url)
        expect([answer.status, await answer.text()]).toEqual([200, 'OK'])
      }
    },
  )

  it('is a whole segment', async () => {
    expect((await fetch(`${server().url}x/apps/${appId}/channels`)).status).toBe(404)
  })
})

describe('health, HEAD, OPTIONS and unknown paths', () => {
  const server = sharedServer()
  const cors = sharedServer({}, { http: { cors: { origins: ['https://example.com'] } } })

  it.each(['/', '/live', '/ready', '/up', '/health', '/accept-traffic'])(
    'GET %s is 200 OK on the public port',
    async (path) => {
      const answer = await fetch(server().url + path)
      expect([answer.status, await answer.text()]).toEqual([200, 'OK'])
    },
  )

  it.each(['/live', '/ready', '/up', '/health'])('GET %s is 200 OK on the metrics port too', async (path) => {
    expect((await fetch(server().metricsUrl + path)).status).toBe(200)
  })

  it.each([
    '/metrics',
    '/usage',
    '/debug',
    '/apps',
    '/apps/3',
    '/apps/3/',
    '/apps//events',
    '/app/KEY',
    '/events',
    '//',
    '/%2e%2e',
  ])('GET %s is 404 on the public port', async (path) => {
    await withWire(server(), async (wire) => {
      expect((await wire.request('GET', path)).statusLine).toBe('HTTP/1.1 404 Not Found')
    })
  })

  it('swallows the statistics of old pusher-js versions (6.3)', async () => {
    const answer = await fetch(`${server().url}/timeline/v2/xhr/2?session=x`)
    expect([answer.status, await answer.text()]).toEqual([200, '{}'])
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  })

  it.each(['/', '/ready'])('HEAD %s has the head of GET and no body, and the connection goes on', async (path) => {
    await withWire(server(), async (wire) => {
      const head = await wire.request('HEAD', path)
      expect(head.statusLine).toBe('HTTP/1.1 200 OK')
      const next = await wire.request('GET', '/live')
      expect([next.statusLine, next.body]).toEqual(['HTTP/1.1 200 OK', 'OK'])
      expect(wire.rest).toBe('')
    })
  })

  it('HEAD of the REST API is refused without a body', async () => {
    await withWire(server(), async (wire) => {
      expect((await wire.request('HEAD', channels)).statusLine).toBe('HTTP/1.1 405 Method Not Allowed')
      expect((await wire.request('HEAD', '/nowhere')).statusLine).toBe('HTTP/1.1 404 Not Found')
      expect((await wire.request('GET', '/live')).statusLine).toBe('HTTP/1.1 200 OK')
      expect(wire.rest).toBe('')
    })
  })

  it.each([
    ['GET', events, 'POST'],
    ['POST', channels, 'GET'],
    ['PUT', events, 'POST'],
    ['DELETE', `${channels}/a`, 'GET'],
    ['GET', `/apps/${appId}/users/u/terminate_connections`, 'POST'],
    ['PATCH', `/apps/${appId}/batch_events`, 'POST'],
  ])('%s %s is 405 and allows %s', async (method, path, allow) => {
    await withWire(server(), async (wire) => {
      const answer = await wire.request(method, path, method === 'GET' ? undefined : '')
      expect([answer.statusLine, answer.headers.get('allow')]).toEqual(['HTTP/1.1 405 Method Not Allowed', allow])
    })
  })

  it('OPTIONS is a method like any other unless CORS is configured', async () => {
    await withWire(server(), async (wire) => {
      const answer = await wire.request('OPTIONS', events)
      expect(answer.statusLine).toBe('HTTP/1.1 405 Method Not Allowed')
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    })
  })

  it('with CORS: the preflight and every answer name the allowed origin, and no other', async () => {
    const options = (origin: string) => fetch(cors().url + events, { method: 'OPTIONS', headers: { origin } })
    const allowed = await options('https://example.com')
    expect(allowed.status).toBe(204)
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://example.com')
    expect(allowed.headers.get('access-control-allow-methods')).toBe('GET, POST, OPTIONS')
    expect(allowed.headers.get('access-control-allow-headers')).toContain('Content-Type')
    expect((await options('https://evil.test')).headers.get('access-control-allow-origin')).toBeNull()
    const origin = 'https://example.com'
    const read = await fetch(cors().url + target('GET', channels), { headers: { origin } })
    expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, origin])
    const refused = await fetch(cors().url + channels, { headers: { origin } })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, origin])
  })
})
