/** Section 5: what each of an app's addresses is sent, and how. */
import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.js'
import { freePort } from '../../harness/free-port.js'
import { credentials } from '../../harness/test-server.js'
import type { Attempt } from '../../harness/webhook-receiver.js'
import { framesSoFar } from '../raw/expecting.js'
import { hook, join, leave, namesOf, OwnHooks, placeOf, sharedHooks, whisper } from './hooked-server.js'

describe('filters per address', () => {
  const hooked = sharedHooks((receiver) => [
    hook(receiver, '/all'),
    hook(receiver, '/none-named', { events: [] }),
    hook(receiver, '/occupied', { events: ['channel_occupied'] }),
    hook(receiver, '/talk', { events: ['client_event', 'cache_miss'] }),
    hook(receiver, '/prefix', { channelPrefix: 'presence-team-' }),
    hook(receiver, '/suffix', { channelSuffix: '-vip' }),
    hook(receiver, '/both', { channelPrefix: 'presence-team-', channelSuffix: '-vip', events: ['member_added'] }),
  ])

  it('each gets what it asked for, and nothing else', async () => {
    const { server, receiver } = hooked()
    const client = await server.connect()
    const channels = ['presence-team-a', 'presence-team-vip', 'presence-other-vip', 'private-cache-vip']
    for (const channel of channels.slice(0, 3)) await join(client, channel, 'ann')
    await client.subscribePrivate('private-cache-vip', credentials)
    await client.next('pusher:cache_miss')
    for (const channel of channels) whisper(client, channel, 'client-a', {})
    await framesSoFar(client)
    // The last that each channel causes, and so the last of each channel anywhere.
    for (const channel of channels) leave(client, channel)
    const summary = (path: string) =>
      receiver
        .events({ path })
        .map(({ channel, name }) => `${channel} ${name}`)
        .toSorted()
    const member = ['channel_occupied', 'channel_vacated', 'client_event', 'member_added', 'member_removed']
    const everything = [
      ...channels.slice(0, 3).flatMap((channel) => member.map((name) => `${channel} ${name}`)),
      ...['cache_miss', 'channel_occupied', 'channel_vacated', 'client_event'].map((name) => `${channels[3]} ${name}`),
    ].toSorted()
    const expected = new Map([
      ['/all', everything],
      ['/none-named', everything],
      ['/occupied', everything.filter((each) => each.endsWith('channel_occupied'))],
      ['/talk', everything.filter((each) => /client_event|cache_miss/.test(each))],
      ['/prefix', everything.filter((each) => each.startsWith('presence-team-'))],
      ['/suffix', everything.filter((each) => each.includes('-vip '))],
      ['/both', ['presence-team-vip member_added']],
    ])
    for (const [path, events] of expected) {
      await receiver.heard(events.length, { path })
      expect(summary(path), path).toEqual(events)
    }
    client.close()
  })

  it('an event has the same id at every address', async () => {
    const { server, receiver } = hooked()
    const client = await server.connect()
    await client.subscribe('same-vip')
    const ids = await Promise.all(
      ['/all', '/none-named', '/occupied', '/suffix'].map(async (path) => {
        const [event] = await receiver.heard(1, { path, channel: 'same-vip' })
        return event?.id
      }),
    )
    expect(new Set(ids).size).toBe(1)
    client.close()
  })
})

describe('batches', () => {
  const windowMs = 150
  const hooked = sharedHooks((receiver) => [
    hook(receiver, '/batched', { batch: { enabled: true, windowMs, max: 5 } }),
    hook(receiver, '/single'),
  ])

  it('close when they are full or when the window ends; off: one event per request', async () => {
    const { server, receiver } = hooked()
    const client = await server.connect()
    const channels = Array.from({ length: 12 }, (_, index) => `burst-${index}`)
    for (const channel of channels) client.send({ event: 'pusher:subscribe', data: { channel } })
    await receiver.heard(12, { path: '/batched' })
    await receiver.heard(12, { path: '/single' })
    const batches = inOrder(receiver.at('/batched'))
    expect(batches.map(({ events }) => events.length)).toEqual([5, 5, 2])
    // In the order of occurrence, within a request and from one to the next.
    expect(batches.flatMap(({ events }) => events.map(({ channel }) => channel))).toEqual(channels)
    expect(ageMs(batches[2]!)).toBeGreaterThanOrEqual(windowMs - 5)
    expect(ageMs(batches[0]!)).toBeLessThan(windowMs)
    expect(receiver.at('/single').map(({ events }) => events.length)).toEqual(new Array(12).fill(1))
    client.close()
    await receiver.heard(24, { path: '/batched' })
    await receiver.heard(24, { path: '/single' })
  })

  it('hold what happens within the window, also several events of one channel', async () => {
    const { server, receiver } = hooked()
    const client = await server.connect()
    await client.subscribePrivate('private-window', credentials)
    for (const n of [1, 2, 3]) whisper(client, 'private-window', `client-${n}`, { n })
    const events = await receiver.heard(4, { path: '/batched', channel: 'private-window' })
    expect(events.filter(({ name }) => name === 'client_event').map(({ event }) => event)).toEqual([
      'client-1',
      'client-2',
      'client-3',
    ])
    const own = receiver.at('/batched').filter(({ body }) => body.includes('private-window'))
    expect(own).toHaveLength(1)
    client.close()
    await receiver.heard(1, { path: '/batched', channel: 'private-window', name: 'channel_vacated' })
  })

  it('wait for the one before when they have a channel in common, and not for others', async () => {
    const { server, receiver } = hooked()
    const isFirst = ({ path, body }: Attempt) => path === '/batched' && body.includes('client-slow')
    receiver.answer((attempt) => (isFirst(attempt) ? { status: 200, afterMs: 400 } : 200))
    const client = await server.connect()
    await client.subscribePrivate('private-busy', credentials)
    await receiver.heard(1, { path: '/batched', channel: 'private-busy' })
    whisper(client, 'private-busy', 'client-slow', {})
    await eventually('the slow request', () => receiver.attempts.some(isFirst))
    whisper(client, 'private-busy', 'client-next', {})
    await client.subscribe('idle')
    await receiver.heard(2, { path: '/batched', channel: 'private-busy', name: 'client_event' })
    const requests = receiver.at('/batched')
    const [first, second, idle] = ['client-slow', 'client-next', '"idle"'].map((text) =>
      requests.find(({ body }) => body.includes(text)),
    )
    expect(second!.atMs).toBeGreaterThanOrEqual(first!.endedAtMs!)
    expect(idle!.atMs).toBeLessThan(first!.endedAtMs!)
    client.close()
    await receiver.heard(1, { path: '/batched', channel: 'private-busy', name: 'channel_vacated' })
  })
})

describe('several addresses', () => {
  const own = new OwnHooks()

  it('one that is gone and one that hangs delay no other', async () => {
    const gone = await freePort()
    const { server, receiver } = await own.start((to) => [
      hook(to, '/gone', { url: `http://127.0.0.1:${gone}/gone` }),
      hook(to, '/hangs'),
      hook(to, '/alive'),
    ])
    receiver.answer(({ path }) => (path === '/hangs' ? 'hang' : 200))
    const client = await server.connect()
    // More channels than requests may be open to one address.
    const channels = Array.from({ length: 100 }, (_, index) => `c-${index}`)
    for (const channel of channels) client.send({ event: 'pusher:subscribe', data: { channel } })
    const events = await receiver.heard(100, { path: '/alive' })
    expect(namesOf(events)).toEqual(new Array(100).fill('channel_occupied'))
    const slowestMs = Math.max(...receiver.at('/alive').map(ageMs))
    // The first attempt at the other two has not even ended: 5 s of time limit, 0.5 s until the next.
    expect(slowestMs).toBeLessThan(2000)
    expect(receiver.at('/hangs').length).toBeLessThanOrEqual(16)
    expect(await server.outcome('delivered')).toBe(100)
    expect(await server.queued()).toBe(200)
    client.close()
  })
})

/** Requests may overtake each other on the way; ids say in which order events happened. */
function inOrder(attempts: readonly Attempt[]): Attempt[] {
  return attempts.toSorted((a, b) => placeOf(a.events[0]!.id).number - placeOf(b.events[0]!.id).number)
}

/** How long after its first event happened the request came. */
function ageMs({ atMs, events }: Attempt): number {
  return atMs - placeOf(events[0]!.id).ms
}
