import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.js'
import { channelAuth, RawClient, type Credentials } from '../../harness/raw-client.js'
import { rest, type RestTarget } from '../../harness/rest.js'
import { appId, credentials } from '../../harness/test-server.js'
import { eventText, expectRefused, framesSoFar, presenceOf } from './expecting.js'
import { sharedServer } from './shared-server.js'

describe('two apps with the same names', () => {
  const other = { id: 'other', key: 'other-key', secret: 'other-secret' }
  const server = sharedServer({}, { apps: [{ id: appId, ...credentials }, other] })
  const target = (): RestTarget => ({ ...other, appId: other.id, url: server().url })
  const connect = ({ key }: Credentials) => RawClient.connect(server().socketUrl(key))

  it('events, members, client events, caches and counts stay in their app', async () => {
    const [here, there] = [await connect(credentials), await connect(other)]
    for (const [client, pair] of [
      [here, credentials],
      [there, other],
    ] as const) {
      await client.subscribe('cache-a')
      await client.next('pusher:cache_miss')
      await client.subscribePrivate('private-a', pair)
      const presence = presenceOf(await client.subscribePresence('presence-a', pair, 'u1', pair.key))
      expect(presence).toEqual({ count: 1, ids: ['u1'], hash: { u1: pair.key } })
    }
    here.send({ event: 'client-a', channel: 'private-a', data: 1 })
    await server().trigger('cache-a', 'e', 'd')
    expect((await here.next()).text).toBe(eventText('e', 'cache-a', 'd'))
    await there.expectNothing()
    const second = await connect(other)
    await second.subscribe('cache-a')
    await second.next('pusher:cache_miss')
    const connections = async () => (await rest(target(), 'GET', 'connections')).text
    await eventually('both are counted', async () => (await connections()) === '{"connections":2}')
    expect((await server().get('connections')).text).toBe('{"connections":1}')
    const counts = { info: 'subscription_count' }
    expect((await rest(target(), 'GET', 'channels/cache-a', { query: counts })).text).toContain(
      '"subscription_count":2',
    )
    expect((await server().get('channels/cache-a', counts)).text).toContain('"subscription_count":1')
    for (const client of [here, there, second]) client.close()
  })

  it('a signature or key of the other app is refused, and so is its REST path', async () => {
    const client = await connect(credentials)
    const auth = channelAuth(other, client.socketId, 'private-a')
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth } })
    const message = `Invalid key in subscription auth data: '${other.key}'`
    await expectRefused(client, 'private-a', 'AuthError', 401, message)
    client.signIn(other, { id: 'u1' })
    expect((await client.next('pusher:error')).data).toMatchObject({ code: 4009 })
    expect((await rest({ ...target(), appId }, 'GET', 'channels')).text).toBe('Unknown auth_key\n')
    client.close()
  })

  it('a socket_id excludes nobody in the other app', async () => {
    const [here, there] = [await connect(credentials), await connect(other)]
    for (const client of [here, there]) await client.subscribe('a')
    const publish = (socketId: string) =>
      rest(target(), 'POST', 'events', { body: { name: 'e', data: 'd', channel: 'a', socket_id: socketId } })
    expect((await publish(here.socketId)).text).toBe('{}')
    expect((await there.next()).text).toBe(eventText('e', 'a', 'd'))
    expect((await publish(there.socketId)).text).toBe('{}')
    for (const client of [here, there]) {
      await client.expectNothing()
      client.close()
    }
  })

  it('users, watchlists and terminations are of one app', async () => {
    const [here, there] = [await connect(credentials), await connect(other)]
    here.signIn(credentials, { id: 'watcher', watchlist: ['u1'] })
    await here.next('pusher:signin_success')
    await here.next('pusher_internal:watchlist_events')
    there.signIn(other, { id: 'u1' })
    await there.next('pusher:signin_success')
    expect(await framesSoFar(here)).toEqual([])
    expect((await server().post('users/u1/terminate_connections', {})).text).toBe('{}')
    await there.expectNothing()
    expect((await rest(target(), 'POST', 'users/u1/terminate_connections', { body: {} })).text).toBe('{}')
    expect((await there.waitForClose()).code).toBe(4009)
    await here.expectNothing()
    here.close()
  })

  it('an app id or channel that looks like the topic of another app reaches nobody', async () => {
    const [here, there] = [await connect(credentials), await connect(other)]
    await there.subscribe('a')
    here.send({ event: 'pusher:subscribe', data: { channel: 'other/a' } })
    await here.next('pusher:subscription_error')
    await here.next('pusher:error')
    expect((await server().post('events', { name: 'e', data: 'd', channel: 'other/a' })).status).toBe(400)
    await there.expectNothing()
    for (const client of [here, there]) client.close()
  })
})
