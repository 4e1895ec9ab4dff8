import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rest, type RestAnswer } from '../../harness/rest.js'
import { appId, credentials, describeInProcess } from '../../harness/test-server.js'
import { ClockedServer, sharedServer } from './shared-server.js'

const said = (answer: RestAnswer) => [answer.status, answer.text]
const firstApp = { id: appId, ...credentials }

describe('authentication over the wire (4.1)', () => {
  const server = sharedServer(
    {},
    { apps: [firstApp, { id: 'off', key: 'off-key', secret: 'off-secret', enabled: false }] },
  )
  const get = (query: string, id = appId) => fetch(`${server().url}/apps/${id}/channels${query}`)

  it.each([
    ['', 401, 'Missing parameter: auth_key\n'],
    ['?auth_key=other', 401, 'Unknown auth_key\n'],
    [`?auth_key=${credentials.key}`, 401, 'Version required\n'],
    [`?auth_key=${credentials.key}&auth_version=2.0`, 401, 'Version not supported\n'],
    [`?auth_key=${credentials.key}&auth_version=1.0`, 401, 'Timestamp required\n'],
  ])('GET /channels%s', async (query, status, text) => {
    const answer = await get(query)
    expect([answer.status, await answer.text()]).toEqual([status, text])
  })

  it('an expired timestamp is told both times, a wrong signature the string to sign', async () => {
    const expired = await rest(server().target, 'GET', 'channels', { timestampS: 1380444393 })
    expect(expired.status).toBe(401)
    expect(expired.text).toMatch(
      /^Timestamp expired: Given timestamp \(2013-09-29T08:46:33Z\) not within 600s of server time \(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)\n$/,
    )
    const wrong = await rest({ ...server().target, secret: 'x' }, 'GET', 'channels')
    expect(wrong.status).toBe(401)
    expect(wrong.text).toMatch(
      /^Invalid signature: you should have sent HmacSHA256Hex\("GET\\n\/apps\/3\/channels\\nauth_key=.*", your_secret_key\), but you sent "[0-9a-f]{64}"\n$/,
    )
  })

  it('an unknown app is 404, a disabled app 403, a key of another app 401', async () => {
    expect((await rest({ ...server().target, appId: 'none' }, 'GET', 'channels')).status).toBe(404)
    const off = { url: server().url, appId: 'off', key: 'off-key', secret: 'off-secret' }
    expect(said(await rest(off, 'GET', 'channels'))).toEqual([403, 'Application disabled\n'])
    expect(said(await rest({ ...off, appId }, 'GET', 'channels'))).toEqual([401, 'Unknown auth_key\n'])
  })
})

describeInProcess('the vectors of 4.1, at their own time', 'moves its clock', () => {
  let server: ClockedServer
  beforeAll(async () => {
    server = await ClockedServer.start({}, 1353088179_000)
  })
  afterAll(() => server.stop())

  it.each([
    [
      'POST',
      'events',
      '{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}',
      'ec365a775a4cd0599faeb73354201b6f',
      'da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c',
    ],
    [
      'POST',
      'batch_events',
      '{"batch":[{"channel":"a","name":"e","data":"1"},{"channel":"b","name":"e","data":"2"}]}',
      '571b80876340594e69d66d24df54edb4',
      '0d56730a4475fa6ab2f5fb2b40fe4e5236c02da5b84629c90bd39a8d777c305b',
    ],
    [
      'POST',
      'users/12345/terminate_connections',
      '{}',
      '99914b932bd37a50b983c5e7c90ae93b',
      '01fa634edeb0cae84115307cad5c23f65a46cd286461b1c89637a3b5871a8f0e',
    ],
    [
      'GET',
      'channels?filter_by_prefix=presence-&info=user_count,subscription_count',
      undefined,
      undefined,
      'ff97d40ab3fbbd15394386a29c12998c33635305357b2e2abd18dc67efe3f87d',
    ],
    [
      'GET',
      'channels',
      undefined,
      'd41d8cd98f00b204e9800998ecf8427e',
      '5c3cd75022c4f62c35ad22f6a9cce366c860477a3b7092ca790ecfc17e6af302',
    ],
    [
      'GET',
      'channels/presence-a=b@c,d.e;f?info=user_count',
      undefined,
      undefined,
      'b32cc3bac063dc8f0a31f4ee35c510da9b7fdf195452d07051d42c6970b34f81',
    ],
    [
      'POST',
      'events?name=foo&channels[]=a&channels[]=b&data=x%20y',
      undefined,
      undefined,
      'bd3a8a7c5e9fcd5663ab063d780fd6c9f2d5763ea0590086be23cc93c35baa35',
    ],
  ])('%s %s is accepted, and refused with another digit', async (method, path, body, md5, signature) => {
    const auth = `auth_key=${credentials.key}&auth_timestamp=1353088179&auth_version=1.0`
    const send = (digest: string) => {
      const query = `${auth}${md5 === undefined ? '' : `&body_md5=${md5}`}&auth_signature=${digest}`
      const init = body === undefined ? { method } : { method, body }
      return fetch(`${server.url}/apps/${appId}/${path}${path.includes('?') ? '&' : '?'}${query}`, init)
    }
    expect((await send(signature)).status).toBe(200)
    expect((await send(`${signature.slice(0, -1)}${signature.endsWith('0') ? '1' : '0'}`)).status).toBe(401)
  })
})

describe('parameters of POST /events in the query (4.2)', () => {
  const server = sharedServer()

  it('are those of the body, channel or channels', async () => {
    const client = await server().connect()
    await client.subscribe('a')
    const query = { name: 'foo', channel: 'a', data: 'x y', socket_id: '1.1', info: 'subscription_count' }
    const answer = await rest(server().target, 'POST', 'events', { query })
    expect(said(answer)).toEqual([200, '{"channels":{"a":{"subscription_count":1}}}'])
    expect((await client.next('foo')).data).toBe('x y')
    client.close()
  })
})

describe('POST /events over the wire (4.3)', () => {
  const server = sharedServer()
  const event = { name: 'e', data: 'd', channel: 'a' }

  it.each([
    [event],
    [{ ...event, channels: null, socket_id: null, info: null }],
    [{ name: 'e', data: 'd', channel: null, channels: ['a', 'b'] }],
    [{ ...event, data: '' }],
    [{ ...event, unknown: 1 }],
    [{ ...event, channel: '#server-to-user-nobody' }],
  ])('%j is accepted with exactly {}', async (body) => {
    const answer = await server().post('events', body)
    expect(said(answer)).toEqual([200, '{}'])
    expect(answer.headers.get('content-type')).toBe('application/json')
  })

  it.each([
    [{ data: 'd', channel: 'a' }, 'Missing required parameter: name'],
    [{ name: 'e', channel: 'a' }, 'Missing required parameter: data'],
    [{ name: 'e', data: 'd' }, 'Missing required parameter: channel'],
    [{ ...event, name: 'pusher:e' }, /^Reserved event name "pusher:e"/],
    [{ ...event, name: 'pusher_internal:e' }, /^Reserved event name/],
    [{ ...event, name: 'x'.repeat(201) }, 'Event name too long (201 > 200 characters)'],
    [{ ...event, channel: 'a b' }, /^Invalid channel name "a b"/],
    [{ ...event, channel: '#private' }, /^Invalid channel name "#private"/],
    [{ ...event, channels: [] }, /^Invalid parameter: channels is empty/],
    [
      { ...event, channels: Array.from({ length: 101 }, (_, index) => `c${index}`) },
      /^Too many channels \(101 > 100\)/,
    ],
    [{ ...event, socket_id: '1234' }, /^Invalid socket_id "1234"/],
    [{ ...event, socket_id: '1.1:private-x' }, /^Invalid socket_id/],
    [{ ...event, info: 'nonsense' }, /^info should be a comma separated list of attributes/],
  ])('%j is 400', async (body, text) => {
    const answer = await server().post('events', body)
    expect(answer.status).toBe(400)
    if (typeof text === 'string') expect(answer.text).toBe(`${text}\n`)
    else expect(answer.text).toMatch(text)
  })

  it.each(['', '{', '[]', 'null', '"x"', '7'])('the body %j is 400', async (body) => {
    expect((await server().post('events', body)).status).toBe(400)
  })

  it('with info: one key per distinct channel, what applies to its kind, unoccupied 0', async () => {
    const [one, two, tab] = [await server().connect(), await server().connect(), await server().connect()]
    await one.subscribe('another')
    await one.subscribePresence('presence-foobar', credentials, 'u1')
    await two.subscribePresence('presence-foobar', credentials, 'u2')
    await tab.subscribePresence('presence-foobar', credentials, 'u2')
    await server().counted('presence-foobar', 3)
    const answer = await server().post('events', {
      ...event,
      channel: undefined,
      channels: ['presence-foobar', 'another', 'presence-empty', 'private-empty', 'another'],
      info: 'user_count,subscription_count',
    })
    expect(said(answer)).toEqual([
      200,
      '{"channels":{"presence-foobar":{"user_count":2,"subscription_count":3},"another":{"subscription_count":1},' +
        '"presence-empty":{"user_count":0,"subscription_count":0},"private-empty":{"subscription_count":0}}}',
    ])
    const userCount = await server().post('events', { ...event, channel: 'another', info: 'user_count' })
    expect(said(userCount)).toEqual([200, '{"channels":{"another":{}}}'])
    for (const client of [one, two, tab]) client.close()
  })
})

describe('POST /batch_events over the wire (4.4)', () => {
  const server = sharedServer()
  const event = { name: 'e', data: 'd', channel: 'a' }

  it('{} without info; with it one entry per event, by index', async () => {
    const client = await server().connect()
    await client.subscribePresence('presence-a', credentials, 'u1')
    expect(said(await server().post('batch_events', { batch: [event, event] }))).toEqual([200, '{}'])
    const batch = [
      { ...event, channel: 'presence-a', info: 'user_count,subscription_count' },
      event,
      { ...event, info: 'user_count' },
      { ...event, info: 'subscription_count' },
    ]
    expect(said(await server().post('batch_events', { batch }))).toEqual([
      200,
      '{"batch":[{"user_count":1,"subscription_count":1},{},{},{"subscription_count":0}]}',
    ])
    client.close()
  })

  it('11 events: Batch too large; channels in place of channel: Missing', async () => {
    const eleven = await server().post('batch_events', { batch: Array.from({ length: 11 }, () => event) })
    expect(said(eleven)).toEqual([400, 'Batch too large (11 > 10)\n'])
    const several = await server().post('batch_events', { batch: [{ name: 'e', data: 'd', channels: ['a'] }] })
    expect(said(several)).toEqual([400, 'Missing required parameter: channel\n'])
  })
})

describe('reads over the wire (4.5 to 4.10)', () => {
  const server = sharedServer()

  it('nothing occupied: empty objects and lists', async () => {
    expect(said(await server().get('channels'))).toEqual([200, '{"channels":{}}'])
    expect(said(await server().get('channels/never'))).toEqual([200, '{"occupied":false}'])
    expect(said(await server().get('channels/presence-never/users'))).toEqual([200, '{"users":[]}'])
    expect(said(await server().get('connections'))).toEqual([200, '{"connections":0}'])
    const info = { info: 'user_count,subscription_count' }
    expect(said(await server().get('channels/presence-never', info))).toEqual([
      200,
      '{"occupied":false,"user_count":0,"subscription_count":0}',
    ])
  })

  it('what is occupied, with every info', async () => {
    const clients = [await server().connect(), await server().connect(), await server().connect()] as const
    for (const client of clients) {
      await client.subscribe('cache-news')
      await client.next('pusher:cache_miss')
    }
    await clients[0].subscribePresence('presence-room', credentials, 'u1')
    await clients[1].subscribePresence('presence-room', credentials, 'u1')
    await clients[2].subscribePresence('presence-room', credentials, 'ü"2')
    await server().trigger('cache-news', 'e', '{"a":1}')
    for (const channel of ['cache-news', 'presence-room']) await server().counted(channel, 3)
    const get = async (path: string, query?: Record<string, string>) => said(await server().get(path, query))
    const both = 'user_count,subscription_count'
    expect(await get('channels', { filter_by_prefix: 'presence-' })).toEqual([200, '{"channels":{"presence-room":{}}}'])
    expect(((await server().get('channels')).json() as { channels: object }).channels).toEqual({
      'presence-room': {},
      'cache-news': {},
    })
    expect(await get('channels', { filter_by_prefix: 'presence-', info: both })).toEqual([
      200,
      '{"channels":{"presence-room":{"user_count":2,"subscription_count":3}}}',
    ])
    expect(await get('channels', { filter_by_prefix: 'cache', info: 'subscription_count' })).toEqual([
      200,
      '{"channels":{"cache-news":{"subscription_count":3}}}',
    ])
    expect(await get('channels', { filter_by_prefix: 'x' })).toEqual([200, '{"channels":{}}'])
    expect(await get('channels/presence-room', { info: both })).toEqual([
      200,
      '{"occupied":true,"user_count":2,"subscription_count":3}',
    ])
    expect(await get('channels/presence%2Droom')).toEqual([200, '{"occupied":true}'])
    expect(await get('channels/cache-news', { info: 'cache' })).toEqual([
      200,
      '{"occupied":true,"cache":{"data":"{\\"a\\":1}","ttl":1800}}',
    ])
    expect(await get('channels/presence-room/users')).toEqual([200, '{"users":[{"id":"u1"},{"id":"ü\\"2"}]}'])
    expect(await get('channels/presence-room/stats')).toEqual([
      200,
      '{"occupied":true,"user_count":2,"connection_count":3}',
    ])
    await expect.poll(() => get('connections')).toEqual([200, '{"connections":3}'])
    for (const client of clients) client.close()
    await expect.poll(() => get('connections')).toEqual([200, '{"connections":0}'])
    expect(await get('channels')).toEqual([200, '{"channels":{}}'])
    expect(await get('channels/cache-news')).toEqual([200, '{"occupied":false}'])
  })

  it.each([
    [
      'channels',
      { info: 'user_count' },
      'user_count may only be requested for presence channels - please supply filter_by_prefix begining with presence-',
    ],
    [
      'channels/news',
      { info: 'user_count' },
      'Cannot retrieve the user count unless the channel is a presence channel',
    ],
    ['channels/news', { info: 'cache' }, 'Cannot retrieve the cache unless the channel is a cache channel'],
    ['channels/news/users', undefined, 'Users can only be retrieved for presence channels'],
  ])('GET %s with %j is 400, exactly', async (path, query, text) => {
    expect(said(await server().get(path, query))).toEqual([400, `${text}\n`])
  })

  it('an unknown attribute is 400', async () => {
    const answer = await server().get('channels/news', { info: 'nonsense' })
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('info should be a comma separated list of attributes')
  })

  it('the deprecated trigger: the raw body is the data, 202 and nothing', async () => {
    const client = await server().connect()
    await client.subscribe('news')
    const answer = await rest(server().target, 'POST', 'channels/news/events', {
      query: { name: 'old', socket_id: '1.1' },
      body: '{"a": 1.0}',
    })
    expect(said(answer)).toEqual([202, ''])
    expect((await client.next('old')).data).toBe('{"a": 1.0}')
    client.close()
  })

  it("python's path without the app terminates too (4.8)", async () => {
    const client = await server().connect()
    client.signIn(credentials, { id: 'u1' })
    await client.next('pusher:signin_success')
    const answer = await rest(server().target, 'POST', '/users/u1/terminate_connections', { body: {} })
    expect(said(answer)).toEqual([200, '{}'])
    expect((await client.waitForClose()).code).toBe(4009)
  })
})

describeInProcess('rates of the REST API (4.11)', 'nodes share a budget in slices, test/cluster counts them', () => {
  const server = sharedServer({ limits: { triggersPerSecond: 2, readsPerSecond: 2 } })
  const event = { name: 'e', data: 'd', channel: 'a' }

  it('triggers, each event of a batch counted, and reads have their own budget: 429 with Retry-After', async () => {
    expect((await server().post('batch_events', { batch: [event, event] })).status).toBe(200)
    expect((await server().post('batch_events', { batch: [event, event, event] })).status).toBe(429)
    const limited = await server().post('events', event)
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '1'])
    for (const status of [200, 200, 429]) expect((await server().get('channels')).status).toBe(status)
    expect((await server().post('users/u/terminate_connections', {})).status).toBe(200)
  })
})
