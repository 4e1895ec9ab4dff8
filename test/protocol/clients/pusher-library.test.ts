import PusherLibrary from 'pusher'
import { describe, expect, it } from 'vitest'
import { appId, credentials } from '../../harness/test-server.js'
import { ann, bea, join, sharedApplication } from './application.js'

type Answer = Awaited<ReturnType<PusherLibrary['trigger']>>

describe('the pusher library for Node: events', () => {
  const application = sharedApplication()

  it('triggers to up to 100 channels, answered {}', async () => {
    const page = await application().page()
    const names = Array.from({ length: 100 }, (_, index) => `many-${index}`)
    const [first, last] = [await join(page, names[0]!), await join(page, names[99]!)]
    const answer = await application().library.trigger(names, 'App\\Events\\Restocked', { left: 3 })
    expect([answer.status, await answer.text()]).toEqual([200, '{}'])
    for (const { heard } of [first, last]) {
      expect(await heard.next()).toEqual({ event: 'App\\Events\\Restocked', data: { left: 3 } })
    }
  })

  it('triggers a batch of ten in order, answered {}', async () => {
    const { heard } = await join(await application().page(), 'batched')
    const batch = Array.from({ length: 10 }, (_, n) => ({ channel: 'batched', name: `n${n}`, data: { n } }))
    const expected = batch.map(({ name, data }) => ({ event: name, data }))
    const answer = await application().library.triggerBatch(batch)
    expect([answer.status, await answer.text()]).toEqual([200, '{}'])
    expect(await heard.take(10)).toEqual(expected)
  })

  it('is told why a batch of eleven is refused', async () => {
    const batch = Array.from({ length: 11 }, () => ({ channel: 'batched', name: 'n', data: {} }))
    await expect(application().library.triggerBatch(batch)).rejects.toMatchObject({
      status: 400,
      body: 'Batch too large (11 > 10)\n',
    })
  })

  it('reads the counts a trigger and a batch ask for', async () => {
    const { library } = application()
    const [one, two, three] = await Promise.all([ann, ann, bea].map((account) => application().page(account)))
    for (const page of [one!, two!, three!]) await join(page, 'presence-counted')
    await join(one!, 'counted')
    await application().server.counted('presence-counted', 3)
    const info = 'user_count,subscription_count'
    const presence = { user_count: 2, subscription_count: 3 }
    const answer = await library.trigger(['presence-counted', 'counted', 'empty'], 'e', {}, { info })
    expect(await answer.json()).toEqual({
      channels: {
        'presence-counted': presence,
        counted: { subscription_count: 1 },
        empty: { subscription_count: 0 },
      },
    })
    const batched = await library.triggerBatch([
      { channel: 'presence-counted', name: 'e', data: {}, info },
      { channel: 'counted', name: 'e', data: {} },
      { channel: 'counted', name: 'e', data: {}, info: 'subscription_count' },
    ])
    expect(await batched.json()).toEqual({ batch: [presence, {}, { subscription_count: 1 }] })
  })

  it('is told that the secret is wrong', async () => {
    const { server } = application()
    const stranger = new PusherLibrary({
      appId,
      ...credentials,
      secret: 'not the secret',
      host: '127.0.0.1',
      port: String(server.running.port),
    })
    const refused = { status: 401, body: expect.stringMatching(/^Invalid signature/) as string }
    await expect(stranger.trigger('news', 'e', {})).rejects.toMatchObject(refused)
    await expect(stranger.get({ path: '/channels' })).rejects.toMatchObject(refused)
  })

  it('is told that an event is too large', async () => {
    const tooLarge = application().library.trigger('news', 'e', 'x'.repeat(102_401))
    await expect(tooLarge).rejects.toMatchObject({
      status: 413,
      body: expect.stringContaining('exceeds the allowed maximum (102400 bytes)') as string,
    })
  })
})

describe('the pusher library for Node: reading', () => {
  const application = sharedApplication()

  it('lists channels: all, by prefix, with both counts', async () => {
    const { library } = application()
    expect(await body(library.get({ path: '/channels' }))).toEqual({ channels: {} })
    const [first, second] = await Promise.all([application().page(ann), application().page(bea)])
    for (const page of [first, second]) await join(page, 'presence-list')
    await join(first, 'private-list')
    await application().server.counted('presence-list', 2)
    const read = (params: PusherLibrary.Params) => body(library.get({ path: '/channels', params }))
    expect(await read({})).toEqual({ channels: { 'presence-list': {}, 'private-list': {} } })
    expect(await read({ filter_by_prefix: 'private-' })).toEqual({ channels: { 'private-list': {} } })
    expect(await read({ filter_by_prefix: 'presence-', info: 'user_count' })).toEqual({
      channels: { 'presence-list': { user_count: 2 } },
    })
    expect(await read({ filter_by_prefix: 'presence-', info: 'user_count,subscription_count' })).toEqual({
      channels: { 'presence-list': { user_count: 2, subscription_count: 2 } },
    })
    await expect(library.get({ path: '/channels', params: { info: 'user_count' } })).rejects.toMatchObject({
      status: 400,
    })
  })

  it('reads one channel, its members, its cached event, and how many are connected', async () => {
    const { library } = application()
    const page = await application().page(ann)
    await join(page, 'presence-cache-one')
    await join(page, 'presence-cache-two')
    await library.trigger('presence-cache-one', 'price', { usd: 1 })
    const read = (path: string, info?: string) => body(library.get({ path, ...(info && { params: { info } }) }))
    expect(await read('/channels/presence-cache-one')).toEqual({ occupied: true })
    expect(await read('/channels/nobody', 'subscription_count')).toEqual({ occupied: false, subscription_count: 0 })
    expect(await read('/channels/presence-cache-one', 'user_count,subscription_count,cache')).toEqual({
      occupied: true,
      user_count: 1,
      subscription_count: 1,
      cache: { data: '{"usd":1}', ttl: expect.closeTo(1800, -1) as number },
    })
    expect(await read('/channels/presence-cache-two', 'cache')).toEqual({ occupied: true, cache: null })
    expect(await read('/channels/presence-cache-one/users')).toEqual({ users: [{ id: 'ann' }] })
    await expect.poll(() => read('/connections')).toEqual({ connections: 1 })
    const refused = { status: 400, body: 'Users can only be retrieved for presence channels\n' }
    await expect(library.get({ path: '/channels/public/users' })).rejects.toMatchObject(refused)
  })
})

async function body(answer: Promise<Answer>): Promise<unknown> {
  return (await answer).json()
}
