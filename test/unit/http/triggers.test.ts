import { describe, expect, it } from 'vitest'
import { makeApp, RestFixture } from './rest-fixture.js'

const event = { name: 'greet', data: 'hello', channels: ['a'] }

describe('POST /events (4.3)', () => {
  it('trap 4: answers exactly {} with 200', async () => {
    const fixture = new RestFixture()
    expect(await fixture.post('/apps/3/events', event)).toEqual({
      status: 200,
      body: '{}',
      contentType: 'application/json',
    })
    expect(fixture.core.published).toEqual([
      [{ name: 'greet', channels: ['a'], data: 'hello', socketId: undefined, info: undefined }],
    ])
  })

  it('takes the excluded socket and one channel, and delivers duplicates once', async () => {
    const fixture = new RestFixture()
    await fixture.post('/apps/3/events', { name: 'n', data: '', channel: 'a', socket_id: '123.456' })
    await fixture.post('/apps/3/events', { name: 'n', data: '', channels: ['b', 'a', 'b'] })
    expect(fixture.core.published.map(([trigger]) => [trigger?.channels, trigger?.socketId])).toEqual([
      [['a'], '123.456'],
      [['b', 'a'], undefined],
    ])
  })

  it('parameters in the query, without a body (4.2)', async () => {
    const fixture = new RestFixture()
    const path = '/apps/3/events'
    await fixture.signed('POST', path, { name: 'n', data: '{"a":1}', channel: 'a', socket_id: '1.2' })
    await fixture.signed('POST', path, { name: 'n', data: 'd', 'channels[]': 'a' })
    expect(fixture.core.published.flat()).toMatchObject([
      { name: 'n', data: '{"a":1}', channels: ['a'], socketId: '1.2' },
      { name: 'n', data: 'd', channels: ['a'] },
    ])
    expect(await fixture.signed('POST', path, {})).toMatchObject({
      status: 400,
      body: 'Missing required parameter: name\n',
    })
  })

  it('info: one key per distinct channel, attributes that do not apply left out, counts 0 when unoccupied', async () => {
    const fixture = new RestFixture()
    fixture.core.subscriptions.set('presence-foobar', 51).set('another', 13)
    fixture.core.users.set(
      'presence-foobar',
      Array.from({ length: 42 }, (_, index) => String(index)),
    )
    const channels = ['presence-foobar', 'another', 'presence-nobody', '#server-to-user-1', 'another', '__proto__']
    const all = await fixture.post('/apps/3/events', { ...event, channels, info: 'user_count,subscription_count' })
    expect(all.body).toBe(
      '{"channels":{"presence-foobar":{"user_count":42,"subscription_count":51},"another":{"subscription_count":13},' +
        '"presence-nobody":{"user_count":0,"subscription_count":0},"#server-to-user-1":{},"__proto__":{"subscription_count":0}}}',
    )
    const users = await fixture.post('/apps/3/events', { ...event, info: 'user_count' })
    expect(users.body).toBe('{"channels":{"a":{}}}')
    const none = await fixture.post('/apps/3/events', { ...event, info: '' })
    expect(none.body).toBe('{}')
  })

  it('every refusal is plain text that ends in one newline, and publishes nothing', async () => {
    const fixture = new RestFixture()
    for (const body of ['', '{', 'null', '[]', '"x"', '{}', JSON.stringify({ ...event, channels: [] })]) {
      const reply = await fixture.post('/apps/3/events', body)
      expect(reply).toMatchObject({ status: 400, contentType: 'text/plain; charset=utf-8' })
      expect(reply.body).toMatch(/^[^\n]+\n$/)
    }
    expect(fixture.core.published).toEqual([])
  })

  it('trap 5: too much data is a real 413', async () => {
    const fixture = new RestFixture(makeApp({}, { eventBytes: 10 }))
    const reply = await fixture.post('/apps/3/events', { ...event, data: 'x'.repeat(11) })
    expect(reply.status).toBe(413)
    expect(reply.body).toMatch(/^The data content of this event exceeds the allowed maximum \(10 bytes\)\. .*\n$/)
  })
})

describe('POST /batch_events (4.4)', () => {
  const one = { name: 'n', data: 'd', channel: 'a' }

  it('publishes in the order of the array, all in one step, and answers {}', async () => {
    const fixture = new RestFixture()
    const reply = await fixture.post('/apps/3/batch_events', {
      batch: [one, { ...one, channel: 'b', socket_id: '1.2' }, one],
    })
    expect(reply).toMatchObject({ status: 200, body: '{}' })
    expect(fixture.core.published).toHaveLength(1)
    expect(fixture.core.published[0]?.map(({ channels, socketId }) => [channels, socketId])).toEqual([
      [['a'], undefined],
      [['b'], '1.2'],
      [['a'], undefined],
    ])
  })

  it('info: one entry per event by index when any event asks', async () => {
    const fixture = new RestFixture()
    fixture.core.subscriptions.set('a', 3)
    const batch = [one, { ...one, info: 'subscription_count' }, { ...one, channel: 'presence-b', info: 'user_count' }]
    expect((await fixture.post('/apps/3/batch_events', { batch })).body).toBe(
      '{"batch":[{},{"subscription_count":3},{"user_count":0}]}',
    )
  })

  it('is all or nothing: the last event wrong, none published', async () => {
    const fixture = new RestFixture()
    const batch = [one, one, { name: 'n', data: 'd' }]
    expect(await fixture.post('/apps/3/batch_events', { batch })).toMatchObject({
      status: 400,
      body: 'Missing required parameter: channel\n',
    })
    expect(fixture.core.published).toEqual([])
  })

  it('refuses more than ten with the text of swift', async () => {
    const reply = await new RestFixture().post('/apps/3/batch_events', { batch: Array(11).fill(one) })
    expect(reply).toMatchObject({ status: 400, body: 'Batch too large (11 > 10)\n' })
  })

  it('413 names the content of this event', async () => {
    const fixture = new RestFixture(makeApp({}, { eventBytes: 10 }))
    const reply = await fixture.post('/apps/3/batch_events', { batch: [one, { ...one, data: 'ü'.repeat(6) }] })
    expect(reply.status).toBe(413)
    expect(reply.body).toContain('content of this event')
  })

  it('of no events publishes nothing and is no error', async () => {
    expect(await new RestFixture().post('/apps/3/batch_events', { batch: [] })).toMatchObject({
      status: 200,
      body: '{}',
    })
  })
})

describe('POST /users/UID/terminate_connections (4.8)', () => {
  it.each(['{}', '', '[]'])('answers {} whatever the body %j', async (body) => {
    const fixture = new RestFixture()
    const reply = await fixture.post('/apps/3/users/12345/terminate_connections', body)
    expect(reply).toEqual({ status: 200, body: '{}', contentType: 'application/json' })
    expect(fixture.core.terminated).toEqual(['12345'])
  })

  it('takes an encoded user id, and __proto__ as any other', async () => {
    const fixture = new RestFixture()
    await fixture.post('/apps/3/users/a%40b.c/terminate_connections', '')
    await fixture.post('/apps/3/users/__proto__/terminate_connections', '')
    expect(fixture.core.terminated).toEqual(['a@b.c', '__proto__'])
  })

  it.each(['a%20b', 'a'.repeat(201), '%0A', '%zz', '%2F'])(
    '400 for a user id that nobody can have: %s',
    async (userId) => {
      const fixture = new RestFixture()
      const reply = await fixture.post(`/apps/3/users/${userId}/terminate_connections`, '')
      expect(reply.status).toBe(400)
      expect(reply.body).toMatch(/^Invalid user id "[^\n]*\n$/)
      expect(fixture.core.terminated).toEqual([])
    },
  )
})

describe('POST /channels/NAME/events (4.10, deprecated)', () => {
  it('publishes the raw body and answers 202 with nothing', async () => {
    const fixture = new RestFixture()
    const reply = await fixture.signed(
      'POST',
      '/apps/3/channels/a/events',
      { name: 'n', socket_id: '1.2' },
      '{"raw": 1}',
    )
    expect(reply).toMatchObject({ status: 202, body: '' })
    expect(fixture.core.published.flat()).toMatchObject([
      { name: 'n', channels: ['a'], data: '{"raw": 1}', socketId: '1.2' },
    ])
  })

  it.each([
    [{}, 'x', 'Missing required parameter: name\n'],
    [{ name: 'pusher:x' }, 'x', /^Reserved event name "pusher:x"/],
    [{ name: 'n', socket_id: 'x' }, 'x', /^Invalid socket_id "x"/],
    [{ name: 'n' }, Buffer.from([0xc3]), /^Invalid body: it is not UTF-8/],
  ])('400 for %j', async (params, body, text) => {
    const reply = await new RestFixture().signed('POST', '/apps/3/channels/a/events', params, body)
    expect(reply.status).toBe(400)
    if (typeof text === 'string') expect(reply.body).toBe(text)
    else expect(reply.body).toMatch(text)
  })

  it('400 for a bad channel of the path', async () => {
    const reply = await new RestFixture().signed('POST', '/apps/3/channels/a%20b/events', { name: 'n' }, 'x')
    expect(reply.status).toBe(400)
  })
})
