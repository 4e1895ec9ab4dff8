import { describe, expect, it } from 'vitest'
import { RestFixture } from './rest-fixture.js'

const plain = 'text/plain; charset=utf-8'

function occupied(): RestFixture {
  const fixture = new RestFixture()
  fixture.core.subscriptions.set('a', 1).set('presence-b', 5).set('presence-c', 2).set('cache-d', 1)
  fixture.core.users.set('presence-b', ['1', '2']).set('presence-c', ['x'])
  fixture.core.cachedEvents.set('cache-d', { data: '{"a":"\\n"}', ttl: 77 })
  return fixture
}

describe('GET /channels (4.5)', () => {
  it.each([
    [{}, '{"channels":{"a":{},"presence-b":{},"presence-c":{},"cache-d":{}}}'],
    [{ info: '' }, '{"channels":{"a":{},"presence-b":{},"presence-c":{},"cache-d":{}}}'],
    [{ filter_by_prefix: 'presence-b' }, '{"channels":{"presence-b":{}}}'],
    [{ filter_by_prefix: 'c', info: 'subscription_count' }, '{"channels":{"cache-d":{"subscription_count":1}}}'],
    [
      { filter_by_prefix: 'presence-', info: 'user_count' },
      '{"channels":{"presence-b":{"user_count":2},"presence-c":{"user_count":1}}}',
    ],
    [
      { filter_by_prefix: 'presence-c', info: 'subscription_count, user_count' },
      '{"channels":{"presence-c":{"user_count":1,"subscription_count":2}}}',
    ],
  ])('%j', async (params, body) => {
    expect(await occupied().get('/apps/3/channels', params)).toEqual({
      status: 200,
      body,
      contentType: 'application/json',
    })
  })

  it.each([{}, { filter_by_prefix: 'zzz' }, { filter_by_prefix: 'presence-', info: 'user_count' }])(
    'trap 4: an object also when there is none: %j',
    async (params) => {
      expect((await new RestFixture().get('/apps/3/channels', params)).body).toBe('{"channels":{}}')
    },
  )

  it.each([{}, { filter_by_prefix: 'private-' }, { filter_by_prefix: 'presence' }])(
    'user_count needs a prefix that begins presence-: %j',
    async (params) => {
      expect(await occupied().get('/apps/3/channels', { ...params, info: 'user_count' })).toEqual({
        status: 400,
        body: 'user_count may only be requested for presence channels - please supply filter_by_prefix begining with presence-\n',
        contentType: plain,
      })
    },
  )

  it.each(['x', 'cache', 'user_count;', ',', '__proto__'])('400 for the attribute %j', async (info) => {
    const reply = await occupied().get('/apps/3/channels', { filter_by_prefix: 'presence-', info })
    expect(reply.status).toBe(400)
    expect(reply.body).toContain('info should be a comma separated list of attributes')
  })
})

describe('GET /channels/NAME (4.6)', () => {
  it.each([
    ['a', {}, '{"occupied":true}'],
    ['never', {}, '{"occupied":false}'],
    ['never', { info: 'subscription_count' }, '{"occupied":false,"subscription_count":0}'],
    ['presence-never', { info: 'user_count' }, '{"occupied":false,"user_count":0}'],
    [
      'presence-b',
      { info: 'subscription_count,user_count' },
      '{"occupied":true,"user_count":2,"subscription_count":5}',
    ],
    ['cache-d', { info: 'cache' }, '{"occupied":true,"cache":{"data":"{\\"a\\":\\"\\\\n\\"}","ttl":77}}'],
    ['cache-never', { info: 'cache' }, '{"occupied":false,"cache":null}'],
    ['%61', {}, '{"occupied":true}'],
    ['__proto__', {}, '{"occupied":false}'],
    ['%23server-to-user-1', {}, '{"occupied":false}'],
  ])('%s %j', async (name, params, body) => {
    const reply = await occupied().get(`/apps/3/channels/${name}`, params)
    expect(reply).toEqual({ status: 200, body, contentType: 'application/json' })
    expect(() => JSON.parse(reply.body) as unknown).not.toThrow()
  })

  it.each([
    ['a', 'user_count', 'Cannot retrieve the user count unless the channel is a presence channel\n'],
    ['a', 'cache', 'Cannot retrieve the cache unless the channel is a cache channel\n'],
    [
      'a',
      'members',
      'info should be a comma separated list of attributes, but "members" is none of: user_count, subscription_count, cache\n',
    ],
  ])('400 for %s with info=%s', async (name, info, body) => {
    expect(await occupied().get(`/apps/3/channels/${name}`, { info })).toEqual({
      status: 400,
      body,
      contentType: plain,
    })
  })

  it.each(['a%20b', '%23x', 'a%2Fb', 'ä', 'a'.repeat(201), '%zz'])('400 for the name %s', async (name) => {
    const reply = await occupied().get(`/apps/3/channels/${name}`)
    expect(reply.status).toBe(400)
    expect(reply.body).toMatch(/^(?:Invalid channel name "|Channel name too long \(201 > 200 characters\))/)
  })
})

describe('GET /channels/NAME/users (4.7)', () => {
  it('lists distinct users, ids as strings', async () => {
    expect((await occupied().get('/apps/3/channels/presence-b/users')).body).toBe('{"users":[{"id":"1"},{"id":"2"}]}')
    expect((await occupied().get('/apps/3/channels/presence-none/users')).body).toBe('{"users":[]}')
  })

  it('quotes any user id', async () => {
    const fixture = new RestFixture()
    const ids = ['"', '\\', '\n', 'ü', '\ud800', '__proto__', '</script>', '']
    fixture.core.users.set('presence-x', ids)
    const { body } = await fixture.get('/apps/3/channels/presence-x/users')
    expect(JSON.parse(body)).toEqual({ users: ids.map((id) => ({ id })) })
  })

  it.each(['a', 'private-presence-a', 'cache-presence-a'])('trap 5: a real 400 for %s', async (name) => {
    expect(await occupied().get(`/apps/3/channels/${name}/users`)).toEqual({
      status: 400,
      body: 'Users can only be retrieved for presence channels\n',
      contentType: plain,
    })
  })
})

it('GET /connections (4.9)', async () => {
  expect(await new RestFixture().get('/apps/3/connections')).toEqual({
    status: 200,
    body: '{"connections":12}',
    contentType: 'application/json',
  })
})

it.each([
  ['presence-b', '{"occupied":true,"user_count":2,"connection_count":5}'],
  ['a', '{"occupied":true,"connection_count":1}'],
  ['never', '{"occupied":false,"connection_count":0}'],
])('GET /channels/%s/stats (4.10, deprecated)', async (name, body) => {
  expect(await occupied().get(`/apps/3/channels/${name}/stats`)).toMatchObject({ status: 200, body })
})
