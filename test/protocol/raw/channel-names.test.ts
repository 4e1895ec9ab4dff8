import { describe, expect, it } from 'vitest'
import { channelAuth } from '../../harness/raw-client.js'
import { credentials } from '../../harness/test-server.js'
import { eventText, expectRefused } from './expecting.js'
import { sharedServer } from './shared-server.js'

const tooLong = (length: number, limit: number) =>
  `The channel name is too long: at most ${limit} characters are allowed, this one has ${length}`
const invalid = (name: string) =>
  `Invalid channel name '${name}': only letters, digits and _ - = @ , . ; are allowed, and #server-to-user-ID for signed-in users`

describe('channel names (2.2)', () => {
  const server = sharedServer()

  it.each(['a', 'Az09_-=@,.;', '-', '__proto__', 'constructor', 'x'.repeat(200), 'cache', 'client-x', 'pusher', '..'])(
    'takes %.40s',
    async (name) => {
      const client = await server().connect()
      const frame = await client.subscribe(name)
      expect(frame.text).toBe(eventText('pusher_internal:subscription_succeeded', name, '{}'))
      await server().trigger(name, 'e', 'd')
      expect((await client.next()).text).toBe(eventText('e', name, 'd'))
      client.close()
    },
  )

  it.each([
    '',
    'a b',
    'a:b',
    'a/b',
    'ü',
    'a\n',
    'a"b',
    'a\\b',
    '😀',
    '#',
    '#a',
    '#server-to-user-',
    '#private-a',
    'a#b',
    'a*',
    '%61',
  ])('refuses %j with InvalidChannel', async (name) => {
    const client = await server().connect()
    client.send({ event: 'pusher:subscribe', data: { channel: name } })
    await expectRefused(client, name, 'InvalidChannel', 400, invalid(name))
    await client.expectNothing()
    client.close()
  })

  it('refuses one character more than channelNameLength', async () => {
    const client = await server().connect()
    const name = 'x'.repeat(201)
    client.send({ event: 'pusher:subscribe', data: { channel: name } })
    await expectRefused(client, name, 'LimitReached', 4009, tooLong(201, 200))
    client.close()
  })

  it.each([
    ['private-a', 'Auth info required to subscribe to private-a'],
    ['private-encrypted-a', 'Auth info required to subscribe to private-encrypted-a'],
    ['presence-a', 'Auth info required to subscribe to presence-a'],
    ['private-cache-a', 'Auth info required to subscribe to private-cache-a'],
    ['private-encrypted-cache-a', 'Auth info required to subscribe to private-encrypted-cache-a'],
    ['presence-cache-a', 'Auth info required to subscribe to presence-cache-a'],
    ['private-', 'Auth info required to subscribe to private-'],
    ['presence-', 'Auth info required to subscribe to presence-'],
  ])('%s asks for a signature', async (name, message) => {
    const client = await server().connect()
    client.send({ event: 'pusher:subscribe', data: { channel: name, auth: '' } })
    await expectRefused(client, name, 'AuthError', 401, message)
    client.close()
  })

  it.each([
    'private',
    'presence',
    'privatex-a',
    'Private-a',
    'PRESENCE-a',
    'encrypted-a',
    'server-to-user-7',
    'a-private-b',
  ])('%s is public', async (name) => {
    const client = await server().connect()
    await client.subscribe(name)
    await client.expectNothing()
    client.close()
  })

  it.each(['cache-', 'cache-private-x', 'cache-presence-x'])('%s is a public cache channel', async (name) => {
    const client = await server().connect()
    await client.subscribe(name)
    expect((await client.next()).text).toBe(eventText('pusher:cache_miss', name, '{}'))
    client.close()
  })

  it.each(['private-a-cache-b', 'private-encrypted-cachex', 'private-Cache-a', 'private-encryptedcache-a'])(
    '%s is no cache channel',
    async (name) => {
      const client = await server().connect()
      await client.subscribe(name, { auth: channelAuth(credentials, client.socketId, name) })
      await client.expectNothing()
      client.close()
    },
  )
})
