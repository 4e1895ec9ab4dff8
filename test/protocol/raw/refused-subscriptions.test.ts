import { describe, expect, it } from 'vitest'
import { channelAuth } from '../../harness/raw-client.js'
import { credentials } from '../../harness/test-server.js'
import { errorText, eventText, expectError, expectRefused, framesSoFar, metricOf } from './expecting.js'
import { sharedServer } from './shared-server.js'

const invalidMember =
  'Invalid channel_data: it must be the JSON text of an object with a non-empty user_id (string or number)'
const badSignature = (text: string, given: string) =>
  `Invalid signature: Expected HMAC SHA256 hex digest of ${text}, but got ${given}`

describe('refused subscriptions (2.4)', () => {
  const server = sharedServer({ limits: { subscriptionsPerConnection: 3 } })

  it('tells both conventions: the channel its event, then the connection its error', async () => {
    const client = await server().connect()
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a' } })
    const message = 'Auth info required to subscribe to private-a'
    expect((await client.next()).text).toBe(
      `{"event":"pusher:subscription_error","channel":"private-a","data":"{\\"type\\":\\"AuthError\\",\\"error\\":\\"${message}\\",\\"status\\":401}"}`,
    )
    expect((await client.next()).text).toBe(`{"event":"pusher:error","data":{"code":null,"message":"${message}"}}`)
    await client.expectNothing()
    client.close()
  })

  it('wrong signature: names the string to sign and what came, never the right digest', async () => {
    const client = await server().connect()
    const channel = 'private-a'
    const digest = '0'.repeat(64)
    client.send({ event: 'pusher:subscribe', data: { channel, auth: `${credentials.key}:${digest}` } })
    await expectRefused(client, channel, 'AuthError', 401, badSignature(`${client.socketId}:${channel}`, digest))
    const right = channelAuth(credentials, client.socketId, channel).split(':')[1] ?? ''
    expect(client.frames.map((frame) => frame.text).join()).not.toContain(right)
    client.close()
  })

  it.each([
    ['of another socket', (_socketId: string) => channelAuth(credentials, '1.1', 'private-a')],
    ['of another channel', (socketId: string) => channelAuth(credentials, socketId, 'private-b')],
    ['by another secret', (socketId: string) => channelAuth({ ...credentials, secret: 'x' }, socketId, 'private-a')],
    ['in upper case', (socketId: string) => upperDigest(channelAuth(credentials, socketId, 'private-a'))],
    ['cut short', (socketId: string) => channelAuth(credentials, socketId, 'private-a').slice(0, -1)],
    ['with more behind', (socketId: string) => `${channelAuth(credentials, socketId, 'private-a')}0`],
    ['without a digest', () => `${credentials.key}:`],
    ['with the digest of nothing known', () => `${credentials.key}:ü`],
  ])('refuses a signature %s', async (_what, auth) => {
    const client = await server().connect()
    const given = auth(client.socketId)
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth: given } })
    const digest = given.slice(given.indexOf(':') + 1)
    await expectRefused(client, 'private-a', 'AuthError', 401, badSignature(`${client.socketId}:private-a`, digest))
    client.close()
  })

  it.each([
    ['other-key:abc', 'other-key'],
    [':abc', ''],
    ['no-colon', 'no-colon'],
    ['__proto__:abc', '__proto__'],
  ])('another key, %s: Invalid key', async (auth, key) => {
    const client = await server().connect()
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth } })
    await expectRefused(client, 'private-a', 'AuthError', 401, `Invalid key in subscription auth data: '${key}'`)
    client.close()
  })

  it.each([undefined, null, '', 7, {}])('auth %j is none', async (auth) => {
    const client = await server().connect()
    client.send({ event: 'pusher:subscribe', data: { channel: 'presence-a', auth } })
    await expectRefused(client, 'presence-a', 'AuthError', 401, 'Auth info required to subscribe to presence-a')
    client.close()
  })

  it.each([
    'not json',
    '',
    '"u1"',
    '[]',
    'null',
    '{}',
    '{"user_id":""}',
    '{"user_id":null}',
    '{"user_id":true}',
    '{"user_id":{}}',
    '{"user_id":["u"]}',
    '{"user_info":{}}',
    '{"__proto__":{"user_id":"u"}}',
  ])('presence with channel_data %s: refused', async (channelData) => {
    const client = await server().connect()
    const auth = channelAuth(credentials, client.socketId, 'presence-a', channelData)
    client.send({ event: 'pusher:subscribe', data: { channel: 'presence-a', auth, channel_data: channelData } })
    await expectRefused(client, 'presence-a', 'AuthError', 401, invalidMember)
    client.close()
  })

  it('a corrected retry on the same connection works', async () => {
    const client = await server().connect()
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth: 'x:y' } })
    await expectRefused(client, 'private-a', 'AuthError', 401, "Invalid key in subscription auth data: 'x'")
    await client.subscribePrivate('private-a', credentials)
    await server().trigger('private-a', 'e', 'd')
    expect((await client.next()).text).toBe(eventText('e', 'private-a', 'd'))
    client.close()
  })

  it('a refused channel gets nothing', async () => {
    const client = await server().connect()
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-secret' } })
    await expectRefused(client, 'private-secret', 'AuthError', 401, 'Auth info required to subscribe to private-secret')
    await server().trigger('private-secret', 'e', 'd')
    await client.expectNothing()
    client.close()
  })

  it('a second subscribe gets only pusher:error, and the first subscription goes on', async () => {
    const client = await server().connect()
    await client.subscribePrivate('private-a', credentials)
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth: 'x:y' } })
    await expectError(client, null, 'Existing subscription to channel private-a')
    await server().trigger('private-a', 'e', 'd')
    expect((await client.next()).text).toBe(eventText('e', 'private-a', 'd'))
    await client.expectNothing()
    client.close()
  })

  it('so does one that comes while the first is still joining', async () => {
    const client = await server().connect()
    const channelData = '{"user_id":"u1"}'
    const auth = channelAuth(credentials, client.socketId, 'presence-twice', channelData)
    for (let count = 0; count < 2; count += 1) {
      client.send({ event: 'pusher:subscribe', data: { channel: 'presence-twice', auth, channel_data: channelData } })
    }
    const frames = [await client.next(), await client.next()]
    expect(frames.map((frame) => frame.event).sort()).toEqual([
      'pusher:error',
      'pusher_internal:subscription_succeeded',
    ])
    expect(frames.map((frame) => frame.text)).toContain(
      errorText(null, 'Existing subscription to channel presence-twice'),
    )
    client.close()
  })

  it('above subscriptionsPerConnection: LimitReached 4100, until one is given up', async () => {
    const client = await server().connect()
    for (const channel of ['a', 'b', 'c']) await client.subscribe(channel)
    const message = 'The connection is subscribed to 3 channels, the most allowed; unsubscribe from one first'
    client.send({ event: 'pusher:subscribe', data: { channel: 'd' } })
    await expectRefused(client, 'd', 'LimitReached', 4100, message)
    client.send({ event: 'pusher:subscribe', data: { channel: 'a' } })
    await expectError(client, null, 'Existing subscription to channel a')
    client.send({ event: 'pusher:unsubscribe', data: { channel: 'b' } })
    await client.subscribe('d')
    client.close()
  })

  it('counts refused signatures', async () => {
    const failures = () => metricOf(server().metricsUrl, 'belfry_auth_failures_total', 'app_id="3",kind="channel"')
    const before = await failures()
    const client = await server().connect()
    for (const auth of ['', 'x:y', `${credentials.key}:0`]) {
      client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth } })
    }
    expect(await framesSoFar(client)).toHaveLength(6)
    expect(await failures()).toBe(before + 3)
    client.close()
  })
})

function upperDigest(auth: string): string {
  const colon = auth.indexOf(':')
  return auth.slice(0, colon + 1) + auth.slice(colon + 1).toUpperCase()
}
