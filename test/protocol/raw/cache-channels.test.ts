import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { channelAuth, type RawClient } from '../../harness/raw-client.js'
import { appId, credentials, describeInProcess } from '../../harness/test-server.js'
import { eventually } from '../../harness/eventually.js'
import { rest } from '../../harness/rest.js'
import { eventText, framesSoFar, unsubscribe } from './expecting.js'
import { ClockedServer, sharedServer } from './shared-server.js'

const miss = (channel: string) => eventText('pusher:cache_miss', channel, '{}')
const kinds = ['cache-a', 'private-cache-a', 'private-encrypted-cache-a', 'presence-cache-a']

async function subscribe(client: RawClient, channel: string): Promise<void> {
  if (channel.startsWith('presence-')) await client.subscribePresence(channel, credentials, client.socketId)
  else await client.subscribe(channel, { auth: channelAuth(credentials, client.socketId, channel) })
}

describe('cache channels (2.7)', () => {
  const server = sharedServer()

  it.each(kinds)('%s: cache_miss while empty, then the last event, first after success', async (channel) => {
    const [one, two] = [await server().connect(), await server().connect()]
    await subscribe(one, channel)
    expect((await one.next()).text).toBe(miss(channel))
    await server().trigger(channel, 'first', '1')
    await server().trigger(channel, 'last', '{"a": 1.0}')
    const last = eventText('last', channel, '{"a": 1.0}')
    await subscribe(two, channel)
    expect((await two.next()).text).toBe(last)
    await two.expectNothing()
    const live = (await framesSoFar(one)).map((frame) => frame.text)
    expect(live.slice(0, 2)).toEqual([eventText('first', channel, '1'), last])
    for (const client of [one, two]) client.close()
  })

  it('the cached event outlives its subscribers', async () => {
    await server().trigger('cache-b', 'e', 'd')
    for (let count = 0; count < 2; count += 1) {
      const client = await server().connect()
      await client.subscribe('cache-b')
      expect((await client.next()).text).toBe(eventText('e', 'cache-b', 'd'))
      client.close()
      await client.waitForClose()
    }
  })

  it('subscribing again gets it again', async () => {
    const client = await server().connect()
    await server().trigger('cache-c', 'e', 'd')
    for (let count = 0; count < 2; count += 1) {
      await client.subscribe('cache-c')
      expect((await client.next()).text).toBe(eventText('e', 'cache-c', 'd'))
      await unsubscribe(client, 'cache-c')
    }
    client.close()
  })

  it('every subscriber that finds nothing is told so', async () => {
    for (let count = 0; count < 3; count += 1) {
      const client = await server().connect()
      await client.subscribe('cache-d')
      expect((await client.next()).text).toBe(miss('cache-d'))
      client.close()
    }
  })

  it('the excluded socket_id gets no live event, but the cached one', async () => {
    const client = await server().connect()
    await client.subscribe('cache-e')
    await client.next('pusher:cache_miss')
    await server().trigger('cache-e', 'e', 'd', client.socketId)
    expect(await unsubscribe(client, 'cache-e')).toEqual([])
    await client.subscribe('cache-e')
    expect((await client.next()).text).toBe(eventText('e', 'cache-e', 'd'))
    client.close()
  })

  it('client events are never cached', async () => {
    const [one, two] = [await server().connect(), await server().connect()]
    await server().trigger('private-cache-f', 'e', 'd')
    for (const client of [one, two]) {
      await subscribe(client, 'private-cache-f')
      await client.next('e')
    }
    one.send({ event: 'client-a', channel: 'private-cache-f', data: 1 })
    await two.next('client-a')
    await unsubscribe(two, 'private-cache-f')
    await subscribe(two, 'private-cache-f')
    expect((await two.next()).text).toBe(eventText('e', 'private-cache-f', 'd'))
    for (const client of [one, two]) client.close()
  })

  it('batch events, several channels and the empty string are cached', async () => {
    await server().post('batch_events', {
      batch: [
        { channel: 'cache-g', name: 'one', data: '1' },
        { channel: 'cache-g', name: 'two', data: '' },
      ],
    })
    await server().post('events', { channels: ['cache-h', 'cache-i'], name: 'e', data: 'd' })
    const client = await server().connect()
    for (const [channel, event, data] of [
      ['cache-g', 'two', ''],
      ['cache-h', 'e', 'd'],
      ['cache-i', 'e', 'd'],
    ] as const) {
      await client.subscribe(channel)
      expect((await client.next()).text).toBe(eventText(event, channel, data))
    }
    client.close()
  })

  it('a refused publish is not cached', async () => {
    const batch = [
      { channel: 'cache-j', name: 'e', data: 'd' },
      { channel: 'not valid', name: 'e', data: 'd' },
    ]
    expect((await server().post('batch_events', { batch })).status).toBe(400)
    const client = await server().connect()
    await client.subscribe('cache-j')
    expect((await client.next()).text).toBe(miss('cache-j'))
    client.close()
  })

  it('a channel that is no cache channel caches nothing', async () => {
    await server().trigger('plain', 'e', 'd')
    const client = await server().connect()
    await client.subscribe('plain')
    await client.expectNothing()
    client.close()
  })
})

describe('the end of a cached event, in real time (2.7)', () => {
  const short = sharedServer({ cache: { ttlSeconds: 1 } })

  it('comes after cache.ttlSeconds, and the REST API says so', async () => {
    const cache = async () => (await short().get('channels/cache-a', { info: 'cache' })).json()
    await short().trigger('cache-a', 'e', 'd')
    expect(await cache()).toEqual({ occupied: false, cache: { data: 'd', ttl: 1 } })
    await eventually('its end', async () => JSON.stringify(await cache()) === '{"occupied":false,"cache":null}')
    const client = await short().connect()
    await client.subscribe('cache-a')
    expect((await client.next()).text).toBe(miss('cache-a'))
    client.close()
  })
})

describeInProcess('the life of a cached event (2.7)', 'moves its clock', () => {
  let server: ClockedServer
  beforeAll(async () => {
    server = await ClockedServer.start({ cache: { ttlSeconds: 20 } })
  })
  afterAll(() => server.stop())
  const publish = (data: string) =>
    rest({ ...credentials, appId, url: server.url }, 'POST', 'events', {
      body: { channel: 'cache-a', name: 'e', data },
      timestampS: Math.floor(server.clock.nowMs() / 1000),
    })
  const found = async (client: RawClient) => {
    await client.subscribe('cache-a')
    const { text } = await client.next()
    await unsubscribe(client, 'cache-a')
    return text
  }

  it('ends after cache.ttlSeconds; each publish renews it', async () => {
    const client = await server.connect()
    expect((await publish('1')).text).toBe('{}')
    server.seconds(19)
    expect(await found(client)).toBe(eventText('e', 'cache-a', '1'))
    expect((await publish('2')).text).toBe('{}')
    server.seconds(19)
    expect(await found(client)).toBe(eventText('e', 'cache-a', '2'))
    server.seconds(1)
    expect(await found(client)).toBe(miss('cache-a'))
    client.close()
  })
})
