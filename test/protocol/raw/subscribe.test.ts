import { describe, expect, it } from 'vitest'
import { channelAuth } from '../../harness/raw-client.js'
import { credentials } from '../../harness/test-server.js'
import { eventText, expectError, expectRefused, framesSoFar, unsubscribe } from './expecting.js'
import { sharedServer } from './shared-server.js'

const invalidMember =
  'Invalid channel_data: it must be the JSON text of an object with a non-empty user_id (string or number)'
const succeeded = (channel: string) => eventText('pusher_internal:subscription_succeeded', channel, '{}')
const noSubscription = (channel: string) => `No current subscription to channel ${channel}, or subscription in progress`

describe('subscribe (2.3)', () => {
  const server = sharedServer()

  it.each([
    ['public, without auth', 'news', undefined, false],
    ['public, with the empty auth of pusher-js', 'news', '', false],
    ['public, with any auth', 'news', 'nonsense', false],
    ['private', 'private-a', 'signed', false],
    ['private-encrypted', 'private-encrypted-a', 'signed', false],
    ['cache', 'cache-a', undefined, true],
    ['private-cache', 'private-cache-a', 'signed', true],
    ['private-encrypted-cache', 'private-encrypted-cache-a', 'signed', true],
  ])('%s: succeeded with "{}", then events, until unsubscribed', async (_kind, channel, auth, cached) => {
    const client = await server().connect()
    const given = auth === 'signed' ? channelAuth(credentials, client.socketId, channel) : auth
    const frame = await client.subscribe(channel, given === undefined ? {} : { auth: given })
    expect(frame.text).toBe(succeeded(channel))
    if (cached) expect((await client.next()).text).toBe(eventText('pusher:cache_miss', channel, '{}'))
    await server().trigger(channel, 'one', '1')
    expect((await client.next()).text).toBe(eventText('one', channel, '1'))
    await unsubscribe(client, channel)
    await server().trigger(channel, 'two', '2')
    await client.expectNothing()
    client.close()
  })

  it('public: ignores channel_data', async () => {
    const client = await server().connect()
    expect((await client.subscribe('news', { channel_data: '{"user_id":"u"}' })).text).toBe(succeeded('news'))
    client.close()
  })

  it.each(['presence-a', 'presence-cache-a'])('%s: needs channel_data', async (channel) => {
    const client = await server().connect()
    const auth = channelAuth(credentials, client.socketId, channel)
    client.send({ event: 'pusher:subscribe', data: { channel, auth } })
    await expectRefused(client, channel, 'AuthError', 401, invalidMember)
    await client.subscribePresence(channel, credentials, 'u1')
    client.close()
  })

  it('tells the subscriber only', async () => {
    const [one, two] = [await server().connect(), await server().connect()]
    await one.subscribe('quiet')
    await two.subscribe('quiet')
    await one.expectNothing()
    for (const client of [one, two]) client.close()
  })

  it('answers every one of 900 subscribes sent at once, and refuses none', async () => {
    const client = await server().connect()
    const channels = Array.from({ length: 300 }, (_, index) => [
      `c-${index}`,
      `private-c-${index}`,
      `cache-c-${index}`,
    ]).flat()
    for (const channel of channels) {
      const auth = channel.startsWith('private-') ? channelAuth(credentials, client.socketId, channel) : ''
      client.send({ event: 'pusher:subscribe', data: { channel, auth } })
    }
    const answered: string[] = []
    while (answered.length < 900) {
      const { event, channel, text } = await client.next()
      if (event === 'pusher_internal:subscription_succeeded') answered.push(channel ?? '')
      else expect(text).toBe(eventText('pusher:cache_miss', channel ?? '', '{}'))
    }
    expect([...answered].sort()).toEqual([...channels].sort())
    client.close()
  })

  it('loses nothing that is published after the answer, and sends nothing before it', async () => {
    const publisher = server()
    const client = await publisher.connect()
    let running = true
    let published = 0
    const publishing = (async () => {
      while (running) {
        await publisher.trigger('private-stream', 'n', String(published))
        published += 1
      }
    })()
    for (let round = 0; round < 5; round += 1) {
      const before = client.frames.length
      await client.subscribePrivate('private-stream', credentials)
      expect(client.frames[before]?.event).toBe('pusher_internal:subscription_succeeded')
      const numbers: number[] = []
      for (let index = 0; index < 10; index += 1) numbers.push(Number((await client.next('n')).data))
      expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index))
      await unsubscribe(client, 'private-stream')
    }
    running = false
    await publishing
    client.close()
  })
})

describe('unsubscribe (2.3)', () => {
  const server = sharedServer()

  it('is not acknowledged', async () => {
    const client = await server().connect()
    await client.subscribe('news')
    client.send({ event: 'pusher:unsubscribe', data: { channel: 'news' } })
    await client.expectNothing()
    client.close()
  })

  it.each(['never-seen', 'private-a', 'a b', '', '#server-to-user-1'])(
    'of %j, not subscribed: error',
    async (channel) => {
      const client = await server().connect()
      client.send({ event: 'pusher:unsubscribe', data: { channel } })
      await expectError(client, null, noSubscription(channel))
      client.close()
    },
  )

  it('twice: the second is an error', async () => {
    const client = await server().connect()
    await client.subscribe('news')
    for (let count = 0; count < 2; count += 1) client.send({ event: 'pusher:unsubscribe', data: { channel: 'news' } })
    await expectError(client, null, noSubscription('news'))
    client.close()
  })

  it('sent right after subscribe leaves nothing behind; subscribing again works', async () => {
    const client = await server().connect()
    client.send({ event: 'pusher:subscribe', data: { channel: 'cache-quick' } })
    client.send({ event: 'pusher:unsubscribe', data: { channel: 'cache-quick' } })
    await framesSoFar(client)
    expect((await server().get('channels/cache-quick')).text).toBe('{"occupied":false}')
    await server().trigger('cache-quick', 'e', '1')
    expect((await framesSoFar(client)).map((frame) => frame.event)).not.toContain('e')
    await client.subscribe('cache-quick')
    expect((await client.next()).text).toBe(eventText('e', 'cache-quick', '1'))
    client.close()
  })

  it('closing the socket unsubscribes everything', async () => {
    const client = await server().connect()
    await client.subscribe('gone-1')
    await client.subscribePrivate('private-gone-2', credentials)
    client.close()
    await client.waitForClose()
    await expect.poll(async () => (await server().get('channels', { filter_by_prefix: '' })).text).not.toContain('gone')
  })
})
