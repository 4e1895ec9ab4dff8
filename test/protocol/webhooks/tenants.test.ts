/** Whose webhooks they are: apps never mix, a change of the configuration counts, and what is no channel of an app is not told. */
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.js'
import { appId, credentials, type Settings } from '../../harness/test-server.js'
import { WebhookReceiver } from '../../harness/webhook-receiver.js'
import { framesSoFar } from '../raw/expecting.js'
import { hook, HookedServer, join, leave, namesOf, oneApp, OwnHooks, sharedHooks, whisper } from './hooked-server.js'

describe('channels of users (2.8)', () => {
  const batch = { enabled: true, windowMs: 50, max: 100 }
  const hooked = sharedHooks((receiver) => [hook(receiver, '/hook', { batch })], {
    subscriptionCount: { enabled: true },
  })

  it('cause no webhook at all', async () => {
    const { server, receiver } = hooked()
    const client = await server.connect()
    client.signIn(credentials, { id: 'ann' })
    await client.next('pusher:signin_success')
    await client.subscribe('#server-to-user-ann')
    leave(client, '#server-to-user-ann')
    await framesSoFar(client)
    // On one node events are sent in the order in which they happened, so nothing of before comes after this.
    await client.subscribe('marker')
    await receiver.heard(2, { channel: 'marker' })
    expect(receiver.events().map(({ name, channel }) => `${name} ${channel}`)).toEqual([
      'channel_occupied marker',
      'subscription_count marker',
    ])
    client.close()
  })
})

describe('two apps with the same names', () => {
  const own = new OwnHooks()
  const first = { key: 'first-key', secret: 'secret-of-the-first' }
  const second = { key: 'second-key', secret: 'secret-of-the-second' }

  it('share no request, no pair and no signature, even at one address', async () => {
    const receiver = own.keep(
      await WebhookReceiver.start([
        { id: 'first', keys: [first] },
        { id: 'second', keys: [second] },
      ]),
    )
    // Long enough that events of both are gathered at the same time.
    const webhooks = [hook(receiver, '/both', { leaveDelayMs: 300, batch: { enabled: true, windowMs: 200, max: 100 } })]
    const server = own.adopt(
      await HookedServer.start([
        { id: 'first', ...first, webhooks },
        { id: 'second', ...second, webhooks },
      ]),
    )
    const [one, two] = [await server.connect(first.key), await server.connect(second.key)]
    await join(one, 'presence-room', 'ann', first)
    await join(two, 'presence-room', 'ann', second)
    whisper(one, 'presence-room', 'client-a', { app: 'first' })
    whisper(two, 'presence-room', 'client-a', { app: 'second' })
    leave(one, 'presence-room')
    leave(two, 'presence-room')
    await framesSoFar(one)
    await framesSoFar(two)
    // The return of one is none of the other.
    await join(one, 'presence-room', 'ann', first)
    const firsts = await receiver.heard(3, { appId: 'first' })
    const seconds = await receiver.heard(5, { appId: 'second' })
    expect(namesOf(firsts).toSorted()).toEqual(['channel_occupied', 'client_event', 'member_added'])
    expect(namesOf(seconds).toSorted()).toEqual([
      'channel_occupied',
      'channel_vacated',
      'client_event',
      'member_added',
      'member_removed',
    ])
    const dataOf = (appId: string) => receiver.events({ appId, name: 'client_event' }).map(({ data }) => data)
    expect(dataOf('first')).toEqual(['{"app":"first"}'])
    expect(dataOf('second')).toEqual(['{"app":"second"}'])
    await server.nothingQueued()
    expect(receiver.events()).toHaveLength(8)
    expect(receiver.figures.invalid).toBe(0)
    expect([await server.outcome('delivered', 'first'), await server.outcome('delivered', 'second')]).toEqual([3, 5])
    expect([await server.outcome('paired', 'first'), await server.outcome('paired', 'second')]).toEqual([4, 0])
    for (const client of [one, two]) client.close()
  })
})

describe('a changed configuration', () => {
  const own = new OwnHooks()

  const start = async (webhooks: (receiver: WebhookReceiver) => readonly Settings[]) => {
    const receiver = own.keep(await WebhookReceiver.start([oneApp]))
    const app = (settings: Settings) => ({ id: appId, ...credentials, ...settings })
    const server = own.adopt(await HookedServer.start([app({ webhooks: webhooks(receiver) })]))
    return { receiver, server, replace: (settings: Settings) => server.replaceApps([app(settings)]) }
  }

  it('a webhook that is added hears of what follows, one that is taken away of nothing more', async () => {
    const { receiver, server, replace } = await start(() => [])
    const client = await server.connect()
    await client.subscribe('before')
    replace({ webhooks: [hook(receiver, '/added')] })
    await client.subscribe('then')
    expect((await receiver.heard(1)).map(({ channel }) => channel)).toEqual(['then'])
    replace({ webhooks: [hook(receiver, '/other')] })
    await client.subscribe('later')
    await receiver.heard(1, { path: '/other' })
    expect(receiver.at('/added')).toHaveLength(1)
    expect(receiver.at('/other')).toHaveLength(1)
    client.close()
  })

  it('what waits at an address is sent with its new settings, also when others come and go', async () => {
    const { receiver, server, replace } = await start((to) => [hook(to, '/gone'), hook(to, '/kept')])
    receiver.answer(500)
    const client = await server.connect()
    await client.subscribe('a')
    await receiver.attempted(1, '/kept')
    await receiver.attempted(1, '/gone')
    replace({ webhooks: [hook(receiver, '/new'), hook(receiver, '/kept', { headers: { 'X-Team': 'blue' } })] })
    receiver.answer(200)
    await client.subscribe('b')
    const kept = await receiver.heard(2, { path: '/kept' })
    expect(kept.map(({ channel }) => channel).toSorted()).toEqual(['a', 'b'])
    expect(
      receiver
        .at('/kept')
        .filter(({ status }) => status === 200)
        .every(({ headers }) => headers['x-team'] === 'blue'),
    ).toBe(true)
    await receiver.heard(1, { path: '/new' })
    await server.nothingQueued()
    expect(receiver.events({ path: '/gone' })).toEqual([])
    expect(await server.outcome('dropped')).toBe(1)
    expect(receiver.events({ path: '/new' }).map(({ channel }) => channel)).toEqual(['b'])
    client.close()
  })

  it('an app that is disabled still tells that its channels became empty', async () => {
    const { receiver, server, replace } = await start((to) => [hook(to, '/hook')])
    const client = await server.connect()
    await join(client, 'presence-a', 'ann')
    await receiver.heard(2)
    replace({ enabled: false, webhooks: [hook(receiver, '/hook')] })
    expect((await client.waitForClose()).code).toBe(4003)
    const names = namesOf(await receiver.heard(4))
    expect(names.slice(2).toSorted()).toEqual(['channel_vacated', 'member_removed'])
  })

  it('an app that is removed sends nothing more, and its events wait nowhere', async () => {
    const { receiver, server } = await start((to) => [hook(to, '/hook')])
    receiver.answer(500)
    const client = await server.connect()
    await client.subscribe('a')
    await receiver.attempted(1)
    expect(await server.queued()).toBe(1)
    server.replaceApps([{ id: 'other', key: 'other-key', secret: 'secret-of-another' }])
    expect((await client.waitForClose()).code).toBe(4003)
    await server.nothingQueued()
  })
})

describe('private networks', () => {
  const own = new OwnHooks()

  it.each(['127.0.0.1', 'localhost'])('%s is not connected to unless that is allowed', async (name) => {
    let connections = 0
    const inside = createServer((socket) => {
      connections += 1
      socket.destroy()
    })
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve))
    const address = inside.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    try {
      const { server } = await own.start((to) => [
        hook(to, '/', { url: `http://${name}:${port}/`, allowPrivateNetwork: false, retryForMs: 400 }),
      ])
      const client = await server.connect()
      await client.subscribe('a')
      await eventually('it is given up', async () => (await server.outcome('given_up')) === 1)
      expect(connections).toBe(0)
      expect(server.logger.at('warn').length).toBeGreaterThan(0)
      client.close()
    } finally {
      await new Promise((resolve) => inside.close(resolve))
    }
  })
})
