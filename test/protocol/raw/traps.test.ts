import { describe, expect, it } from 'vitest'
import { channelAuth, RawClient } from '../../harness/raw-client.js'
import { rest, signedQuery } from '../../harness/rest.js'
import { appId, credentials } from '../../harness/test-server.js'
import { channelVectors } from '../../harness/vectors.js'
import { errorText, eventText, expectRefused, expectTurnedAway, framesSoFar, presenceOf } from './expecting.js'
import { HttpWire } from './http-wire.js'
import { sharedServer } from './shared-server.js'

const socketPattern = /^\d+\.\d+$/
const notSignedIn = (userId: string) => `Not signed in as the user of channel #server-to-user-${userId}`

describe('what broke an existing server or library (11)', () => {
  const server = sharedServer({ subscriptionCount: { enabled: true }, limits: { watchlistUsers: 1 } })
  const prefixed = sharedServer({}, { pathPrefix: '/prefix' })

  it('trap 1: pusher:error data is an object; everything else a string', async () => {
    const [client, other] = [await server().connect(), await server().connect()]
    client.sendText('not json')
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-trap-1' } })
    await framesSoFar(client)
    client.signIn(credentials, { id: 'u1', watchlist: ['u2', 'u3'] })
    await client.next('pusher:signin_success')
    await client.next('pusher:error')
    await client.next('pusher_internal:watchlist_events')
    await client.subscribe('cache-trap-1')
    await client.next('pusher:cache_miss')
    await client.next('pusher_internal:subscription_count')
    await client.subscribePresence('presence-trap-1', credentials, 'u1')
    await other.subscribePresence('presence-trap-1', credentials, 'u2')
    other.send({ event: 'client-a', channel: 'presence-trap-1', data: { a: 1 } })
    await server().post('events', '{"name":"e","channel":"cache-trap-1","data":{"a":1}}')
    await other.expectNothing()
    other.close()
    await other.waitForClose()
    await expect.poll(() => client.frames.at(-1)?.event).toBe('pusher_internal:member_removed')
    for (const frame of client.frames) {
      const isString = typeof frame.data === 'string'
      if (frame.event === 'pusher:error') expect(Object.keys(frame.data as object)).toEqual(['code', 'message'])
      expect([frame.event, isString]).toEqual([frame.event, frame.event !== 'pusher:error'])
    }
    expect([...new Set(client.frames.map((frame) => frame.event))].sort()).toEqual([
      'client-a',
      'e',
      'pusher:cache_miss',
      'pusher:connection_established',
      'pusher:error',
      'pusher:pong',
      'pusher:signin_success',
      'pusher:subscription_error',
      'pusher_internal:member_added',
      'pusher_internal:member_removed',
      'pusher_internal:subscription_count',
      'pusher_internal:subscription_succeeded',
      'pusher_internal:watchlist_events',
    ])
    client.close()
  })

  it('trap 2: presence has ids, hash and count, and every id in hash', async () => {
    const clients: RawClient[] = []
    for (const data of ['{"user_id":"u1"}', '{"user_id":2,"user_info":{"n":1}}', '{"user_id":"u3","user_info":null}']) {
      const client = await server().connect()
      const presence = presenceOf(await client.subscribePrivate('presence-trap-2', credentials, data))
      expect(Object.keys(presence).sort()).toEqual(['count', 'hash', 'ids'])
      expect(Object.keys(presence.hash).sort()).toEqual([...presence.ids].sort())
      expect(presence.count).toBe(presence.ids.length)
      clients.push(client)
    }
    for (const client of clients) client.close()
  })

  it.each(channelVectors)(
    'trap 3: channel_data is signed on private channels too (%s, %s)',
    async (channel, data, digest) => {
      // The helper signs as the vector does, so a real subscribe signed by it proves the server with the same string.
      expect(channelAuth(credentials, '1234.1234', channel, data)).toBe(`${credentials.key}:${digest}`)
      const client = await server().connect()
      const given = data ?? '{"user_id":"u1"}'
      const unsigned = channelAuth(credentials, client.socketId, channel)
      client.send({ event: 'pusher:subscribe', data: { channel, auth: unsigned, channel_data: given } })
      const text = `${client.socketId}:${channel}:${given}`
      const got = unsigned.split(':')[1] ?? ''
      const message = `Invalid signature: Expected HMAC SHA256 hex digest of ${text}, but got ${got}`
      await expectRefused(client, channel, 'AuthError', 401, message)
      await client.subscribePrivate(channel, credentials, given)
      client.close()
    },
  )

  it('trap 4: POST answers are {}, GET /channels is an object, status exactly 200', async () => {
    const event = { name: 'e', channel: 'trap-4', data: 'd' }
    for (const answer of [
      await server().post('events', event),
      await server().post('batch_events', { batch: [event] }),
      await server().post('users/nobody/terminate_connections', {}),
    ]) {
      expect([answer.status, answer.text]).toEqual([200, '{}'])
    }
    const channels = await server().get('channels', { filter_by_prefix: 'none-' })
    expect([channels.status, channels.text]).toEqual([200, '{"channels":{}}'])
  })

  it('trap 5: the status line is the real one, before any header', async () => {
    const wire = await HttpWire.open(server().url)
    const users = `/apps/${appId}/channels/news/users`
    expect((await wire.request('GET', `${users}?${signedQuery(credentials, 'GET', users, '')}`)).statusLine).toBe(
      'HTTP/1.1 400 Bad Request',
    )
    expect((await wire.request('GET', users)).statusLine).toBe('HTTP/1.1 401 Unauthorized')
    expect((await wire.request('GET', '/apps/none/channels?auth_key=x')).statusLine).toBe('HTTP/1.1 404 Not Found')
    wire.close()
  })

  it('trap 6: body_md5 on a GET is legal', async () => {
    const answer = await server().get('connections', { body_md5: 'd41d8cd98f00b204e9800998ecf8427e' })
    expect(answer.status).toBe(200)
  })

  it('trap 7: the signed path has no prefix, keys are lower-cased, values unescaped', async () => {
    const client = await prefixed().connect()
    await client.subscribePresence('presence-a=b@c,d.e;f', credentials, 'u1')
    const path = `/apps/${appId}/channels/presence-a=b@c,d.e;f`
    const query = signedQuery(credentials, 'GET', path, '', { query: { info: 'user_count,subscription_count' } })
    const upper = query.replace('info=', 'INFO=').replace('auth_key=', 'Auth_Key=')
    for (const sent of [query, upper, decodeURIComponent(query)]) {
      for (const name of [path, `/apps/${appId}/channels/${encodeURIComponent('presence-a=b@c,d.e;f')}`]) {
        const answer = await fetch(`${prefixed().url}${name}?${sent}`)
        expect([answer.status, await answer.text()]).toEqual([
          200,
          '{"occupied":true,"user_count":1,"subscription_count":1}',
        ])
      }
    }
    client.close()
  })

  it('trap 8: activity_timeout is there and above 0 for every protocol', async () => {
    for (const query of ['protocol=4', 'protocol=5', 'protocol=6', 'protocol=7', '']) {
      const client = await RawClient.connect(server().socketUrl(credentials.key, query))
      const data = JSON.parse(String(client.frames[0]?.data)) as { activity_timeout: unknown }
      expect(data.activity_timeout).toBe(30)
      client.close()
    }
  })

  it('trap 9: protocol 5 gets pusher:error before the close', async () => {
    const url = server().socketUrl('none', 'protocol=5&client=java-client')
    await expectTurnedAway(url, 4001, 'App key none not in this cluster. Did you forget to specify the cluster?')
    const client = await RawClient.connect(server().socketUrl(credentials.key, 'protocol=5'))
    client.signIn(credentials, { id: 'trap-9' })
    await client.next('pusher:signin_success')
    await server().post('users/trap-9/terminate_connections', {})
    const { code, reason } = await client.waitForClose()
    expect(client.unread().map((frame) => frame.text)).toEqual([errorText(code, reason)])
  })

  it('trap 10: 43xx are events, never closes; a refusal always comes with a close frame', async () => {
    const client = await server().connect()
    await client.subscribePrivate('private-trap-10', credentials)
    await framesSoFar(client)
    for (let count = 0; count < 12; count += 1) client.send({ event: 'client-a', channel: 'private-trap-10', data: 1 })
    client.signIn(credentials, { id: 'trap-10', watchlist: ['a', 'b'] })
    const codes = (await framesSoFar(client))
      .filter((frame) => frame.event === 'pusher:error')
      .map((frame) => (frame.data as { code: number }).code)
    expect(codes.filter((code) => code === 4301)).toHaveLength(2)
    await expect
      .poll(() => client.frames.map((frame) => frame.text))
      .toContain(errorText(4302, 'Watchlist limit exceeded. Only the first 1 user IDs are accepted.'))
    expect(client.closed).toBeUndefined()
    client.close()
    for (const url of [server().socketUrl('none'), server().socketUrl(credentials.key, 'protocol=3')]) {
      expect((await new RawClient(url).waitForClose()).code).toBeGreaterThanOrEqual(4000)
    }
  })

  it('trap 11: auth "" on public channels', async () => {
    const client = await server().connect()
    await client.subscribe('trap-11', { auth: '' })
    client.close()
  })

  it('trap 12: an integer user_id in channel_data', async () => {
    const data = '{"user_id":10,"user_info":{"name":"Mr. Channels"}}'
    const [watcher, client] = [await server().connect(), await server().connect()]
    await watcher.subscribePresence('presence-trap-12', credentials, 'u1')
    const presence = presenceOf(await client.subscribePrivate('presence-trap-12', credentials, data))
    expect([presence.ids, presence.hash['10']]).toEqual([['u1', '10'], { name: 'Mr. Channels' }])
    expect(await watcher.nextData('pusher_internal:member_added')).toEqual({
      user_id: '10',
      user_info: { name: 'Mr. Channels' },
    })
    client.close()
    expect(await watcher.nextData('pusher_internal:member_removed')).toEqual({ user_id: '10' })
    watcher.close()
  })

  it('trap 13: cached events carry channel, cache_miss carries data', async () => {
    const client = await server().connect()
    await client.subscribe('cache-trap-13')
    expect((await client.next()).text).toBe('{"event":"pusher:cache_miss","channel":"cache-trap-13","data":"{}"}')
    await server().trigger('cache-trap-13', 'e', 'd')
    const late = await server().connect()
    await late.subscribe('cache-trap-13')
    expect((await late.next()).text).toBe('{"event":"e","channel":"cache-trap-13","data":"d"}')
    for (const each of [client, late]) each.close()
  })

  it("trap 15: the documentation's presence vector is wrong, ours is right", async () => {
    const pusher = 'afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c'
    const sign = (name: string) =>
      channelAuth(credentials, '1234.1234', 'presence-foobar', `{"user_id":10,"user_info":{"name":"${name}"}}`)
    expect(sign('Mr. Pusher')).toBe(`${credentials.key}:${pusher}`)
    expect(sign('Mr. Channels')).toBe(
      `${credentials.key}:31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80`,
    )
    // What the documentation would make of it: one name's digest beside the other's data.
    const client = await server().connect()
    const data = (name: string) => `{"user_id":10,"user_info":{"name":"${name}"}}`
    const auth = channelAuth(credentials, client.socketId, 'presence-trap-15', data('Mr. Pusher'))
    const channel_data = data('Mr. Channels')
    client.send({ event: 'pusher:subscribe', data: { channel: 'presence-trap-15', auth, channel_data } })
    await client.next('pusher:subscription_error')
    client.close()
  })

  it('trap 16: socket_id is digits.digits, and no other is taken', async () => {
    const client = await server().connect()
    expect(client.socketId).toMatch(socketPattern)
    for (const socketId of ['abc', '1', '1.', '.1', '1.1.1', '1.1\n', '-1.1', '1,1', 7, '']) {
      const body = { name: 'e', channel: 'trap-16', data: 'd', socket_id: socketId }
      expect((await server().post('events', body)).status).toBe(400)
    }
    client.close()
  })

  it('trap 17: #server-to-user-ID is refused to a connection not signed in as ID', async () => {
    const [anonymous, other, user] = [await server().connect(), await server().connect(), await server().connect()]
    other.signIn(credentials, { id: '123' })
    user.signIn(credentials, { id: '12' })
    for (const client of [other, user]) await client.next('pusher:signin_success')
    for (const client of [anonymous, other]) {
      const channel = '#server-to-user-12'
      for (const auth of ['', channelAuth(credentials, client.socketId, channel)]) {
        client.send({ event: 'pusher:subscribe', data: { channel, auth } })
        await expectRefused(client, channel, 'AuthError', 401, notSignedIn('12'))
      }
    }
    await user.subscribe('#server-to-user-12', { auth: '' })
    await server().trigger('#server-to-user-12', 'e', 'd')
    expect((await user.next()).text).toBe(eventText('e', '#server-to-user-12', 'd'))
    for (const client of [anonymous, other, user]) {
      await client.expectNothing()
      client.close()
    }
  })

  it('trap 18: auth_timestamp is really checked', async () => {
    const now = Math.floor(Date.now() / 1000)
    const client = await server().connect()
    await client.subscribe('trap-18')
    await client.next('pusher_internal:subscription_count')
    const body = { name: 'e', channel: 'trap-18', data: 'd' }
    for (const timestampS of [1, now - 601, now + 602, Number.NaN]) {
      const answer = await rest(server().target, 'POST', 'events', { body, timestampS })
      expect([answer.status, answer.text.startsWith('Timestamp expired: ')]).toEqual([401, true])
    }
    await client.expectNothing()
    for (const timestampS of [now - 590, now + 590]) {
      expect((await rest(server().target, 'POST', 'events', { body, timestampS })).status).toBe(200)
      await client.next('e')
    }
    client.close()
  })
})
