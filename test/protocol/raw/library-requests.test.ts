import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { appId, credentials } from '../../harness/test-server.js'
import { HttpWire, type WireAnswer } from './http-wire.js'
import { sharedServer } from './shared-server.js'

type Pairs = readonly (readonly [string, string])[]

/** How a library makes a query of the parameters that it has signed. */
type Query = (signed: Pairs, signature: string) => string

const plain = (pairs: Pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&')
const escaped = (pairs: Pairs) => plain(pairs.map(([name, value]) => [name, encodeURIComponent(value)]))
const sorted = (pairs: Pairs) => [...pairs].sort(([a], [b]) => (a < b ? -1 : 1))

/** The libraries whose languages npm run test:clients has no program for (8), byte for byte. */
const libraries: Readonly<Record<string, { readonly headers: string; readonly query: Query }>> = {
  // Guzzle; Laravel's broadcaster uses it.
  php: {
    headers:
      'X-Pusher-Library: pusher-http-php 7.2.7\r\nContent-Type: application/json\r\nUser-Agent: GuzzleHttp/7\r\n',
    query: (signed, signature) => escaped(sorted([...signed, ['auth_signature', signature]])),
  },
  // Parameters in the order in which they were put in, the signature last.
  ruby: {
    headers: 'X-Pusher-Library: pusher-http-ruby 2.0.3\r\nContent-Type: application/json\r\n',
    query: (signed, signature) => escaped([...[...signed].reverse(), ['auth_signature', signature]]),
  },
  // The signature first, nothing escaped.
  dotnet: {
    headers: 'Pusher-Library-Name: pusher-http-dotnet\r\nContent-Type: application/json; charset=utf-8\r\n',
    query: (signed, signature) => plain([['auth_signature', signature], ...signed]),
  },
  // Its own parameters behind those of the signature.
  swift: {
    headers: 'X-Pusher-Library: pusher-http-swift 1.0.0\r\nContent-Type: application/json\r\n',
    query: (signed, signature) => {
      const isOwn = ([name]: readonly [string, string]) => !/^(auth_|body_)/.test(name)
      return escaped([...signed.filter((pair) => !isOwn(pair)), ...signed.filter(isOwn), ['auth_signature', signature]])
    },
  },
}

describe.each(Object.entries(libraries))(
  'requests as the library for %s sends them (8)',
  (name, { headers, query }) => {
    const server = sharedServer()

    const send = async (method: string, path: string, own: Pairs, body?: string): Promise<WireAnswer> => {
      const fullPath = `/apps/${appId}${path}`
      const signed = sorted([
        ['auth_key', credentials.key],
        ['auth_timestamp', String(Math.floor(Date.now() / 1000))],
        ['auth_version', '1.0'],
        ...(body === undefined ? [] : [['body_md5', createHash('md5').update(body).digest('hex')] as const]),
        ...own,
      ])
      const text = `${method}\n${fullPath}\n${plain(signed)}`
      const signature = createHmac('sha256', credentials.secret).update(text).digest('hex')
      const wire = await HttpWire.open(server().url)
      const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
      const target = `${fullPath}?${query(signed, signature)}`
      wire.write(`${method} ${target} HTTP/1.1\r\nHost: test\r\n${headers}${length}\r\n${body ?? ''}`)
      const answer = await wire.answer()
      wire.close()
      return answer
    }
    const said = ({ statusLine, body }: WireAnswer) => [statusLine, body]

    it('an event, whose data arrives as it was encoded', async () => {
      const channel = `orders-${name}`
      const subscriber = await server().connect()
      await subscriber.subscribe(channel)
      // As PHP encodes it: slashes and what is beyond ASCII are escaped, twice.
      const data = String.raw`{"text":"gr\u00fc\u00df dich","path":"a\/b"}`
      const unused = name === 'swift' ? '"channel":null,"socket_id":null,' : ''
      const event = String.raw`"name":"App\\Events\\OrderShipped"`
      const body = `{${event},${unused}"data":${JSON.stringify(data).replaceAll('/', String.raw`\/`)},"channels":["${channel}"]}`
      expect(said(await send('POST', '/events', [], body))).toEqual(['HTTP/1.1 200 OK', '{}'])
      const frame = await subscriber.next('App\\Events\\OrderShipped')
      expect(frame.data).toBe(data)
    })

    it('a batch', async () => {
      const channel = `batch-${name}`
      const subscriber = await server().connect()
      await subscriber.subscribe(channel)
      const body = JSON.stringify({ batch: [1, 2].map((n) => ({ channel, name: `event-${n}`, data: `${n}` })) })
      expect(said(await send('POST', '/batch_events', [], body))).toEqual(['HTTP/1.1 200 OK', '{}'])
      expect([(await subscriber.next('event-1')).data, (await subscriber.next('event-2')).data]).toEqual(['1', '2'])
    })

    it('channels by prefix with two attributes, and none: an object', async () => {
      const channel = `presence-${name}`
      const member = await server().connect()
      await member.subscribePresence(channel, credentials, 'ann')
      const own = (prefix: string): Pairs => [
        ['filter_by_prefix', prefix],
        ['info', 'user_count,subscription_count'],
      ]
      const found = await send('GET', '/channels', own(channel))
      expect(found.statusLine).toBe('HTTP/1.1 200 OK')
      expect(JSON.parse(found.body)).toEqual({ channels: { [channel]: { user_count: 1, subscription_count: 1 } } })
      expect(said(await send('GET', '/channels', own('presence-none-')))).toEqual([
        'HTTP/1.1 200 OK',
        '{"channels":{}}',
      ])
    })

    it("members of a channel, and the end of a user's connections", async () => {
      const channel = `presence-users-${name}`
      const member = await server().connect()
      member.signIn(credentials, { id: `user-${name}` })
      await member.next('pusher:signin_success')
      await member.subscribePresence(channel, credentials, `user-${name}`)
      const users = await send('GET', `/channels/${channel}/users`, [])
      expect(said(users)).toEqual(['HTTP/1.1 200 OK', `{"users":[{"id":"user-${name}"}]}`])
      const ended = await send('POST', `/users/user-${name}/terminate_connections`, [], '{}')
      expect(said(ended)).toEqual(['HTTP/1.1 200 OK', '{}'])
      expect((await member.waitForClose()).code).toBe(4009)
    })
  },
)
