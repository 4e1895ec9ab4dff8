import { describe, expect, it } from 'vitest'
import { BrokerError } from '../../../src/core/ports/broker.js'
import { bodyTooLargeReply, internalErrorReply, isReply, overloadedReply } from '../../../src/http/reply.js'
import { Route, routeLabels } from '../../../src/http/router.js'
import { busDown, RestFixture, signedQuery } from './rest-fixture.js'

describe('route', () => {
  it.each([
    ['POST', '/apps/3/events', 'events'],
    ['POST', '/apps/3/batch_events', 'batch_events'],
    ['GET', '/apps/3/channels', 'channels'],
    ['GET', '/apps/3/channels/a', 'channel'],
    ['GET', '/apps/3/channels/users', 'channel'],
    ['GET', '/apps/3/channels/presence-a/users', 'channel_users'],
    ['GET', '/apps/3/channels/%23server-to-user-1', 'channel'],
    ['POST', '/apps/3/users/u/terminate_connections', 'terminate_connections'],
    ['POST', '/users/u/terminate_connections', 'terminate_connections'],
    ['GET', '/apps/3/connections', 'connections'],
    ['POST', '/apps/3/channels/a/events', 'channel_events_deprecated'],
    ['GET', '/apps/3/channels/a/stats', 'channel_stats_deprecated'],
    ['POST', '/apps/unknown/events', 'events'],
  ])('%s %s is %s', (method, path, label) => {
    const route = new RestFixture().router.route(method, path)
    expect(route).toBeInstanceOf(Route)
    expect(route).toMatchObject({ label })
    expect(routeLabels).toContain(label)
  })

  it.each([
    '',
    '/',
    '/apps',
    '/apps/',
    '/apps/3',
    '/apps/3/',
    '/apps//events',
    '/apps/3/events/',
    '/apps/3/event',
    '/apps/3/channels/',
    '/apps/3/channels//users',
    '/apps/3/channels/a/',
    '/apps/3/channels/a/x',
    '/apps/3/channels/a/users/',
    '/apps/3/users',
    '/apps/3/users/u',
    '/apps/3/users//terminate_connections',
    '/apps/3/users/u/terminate_connections/x',
    '/users/u',
    '/prefix/apps/3/events',
    '/APPS/3/events',
    '/apps/3/constructor',
    '/apps/3/__proto__',
    '/apps/3/%65vents',
    '/x"\n',
  ])('404 for %j', (path) => {
    const reply = new RestFixture().router.route('POST', path)
    expect(reply).toMatchObject({ status: 404, contentType: 'text/plain; charset=utf-8' })
    expect(isReply(reply) && reply.body.indexOf('\n') === reply.body.length - 1).toBe(true)
  })

  it.each([
    ['GET', '/apps/3/events', 'POST'],
    ['PUT', '/apps/3/batch_events', 'POST'],
    ['POST', '/apps/3/channels', 'GET'],
    ['HEAD', '/apps/3/channels/a', 'GET'],
    ['OPTIONS', '/apps/3/channels/a/users', 'GET'],
    ['GET', '/users/u/terminate_connections', 'POST'],
  ])('405 for %s %s', (method, path, allowed) => {
    expect(new RestFixture().router.route(method, path)).toEqual({
      status: 405,
      body: `Method "${method}" is not allowed on this path. Use ${allowed}.\n`,
      contentType: 'text/plain; charset=utf-8',
      headers: { Allow: allowed },
    })
  })

  it('only what carries events may have a large body', () => {
    const { router } = new RestFixture()
    expect(router.route('POST', '/apps/3/events')).toMatchObject({ bodyBytesMax: 1_000_000 })
    expect(router.route('POST', '/apps/3/batch_events')).toMatchObject({ bodyBytesMax: 1_000_000 })
    expect(router.route('POST', '/apps/3/users/u/terminate_connections')).toMatchObject({ bodyBytesMax: 65_536 })
    expect(router.route('GET', '/apps/3/channels')).toMatchObject({ bodyBytesMax: 65_536 })
  })
})

describe('a bus that does not confirm', () => {
  const event = { name: 'n', data: 'd', channel: 'presence-a' }

  it.each([
    ['/apps/3/events', event],
    ['/apps/3/batch_events', { batch: [event] }],
    ['/apps/3/users/u/terminate_connections', {}],
    ['/apps/3/channels/a/events', 'x'],
  ])('503 with Retry-After for POST %s', async (path, body) => {
    const fixture = new RestFixture()
    fixture.core.publishError = busDown
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const reply = await fixture.signed('POST', path, path.includes('channels') ? { name: 'n' } : {}, text)
    expect(reply).toMatchObject({ status: 503, headers: { 'Retry-After': '1' } })
    expect(reply.body).toMatch(/^Not confirmed: .*\n$/)
  })

  it.each([
    ['/apps/3/channels', {}],
    ['/apps/3/channels', { info: 'subscription_count' }],
    ['/apps/3/channels/presence-a', { info: 'user_count' }],
    ['/apps/3/channels/cache-a', { info: 'cache' }],
    ['/apps/3/channels/presence-a/users', {}],
    ['/apps/3/channels/presence-a/stats', {}],
    ['/apps/3/connections', {}],
  ])('503 with Retry-After for GET %s %j', async (path, params) => {
    const fixture = new RestFixture()
    fixture.core.readError = new BrokerError('down')
    const reply = await fixture.get(path, params)
    expect(reply).toMatchObject({ status: 503, headers: { 'Retry-After': '1' } })
    expect(reply.body).toMatch(/^Unavailable: .*\n$/)
  })

  it('counts that cannot be read refuse the trigger before anything is published', async () => {
    const fixture = new RestFixture()
    fixture.core.readError = busDown
    expect((await fixture.post('/apps/3/events', { ...event, info: 'user_count' })).status).toBe(503)
    expect((await fixture.post('/apps/3/batch_events', { batch: [{ ...event, info: 'user_count' }] })).status).toBe(503)
    expect(fixture.core.published).toEqual([])
  })

  it('a fault of ours is no reply: the transport answers 500', async () => {
    const fixture = new RestFixture()
    fixture.core.publishError = new Error('assertion failed: x')
    await expect(fixture.post('/apps/3/events', event)).rejects.toThrow('assertion failed')
  })
})

describe('rates', () => {
  it('count an event once, however many channels, and a batch by its events', async () => {
    const fixture = new RestFixture()
    await fixture.post('/apps/3/events', { name: 'n', data: 'd', channels: ['a', 'b', 'c'] })
    await fixture.post('/apps/3/batch_events', { batch: Array(3).fill({ name: 'n', data: 'd', channel: 'a' }) })
    await fixture.signed('POST', '/apps/3/channels/a/events', { name: 'n' }, 'x')
    await fixture.get('/apps/3/channels')
    await fixture.get('/apps/3/channels/a')
    await fixture.get('/apps/3/channels/presence-a/users')
    await fixture.get('/apps/3/channels/a/stats')
    await fixture.get('/apps/3/connections')
    await fixture.post('/apps/3/users/u/terminate_connections', {})
    expect(fixture.core.taken).toEqual([
      { kind: 'triggers', count: 1 },
      { kind: 'triggers', count: 3 },
      { kind: 'triggers', count: 1 },
      ...Array.from({ length: 5 }, () => ({ kind: 'reads', count: 1 })),
    ])
  })

  it('are not charged for what is refused', async () => {
    const fixture = new RestFixture()
    await fixture.post('/apps/3/events', { name: 'n', data: 'd' })
    await fixture.post('/apps/3/batch_events', { batch: [{}] })
    await fixture.get('/apps/3/channels', { info: 'x' })
    await fixture.get('/apps/3/channels/a/users')
    expect(fixture.core.taken).toEqual([])
  })

  it('used up: 429 with Retry-After, counted by kind, nothing published', async () => {
    const fixture = new RestFixture()
    fixture.core.budgetLeft = false
    const replies = [
      await fixture.post('/apps/3/events', { name: 'n', data: 'd', channel: 'a' }),
      await fixture.post('/apps/3/batch_events', { batch: [{ name: 'n', data: 'd', channel: 'a' }] }),
      await fixture.signed('POST', '/apps/3/channels/a/events', { name: 'n' }, 'x'),
      await fixture.get('/apps/3/channels'),
      await fixture.get('/apps/3/channels/a'),
      await fixture.get('/apps/3/channels/presence-a/users'),
      await fixture.get('/apps/3/channels/a/stats'),
      await fixture.get('/apps/3/connections'),
    ]
    for (const reply of replies) {
      expect(reply).toMatchObject({
        status: 429,
        headers: { 'Retry-After': '1' },
        contentType: 'text/plain; charset=utf-8',
      })
    }
    expect(fixture.counting.limited).toEqual([
      ...Array<string>(3).fill('3 triggers'),
      ...Array<string>(5).fill('3 reads'),
    ])
    expect(fixture.core.published).toEqual([])
  })
})

it('a route handles only what it admitted: authentication comes before the body', () => {
  const route = new RestFixture().router.route('POST', '/apps/3/events')
  if (!(route instanceof Route)) throw new Error('no route')
  expect(isReply(route.authenticate('POST', '/apps/3/events', ''))).toBe(true)
  const admitted = route.authenticate('POST', '/apps/3/events', signedQuery('POST', '/apps/3/events', {}, '{}'))
  expect(admitted).toMatchObject({ app: { id: '3' }, bodyMd5: '99914b932bd37a50b983c5e7c90ae93b' })
})

it.each([
  [bodyTooLargeReply(1000), 413],
  [overloadedReply, 503],
  [internalErrorReply, 500],
])('replies for the transport: %j', (reply, status) => {
  expect(reply).toMatchObject({ status, contentType: 'text/plain; charset=utf-8' })
  expect(reply.body).toMatch(/^[A-Z].*\.\n$/)
})
