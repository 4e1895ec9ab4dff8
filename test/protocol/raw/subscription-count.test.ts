import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.js'
import type { RawClient } from '../../harness/raw-client.js'
import { credentials, describeInProcess } from '../../harness/test-server.js'
import { eventText, framesSoFar, unsubscribe } from './expecting.js'
import { ClockedServer, sharedServer } from './shared-server.js'

const count = (channel: string, subscribers: number) =>
  eventText('pusher_internal:subscription_count', channel, JSON.stringify({ subscription_count: subscribers }))

describe('subscription count (2.10)', () => {
  const server = sharedServer({ subscriptionCount: { enabled: true } })
  const off = sharedServer()

  it.each(['news', 'private-a', 'private-encrypted-a'])(
    '%s: told to all subscribers on every change',
    async (channel) => {
      const [one, two] = [await server().connect(), await server().connect()]
      await one.subscribePrivate(channel, credentials)
      expect((await one.next()).text).toBe(count(channel, 1))
      await two.subscribePrivate(channel, credentials)
      for (const client of [one, two]) expect((await client.next()).text).toBe(count(channel, 2))
      expect(await unsubscribe(two, channel)).toEqual([])
      expect((await one.next()).text).toBe(count(channel, 1))
      await two.subscribePrivate(channel, credentials)
      for (const client of [one, two]) expect((await client.next()).text).toBe(count(channel, 2))
      two.close()
      expect((await one.next()).text).toBe(count(channel, 1))
      await one.expectNothing()
      one.close()
    },
  )

  it('counts connections, of which a user may have several', async () => {
    const clients: RawClient[] = []
    for (let index = 1; index <= 3; index += 1) {
      const client = await server().connect()
      await client.subscribe('tabs')
      expect((await client.next()).text).toBe(count('tabs', index))
      clients.push(client)
    }
    for (const client of clients) client.close()
  })

  it('comes after the cached event, before live events', async () => {
    await server().trigger('cache-a', 'cached', '1')
    const client = await server().connect()
    await client.subscribe('cache-a')
    expect((await client.next()).text).toBe(eventText('cached', 'cache-a', '1'))
    expect((await client.next()).text).toBe(count('cache-a', 1))
    client.close()
    const second = await server().connect()
    await second.subscribe('cache-b')
    await second.next('pusher:cache_miss')
    expect((await second.next()).text).toBe(count('cache-b', 1))
    second.close()
  })

  it('not on presence channels', async () => {
    const [one, two] = [await server().connect(), await server().connect()]
    for (const client of [one, two]) await client.subscribePresence('presence-a', credentials, client.socketId)
    expect((await framesSoFar(one)).map((frame) => frame.event)).toEqual(['pusher_internal:member_added'])
    await two.expectNothing()
    for (const client of [one, two]) client.close()
  })

  it('off by default', async () => {
    const client = await off().connect()
    await client.subscribe('news')
    await client.expectNothing()
    client.close()
  })
})

describeInProcess('subscription count above 100 subscribers (2.10)', 'moves its clock', () => {
  let server: ClockedServer
  beforeAll(async () => {
    server = await ClockedServer.start({ subscriptionCount: { enabled: true } })
  })
  afterAll(() => server.stop())

  it('is told at most once per 5 s, and only if it changed', async () => {
    const watcher = await server.connect()
    await watcher.subscribe('news')
    const others = await Promise.all(Array.from({ length: 104 }, () => server.connect()))
    const join = (client: RawClient | undefined) => client?.subscribe('news')
    const counts = async () => (await framesSoFar(watcher)).map((frame) => frame.text)
    for (const client of others.slice(0, 99)) await join(client)
    expect(await counts()).toEqual(Array.from({ length: 100 }, (_, index) => count('news', index + 1)))
    for (const client of others.slice(99, 103)) await join(client)
    expect(await counts()).toEqual([count('news', 101)])
    server.clock.advance(4999)
    expect(await counts()).toEqual([])
    server.clock.advance(1)
    expect(await counts()).toEqual([count('news', 104)])
    await join(others[103])
    await unsubscribe(others[103] as RawClient, 'news')
    server.clock.advance(5000)
    expect(await counts()).toEqual([])
    server.clock.advance(5000)
    await join(others[103])
    expect(await counts()).toEqual([count('news', 105)])
    for (const client of others) client.close()
    await eventually('all others to be gone', () => watcher.frames.at(-1)?.text === count('news', 1))
    server.clock.advance(10_000)
    const told = await counts()
    expect(told.at(-1)).toBe(count('news', 1))
    expect(told.filter((text) => Number(/(\d+)\}"/.exec(text)?.[1]) > 100)).toEqual([])
    watcher.close()
  })
})
