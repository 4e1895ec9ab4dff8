/** Section 5: the seven events as they arrive, verified and read by the `pusher` library. */
import { createHmac } from 'node:crypto'
import Pusher from 'pusher-js'
import { describe, expect, it } from 'vitest'
import { credentials } from '../../harness/test-server.js'
import { WebhookReceiver } from '../../harness/webhook-receiver.js'
import { addressOptions, connected } from '../clients/application.js'
import { framesSoFar } from '../raw/expecting.js'
import { hook, HookedServer, join, leave, namesOf, placeOf, sharedHooks, whisper } from './hooked-server.js'

const anyId = expect.stringMatching(/^\d+-\d+-\d+$/) as string
/** Of events that are no transitions: the node and a number. */
const anyNoticeId = expect.stringMatching(/^[\w-]+-\d+$/) as string

describe('subscriptions', () => {
  const hooked = sharedHooks((receiver) => [hook(receiver, '/all')], { subscriptionCount: { enabled: true } })

  it('channel_occupied, subscription_count and channel_vacated', async () => {
    const { server, receiver } = hooked()
    const [one, two] = [await server.connect(), await server.connect()]
    await one.subscribe('news')
    await two.subscribe('news')
    for (const client of [one, two]) leave(client, 'news')
    const counted = (count: number) => ({
      name: 'subscription_count',
      channel: 'news',
      subscription_count: count,
      id: anyId,
    })
    expect(await receiver.heard(6, { channel: 'news' })).toEqual([
      { name: 'channel_occupied', channel: 'news', id: anyId },
      ...[1, 2, 1, 0].map(counted),
      { name: 'channel_vacated', channel: 'news', id: anyId },
    ])
    for (const client of [one, two]) client.close()
  })

  it('member_added and member_removed, of users and not of their connections', async () => {
    const { server, receiver } = hooked()
    const clients = [await server.connect(), await server.connect(), await server.connect()]
    const users = ['ann', 'ann', 'ü🔔"\\']
    for (const [index, client] of clients.entries()) await join(client, 'presence-a', users[index]!)
    for (const client of clients) client.close()
    const channel = 'presence-a'
    const events = await receiver.heard(6, { channel })
    expect(events.filter(({ name }) => name.startsWith('channel_'))).toEqual([
      { name: 'channel_occupied', channel, id: anyId },
      { name: 'channel_vacated', channel, id: anyId },
    ])
    for (const userId of ['ann', 'ü🔔"\\']) {
      expect(events.filter(({ user_id: user }) => user === userId)).toEqual([
        { name: 'member_added', channel, user_id: userId, id: anyId },
        { name: 'member_removed', channel, user_id: userId, id: anyId },
      ])
    }
    // No subscription_count: there is none of presence channels (2.10).
    expect(events).toHaveLength(6)
  })
})

describe('what clients and subscribers of caches cause', () => {
  const hooked = sharedHooks((receiver) => [hook(receiver, '/all')])

  it('client_event: data is a string whatever was sent, user_id only on presence channels', async () => {
    const { server, receiver } = hooked()
    const client = await server.connect()
    await client.subscribePrivate('private-talk', credentials)
    await join(client, 'presence-talk', '10')
    whisper(client, 'private-talk', 'client-moved', { x: 1.0, text: 'ü🔔' })
    whisper(client, 'private-talk', 'client-said', 'plain "text"')
    client.sendText('{"event":"client-raw","channel":"private-talk","data":{ "n": 1.00 , "u":"\\ud800" }}')
    whisper(client, 'presence-talk', 'client-moved', { x: 2 })
    const told = (channel: string, event: string, data: string) => ({
      name: 'client_event',
      channel,
      event,
      data,
      socket_id: client.socketId,
      id: anyNoticeId,
    })
    const events = await receiver.heard(3, { channel: 'private-talk', name: 'client_event' })
    expect(events).toEqual([
      told('private-talk', 'client-moved', '{"x":1,"text":"ü🔔"}'),
      told('private-talk', 'client-said', 'plain "text"'),
      told('private-talk', 'client-raw', '{ "n": 1.00 , "u":"\\ud800" }'),
    ])
    expect(await receiver.heard(1, { channel: 'presence-talk', name: 'client_event' })).toEqual([
      { ...told('presence-talk', 'client-moved', '{"x":2}'), user_id: '10' },
    ])
    client.close()
  })

  it('client_event: what is not accepted is not told, and ciphertext stays what it is', async () => {
    const { server, receiver } = hooked()
    const client = await server.connect()
    await client.subscribe('plain')
    await client.subscribePrivate('private-encrypted-a', credentials)
    await client.subscribePrivate('private-closed', credentials)
    const ciphertext = { nonce: 'bm9uY2U=', ciphertext: 'Y2lwaGVydGV4dA==' }
    // Refused: on a public channel, on an encrypted one, where it is not subscribed, and above ten in a second.
    for (const channel of ['plain', 'private-encrypted-a', 'private-other']) whisper(client, channel, 'client-a', {})
    for (let n = 0; n < 12; n += 1) whisper(client, 'private-closed', 'client-a', n === 0 ? ciphertext : { n })
    const refused = (await framesSoFar(client)).filter(({ event }) => event === 'pusher:error').length
    // The bucket may have filled up by one or two meanwhile.
    expect(refused).toBeGreaterThanOrEqual(4)
    const accepted = 15 - refused
    const events = await receiver.heard(accepted, { name: 'client_event', channel: 'private-closed' })
    expect(events).toHaveLength(accepted)
    expect(events[0]?.data).toBe(JSON.stringify(ciphertext))
    leave(client, 'plain')
    await receiver.heard(1, { name: 'channel_vacated', channel: 'plain' })
    const strangers = ['plain', 'private-encrypted-a', 'private-other']
    const told = receiver.events({ name: 'client_event' })
    expect(told.filter(({ channel }) => strangers.includes(channel))).toEqual([])
    client.close()
  })

  it('client_event of pusher-js', async () => {
    const { server, receiver } = hooked()
    const page = new Pusher(credentials.key, {
      ...addressOptions(server.port),
      channelAuthorization: {
        transport: 'ajax',
        endpoint: '',
        customHandler: ({ socketId, channelName }, callback) => {
          const digest = createHmac('sha256', credentials.secret).update(`${socketId}:${channelName}`).digest('hex')
          callback(null, { auth: `${credentials.key}:${digest}` })
        },
      },
    })
    await connected(page)
    const channel = page.subscribe('private-page')
    channel.bind('pusher:subscription_succeeded', () => channel.trigger('client-typing', { by: 'ann' }))
    expect(await receiver.heard(1, { channel: 'private-page', name: 'client_event' })).toEqual([
      {
        name: 'client_event',
        channel: 'private-page',
        event: 'client-typing',
        data: '{"by":"ann"}',
        socket_id: page.connection.socket_id,
        id: anyNoticeId,
      },
    ])
    page.disconnect()
  })

  it('cache_miss, at most once per channel and second', async () => {
    const { server, receiver } = hooked()
    const channel = 'private-cache-price'
    const clients = await Promise.all(Array.from({ length: 6 }, () => server.connect()))
    const miss = async (client: (typeof clients)[number]) => {
      await client.subscribePrivate(channel, credentials)
      await client.next('pusher:cache_miss')
    }
    const startedMs = performance.now()
    for (const client of clients.slice(0, 5)) await miss(client)
    expect(performance.now() - startedMs, 'five misses within their second').toBeLessThan(900)
    // The events of one channel keep their order, and this one was caused after all misses.
    whisper(clients[0]!, channel, 'client-after', {})
    await receiver.heard(1, { channel, name: 'client_event' })
    const misses = () => receiver.events({ channel, name: 'cache_miss' })
    expect(misses()).toEqual([{ name: 'cache_miss', channel, id: anyNoticeId }])
    // The second is what is tested, so it has to pass.
    await new Promise((resolve) => setTimeout(resolve, startedMs + 1100 - performance.now()))
    await miss(clients[5]!)
    await receiver.heard(2, { channel, name: 'cache_miss' })
    await server.trigger(channel, 'price', '1')
    const late = await server.connect()
    await late.subscribePrivate(channel, credentials)
    whisper(late, channel, 'client-end', {})
    await receiver.heard(2, { channel, name: 'client_event' })
    expect(misses()).toHaveLength(2)
    for (const client of [...clients, late]) client.close()
  })

  it('no subscription_count where the app has it not told to its subscribers', async () => {
    const { server, receiver } = hooked()
    const client = await server.connect()
    await client.subscribe('uncounted')
    leave(client, 'uncounted')
    const events = await receiver.heard(2, { channel: 'uncounted' })
    expect(namesOf(events)).toEqual(['channel_occupied', 'channel_vacated'])
    await server.nothingQueued()
    expect(receiver.events({ name: 'subscription_count' })).toEqual([])
    client.close()
  })

  it('every event has an id of its own, and those of a partition are in order', async () => {
    const { server, receiver } = hooked()
    const client = await server.connect()
    for (let n = 0; n < 5; n += 1) {
      await client.subscribe('ids')
      await framesSoFar(client)
      leave(client, 'ids')
    }
    const ids = (await receiver.heard(10, { channel: 'ids' })).map(({ id }) => id)
    const numbers = ids.map((id) => placeOf(id).number)
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    const all = receiver.events().map(({ id }) => id)
    expect(new Set(all).size).toBe(all.length)
    client.close()
  })
})

describe('a request on the wire', () => {
  const hooked = sharedHooks((receiver) => [
    hook(receiver, '/plain?token=a%20b'),
    hook(receiver, '/headers', {
      headers: {
        Authorization: 'Bearer hidden',
        'X-Team': 'blue',
        'User-Agent': 'team',
      },
    }),
  ])

  it('has the headers in the spelling of section 5, and a body to the character', async () => {
    const { server, receiver } = hooked()
    const client = await server.connect()
    const beforeMs = Date.now()
    await client.subscribe('wire')
    await receiver.heard(1, { channel: 'wire', path: '/plain?token=a%20b' })
    const [attempt] = receiver.at('/plain?token=a%20b')
    const { body, rawHeaders, timeMs, events } = attempt!
    const id = events[0]!.id
    expect(body).toBe(
      `{"time_ms":${timeMs},"events":[{"name":"channel_occupied","channel":"wire","id":${JSON.stringify(id)}}]}`,
    )
    expect(timeMs).toBeGreaterThanOrEqual(beforeMs)
    expect(timeMs).toBeLessThanOrEqual(Date.now())
    const headers = new Map(pairs(rawHeaders))
    expect([...headers.keys()]).toEqual(
      expect.arrayContaining(['Content-Type', 'X-Pusher-Key', 'X-Pusher-Signature', 'X-Belfry-Delivery', 'User-Agent']),
    )
    expect(headers.get('Content-Type')).toBe('application/json')
    expect(headers.get('X-Pusher-Key')).toBe(credentials.key)
    expect(headers.get('X-Pusher-Signature')).toBe(createHmac('sha256', credentials.secret).update(body).digest('hex'))
    expect(headers.get('User-Agent')).toMatch(/^Belfry/)
    expect(headers.get('X-Belfry-Delivery')).toMatch(/^\S{16,}$/)
    client.close()
  })

  it('has the configured headers too', async () => {
    const { server, receiver } = hooked()
    const client = await server.connect()
    await client.subscribe('more')
    await receiver.heard(1, { channel: 'more', path: '/headers' })
    const attempts = receiver.at('/headers')
    const all = pairs(attempts[0]!.rawHeaders)
    const valuesOf = (name: string) => all.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
    expect(valuesOf('authorization')).toEqual(['Bearer hidden'])
    expect(valuesOf('x-team')).toEqual(['blue'])
    expect(valuesOf('user-agent')).toEqual(['team'])
    for (const name of ['content-type', 'x-pusher-key', 'x-pusher-signature', 'x-belfry-delivery', 'host']) {
      expect(valuesOf(name), name).toHaveLength(1)
    }
    expect(JSON.stringify(server.logger.lines)).not.toContain('hidden')
    client.close()
  })

  it('has none of ours from the configuration: that is refused', async () => {
    for (const name of ['Content-Type', 'x-pusher-key', 'X-PUSHER-SIGNATURE', 'x-belfry-delivery']) {
      const webhooks = [{ url: 'http://127.0.0.1:9/', headers: { [name]: 'x' } }]
      const started = HookedServer.start([{ id: '3', ...credentials, webhooks }])
      await expect(started).rejects.toThrow(
        `headers.${name} in test.json is set, but is a header that Belfry itself sends`,
      )
    }
  })

  it('X-Belfry-Delivery differs with every request', () => {
    const { receiver } = hooked()
    const ids = receiver.attempts.map(({ deliveryId }) => deliveryId)
    expect(ids.length).toBeGreaterThan(3)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

it('of two keys the oldest active one signs, and a change of keys counts for the next request', async () => {
  const [oldest, newest] = [
    { key: 'oldest-key', secret: 'secret-of-the-oldest' },
    { key: 'newest-key', secret: 'secret-of-the-newest' },
  ]
  // The application has rotated already: its library has the new pair, and the old one as an extra token.
  const receiver = await WebhookReceiver.start([{ id: '7', keys: [newest, oldest] }])
  const app = { id: '7', webhooks: [hook(receiver, '/keys')] }
  const server = await HookedServer.start([{ ...app, keys: [oldest, newest] }])
  try {
    const client = await server.connect(newest.key)
    await client.subscribe('a')
    await receiver.heard(1, { channel: 'a' })
    server.replaceApps([{ ...app, keys: [newest] }])
    await client.subscribe('b')
    await receiver.heard(1, { channel: 'b' })
    receiver.trust([{ id: '7', keys: [newest] }])
    await client.subscribe('c')
    await receiver.heard(1, { channel: 'c' })
    expect(receiver.attempts.map(({ key, valid }) => [key, valid])).toEqual([
      [oldest.key, true],
      [newest.key, true],
      [newest.key, true],
    ])
    expect(namesOf(receiver.events())).toEqual(['channel_occupied', 'channel_occupied', 'channel_occupied'])
    client.close()
  } finally {
    await server.stop()
    await receiver.close()
  }
})

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!])
}
