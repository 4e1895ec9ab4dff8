import { describe, expect, it } from 'vitest'
import { RawClient } from '../../harness/raw-client.js'
import { credentials } from '../../harness/test-server.js'
import { expectTurnedAway } from './expecting.js'
import { HttpWire } from './http-wire.js'
import { sharedServer } from './shared-server.js'

const unsupported = 'Unsupported protocol version: 4 to 7 are supported'

describe('address of the connection (1.1)', () => {
  const server = sharedServer()
  const prefixed = sharedServer({}, { pathPrefix: '/realtime/v1' })

  it.each([
    'protocol=7&client=js&version=8.6.0&flash=false',
    'client=java-client&protocol=5&version=2.4.4',
    'protocol=7&version=not.a-version&unknown=%00%zz&protocolx=1&=',
    '',
  ])('accepts the query "%s"', async (query) => {
    const client = await RawClient.connect(server().socketUrl(credentials.key, query))
    client.close()
  })

  it('percent-decodes the key', async () => {
    const encoded = Buffer.from(credentials.key).toString('hex').replace(/../g, '%$&')
    const client = await RawClient.connect(server().socketUrl(encoded))
    client.close()
  })

  it('serves under the path prefix, and not beside it', async () => {
    const client = await prefixed().connect()
    await client.subscribe('news')
    client.close()
    const bare = prefixed().socketUrl().replace('/realtime/v1', '')
    await expectTurnedAway(bare, 4005, 'Path not found: connect to /app/KEY')
  })

  it('accepts any subprotocol and names one only when asked', async () => {
    const upgrade = async (header: string) => {
      const wire = await HttpWire.open(server().url)
      wire.write(
        `GET /app/${credentials.key}?protocol=7 HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${header}\r\n`,
      )
      const { statusLine, headers } = await wire.answer(false)
      wire.close()
      expect(statusLine).toBe('HTTP/1.1 101 Switching Protocols')
      return headers.get('sec-websocket-protocol')
    }
    expect(await upgrade('')).toBeUndefined()
    expect(await upgrade('Sec-WebSocket-Protocol: pusher-channels\r\n')).toBe('pusher-channels')
  })

  it('accepts 12 KB of cookies', async () => {
    const client = await RawClient.connect(server().socketUrl(), { headers: { cookie: `a=${'x'.repeat(12_288)}` } })
    client.close()
  })
})

describe('first message (1.2)', () => {
  const server = sharedServer()
  const slow = sharedServer({ heartbeat: { activityTimeoutSeconds: 120 } })

  it('says connection_established first, with data as a string', async () => {
    const client = await server().connect()
    expect(client.frames[0]?.text).toBe(
      `{"event":"pusher:connection_established","data":"{\\"socket_id\\":\\"${client.socketId}\\",\\"activity_timeout\\":30}"}`,
    )
    await client.expectNothing()
    client.close()
  })

  it('gives every connection a socket_id of its own, digits.digits', async () => {
    const clients = await Promise.all(Array.from({ length: 50 }, () => server().connect()))
    for (const client of clients) expect(client.socketId).toMatch(/^\d{1,10}\.\d{1,10}$/)
    expect(new Set(clients.map((client) => client.socketId)).size).toBe(50)
    for (const client of clients) client.close()
  })

  it("tells the app's own activity_timeout", async () => {
    const client = await slow().connect()
    const data = JSON.parse(String(client.frames[0]?.data)) as { activity_timeout: number }
    expect(data.activity_timeout).toBe(120)
    client.close()
  })
})

describe('protocol versions (1.3)', () => {
  const server = sharedServer()
  const strict = sharedServer({}, { protocol: { requireVersion: true } })

  it.each(['protocol=4', 'protocol=5', 'protocol=6', 'protocol=7', 'client=js'])(
    'serves "%s", always with an activity_timeout',
    async (query) => {
      const client = await RawClient.connect(server().socketUrl(credentials.key, query))
      expect(JSON.parse(String(client.frames[0]?.data))).toEqual({ socket_id: client.socketId, activity_timeout: 30 })
      await client.subscribe('news')
      client.close()
    },
  )

  it.each(['3', '8', 'abc', '', '7.5', '-7', '0', '70', '1e1', '99999999999999999999'])(
    'closes protocol "%s" with 4007',
    async (version) => {
      await expectTurnedAway(server().socketUrl(credentials.key, `protocol=${version}`), 4007, unsupported)
    },
  )

  it('protocol.requireVersion closes a client without one with 4008, and no other', async () => {
    await expectTurnedAway(strict().socketUrl(credentials.key, 'client=js'), 4008, 'No protocol version supplied')
    await expectTurnedAway(strict().socketUrl(credentials.key, 'protocol=3'), 4007, unsupported)
    const client = await strict().connect()
    client.close()
  })
})
