import { describe, expect, it } from 'vitest'
import { channelAuth, RawClient, userAuth } from '../../harness/raw-client.js'
import { rest, signedQuery } from '../../harness/rest.js'
import { appId, credentials } from '../../harness/test-server.js'
import { channelVectors } from '../../harness/vectors.js'
import { expectRefused, presenceOf } from './expecting.js'
import { sharedServer } from './shared-server.js'

describe('channel signatures (3.1)', () => {
  const server = sharedServer()

  it.each(channelVectors)(
    '%s with %s: signed as the vector, accepted as a real subscribe',
    async (channel, data, digest) => {
      expect(channelAuth(credentials, '1234.1234', channel, data)).toBe(`${credentials.key}:${digest}`)
      const client = await server().connect()
      await client.subscribePrivate(channel, credentials, data)
      client.close()
    },
  )

  it.each(['private-a', 'presence-a'])(
    '%s: channel_data is signed as received, never re-serialised',
    async (channel) => {
      const written = '{ "user_id" : "u1", "n":1.10 }'
      const client = await server().connect()
      const auth = channelAuth(credentials, client.socketId, channel, JSON.stringify(JSON.parse(written)))
      client.send({ event: 'pusher:subscribe', data: { channel, auth, channel_data: written } })
      const digest = auth.split(':')[1] ?? ''
      const message = `Invalid signature: Expected HMAC SHA256 hex digest of ${client.socketId}:${channel}:${written}, but got ${digest}`
      await expectRefused(client, channel, 'AuthError', 401, message)
      await client.subscribePrivate(channel, credentials, written)
      client.close()
    },
  )

  it('channel_data that is signed but not sent, or sent but not signed, is refused', async () => {
    const client = await server().connect()
    const data = '{"user_id":"u1"}'
    for (const [signed, sent] of [
      [data, undefined],
      [undefined, data],
    ]) {
      const auth = channelAuth(credentials, client.socketId, 'private-a', signed)
      client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth, channel_data: sent } })
      expect((await client.next('pusher:subscription_error')).data).toContain('"status":401')
      await client.next('pusher:error')
    }
    client.close()
  })

  it('channel_data: null is none', async () => {
    const client = await server().connect()
    const auth = channelAuth(credentials, client.socketId, 'private-a')
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth, channel_data: null } })
    await client.next('pusher_internal:subscription_succeeded')
    client.close()
  })
})

describe('sign-in signatures (3.3)', () => {
  const server = sharedServer()

  it.each([
    ['{"id":"12345"}', '4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba'],
    [
      '{"id":"12345","user_info":{"name":"Ann"},"watchlist":["7","8"]}',
      '457903950ee8bf92facc2372905dd3625e3635904fdc107f0f6374b64ca49b4e',
    ],
  ])('%s: signed as the vector, accepted as a real sign-in', async (userData, digest) => {
    expect(userAuth(credentials, '1234.1234', userData)).toBe(`${credentials.key}:${digest}`)
    const client = await server().connect()
    client.signIn(credentials, userData)
    await client.next('pusher:signin_success')
    client.close()
  })

  it('a channel signature is no sign-in signature, and the other way round', async () => {
    const client = await server().connect()
    const userData = '{"id":"1"}'
    client.send({
      event: 'pusher:signin',
      data: { auth: channelAuth(credentials, client.socketId, userData), user_data: userData },
    })
    expect((await client.next('pusher:error')).data).toMatchObject({ code: 4009 })
    const auth = userAuth(credentials, client.socketId, 'private-a')
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth } })
    await client.next('pusher:subscription_error')
    client.close()
  })
})

describe('several keys of one app (3)', () => {
  const second = { key: 'the-newer-key', secret: 'the-newer-secret' }
  const server = sharedServer({}, { apps: [{ id: appId, keys: [credentials, second] }] })

  it('each key connects, subscribes, signs in and calls the REST API', async () => {
    for (const pair of [credentials, second]) {
      const client = await RawClient.connect(server().socketUrl(pair.key))
      await client.subscribePrivate('private-a', pair)
      client.signIn(pair, { id: 'u1' })
      await client.next('pusher:signin_success')
      const target = { ...pair, appId, url: server().url }
      const answer = await rest(target, 'POST', 'events', { body: { name: 'e', channel: 'private-a', data: 'd' } })
      expect([answer.status, answer.text]).toEqual([200, '{}'])
      await client.next('e')
      client.close()
      await client.waitForClose()
    }
  })

  it('the key that signs need not be the key of the connection', async () => {
    const [one, two] = [await RawClient.connect(server().socketUrl(second.key)), await server().connect()]
    await one.subscribePresence('presence-a', credentials, 'u1')
    const frame = await two.subscribePrivate('presence-a', second, '{"user_id":"u2"}')
    expect(presenceOf(frame).ids).toEqual(['u1', 'u2'])
    for (const client of [one, two]) client.close()
  })

  it("one key with the other's secret is refused", async () => {
    const mixed = { key: credentials.key, secret: second.secret }
    const client = await server().connect()
    client.send({
      event: 'pusher:subscribe',
      data: { channel: 'private-a', auth: channelAuth(mixed, client.socketId, 'private-a') },
    })
    await client.next('pusher:subscription_error')
    const query = signedQuery(mixed, 'GET', `/apps/${appId}/channels`, '')
    expect((await fetch(`${server().url}/apps/${appId}/channels?${query}`)).status).toBe(401)
    client.close()
  })
})
