import { describe, expect, it } from 'vitest'
import { type Frame, type RawClient, userAuth } from '../../harness/raw-client.js'
import { credentials, type TestServer } from '../../harness/test-server.js'
import { errorText, eventText, expectError, expectRefused } from './expecting.js'
import { sharedServer } from './shared-server.js'

const badId = 'the id in user_data must be a string of 1 to 200 letters, digits and _ - = @ , . ;'
const badSignature = 'the signature in auth does not fit SOCKET_ID::user::USER_DATA'
const ended = 'Connection is unauthorized: the application ended the connections of this user'
const success = (userData: string) =>
  JSON.stringify({ event: 'pusher:signin_success', data: JSON.stringify({ user_data: userData }) })

async function signedIn(server: TestServer, user: object): Promise<RawClient> {
  const client = await server.connect()
  client.signIn(credentials, user)
  await client.next('pusher:signin_success')
  return client
}

function watchlist(frame: Frame): unknown {
  expect(frame.text.startsWith('{"event":"pusher_internal:watchlist_events","data":"')).toBe(true)
  return (JSON.parse(String(frame.data)) as { events: unknown }).events
}

describe('sign-in (2.8)', () => {
  const server = sharedServer()

  it.each([
    '{"id":"12345","user_info":{},"watchlist":["7"]}',
    '{"id":"12345"}',
    '{ "user_info" : {"n": 1.10, "ü":"😀"},  "id":"12345" }',
    '{"id":"12345","watchlist":"nonsense","other":[1]}',
  ])('echoes %s unchanged', async (userData) => {
    const client = await server().connect()
    client.signIn(credentials, userData)
    expect((await client.next()).text).toBe(success(userData))
    client.close()
  })

  it.each([
    ['an empty id', '{"id":""}', badId],
    ['a number as id', '{"id":12345}', badId],
    ['null as id', '{"id":null}', badId],
    ['no id', '{"user_info":{}}', badId],
    ['a character that no channel may have', '{"id":"a b"}', badId],
    ['201 characters', `{"id":"${'x'.repeat(201)}"}`, badId],
    ['a list', '["12345"]', 'user_data must be the JSON text of an object'],
    ['no JSON', 'hello', 'user_data must be the JSON text of an object'],
    ['nothing', '', 'user_data must be the JSON text of an object'],
  ])('with %s: error 4009, and the connection stays', async (_what, userData, reason) => {
    const client = await server().connect()
    client.signIn(credentials, userData)
    await expectError(client, 4009, `Connection not authorized: ${reason}`)
    await client.subscribe('news')
    client.close()
  })

  it('with a wrong signature or key: error 4009, and a corrected one works', async () => {
    const client = await server().connect()
    const userData = '{"id":"12345"}'
    const send = (auth: string) => client.send({ event: 'pusher:signin', data: { auth, user_data: userData } })
    for (const auth of [
      userAuth({ ...credentials, secret: 'x' }, client.socketId, userData),
      userAuth(credentials, '1.1', userData),
      userAuth(credentials, client.socketId, '{"id":"1"}'),
      `${credentials.key}:`,
    ]) {
      send(auth)
      await expectError(client, 4009, `Connection not authorized: ${badSignature}`)
    }
    for (const auth of ['other:00', '']) {
      send(auth)
      await expectError(client, 4009, 'Connection not authorized: the key in auth is not a key of this app')
    }
    send(userAuth(credentials, client.socketId, userData))
    expect((await client.next()).text).toBe(success(userData))
    client.close()
  })

  it('takes 200 characters of id, and its channel with them', async () => {
    const id = 'x'.repeat(200)
    const client = await signedIn(server(), { id })
    await client.subscribe(`#server-to-user-${id}`, { auth: '' })
    await server().trigger(`#server-to-user-${id}`, 'e', 'd')
    expect((await client.next()).text).toBe(eventText('e', `#server-to-user-${id}`, 'd'))
    client.close()
  })

  it('again with the same id: success again; with another: error, and the first stays', async () => {
    const client = await signedIn(server(), { id: 'u1' })
    client.signIn(credentials, '{"id":"u1","user_info":1}')
    expect((await client.next()).text).toBe(success('{"id":"u1","user_info":1}'))
    client.signIn(credentials, { id: 'u2' })
    await expectError(client, 4009, 'Connection not authorized: the connection is signed in as another user')
    await client.subscribe('#server-to-user-u1')
    client.send({ event: 'pusher:subscribe', data: { channel: '#server-to-user-u2' } })
    const message = 'Not signed in as the user of channel #server-to-user-u2'
    await expectRefused(client, '#server-to-user-u2', 'AuthError', 401, message)
    client.close()
  })
})

describe('server-to-user channels (2.8)', () => {
  const server = sharedServer({ subscriptionCount: { enabled: true } })

  it('reach every connection of the user, and nobody else', async () => {
    const tabs = [await signedIn(server(), { id: 'u1' }), await signedIn(server(), { id: 'u1' })]
    const other = await signedIn(server(), { id: 'u2' })
    for (const tab of tabs) {
      const frame = await tab.subscribe('#server-to-user-u1', { auth: '' })
      expect(frame.text).toBe(eventText('pusher_internal:subscription_succeeded', '#server-to-user-u1', '{}'))
    }
    await other.subscribe('#server-to-user-u2', { auth: '' })
    expect((await server().post('events', { name: 'e', data: 'd', channels: ['#server-to-user-u1'] })).text).toBe('{}')
    for (const tab of tabs) {
      expect((await tab.next()).text).toBe(eventText('e', '#server-to-user-u1', 'd'))
      await tab.expectNothing()
    }
    await other.expectNothing()
    for (const client of [...tabs, other]) client.close()
  })

  it('are left out of channel lists and subscription counts', async () => {
    const client = await signedIn(server(), { id: 'u3' })
    await client.subscribe('#server-to-user-u3')
    await client.subscribe('listed')
    await client.next('pusher_internal:subscription_count')
    await client.expectNothing()
    const { channels } = (await server().get('channels')).json() as { channels: object }
    expect(Object.keys(channels).filter((name) => name.startsWith('#'))).toEqual([])
    expect(Object.keys(channels)).toContain('listed')
    client.close()
  })

  it('are refused before the sign-in, and open after it', async () => {
    const client = await server().connect()
    client.send({ event: 'pusher:subscribe', data: { channel: '#server-to-user-u4', auth: '' } })
    const message = 'Not signed in as the user of channel #server-to-user-u4'
    await expectRefused(client, '#server-to-user-u4', 'AuthError', 401, message)
    client.signIn(credentials, { id: 'u4' })
    await client.next('pusher:signin_success')
    await client.subscribe('#server-to-user-u4', { auth: '' })
    client.close()
  })
})

describe('watchlist (2.8)', () => {
  const server = sharedServer({ limits: { watchlistUsers: 3 } })
  const off = sharedServer({ watchlist: { enabled: false } })

  it('tells who is on and off line after signin_success, then every change, once per user', async () => {
    const online = await signedIn(server(), { id: 'a1' })
    const watcher = await server().connect()
    watcher.signIn(credentials, { id: 'watcher', watchlist: ['a1', 'a2'] })
    await watcher.next('pusher:signin_success')
    expect((await watcher.next()).text).toBe(
      '{"event":"pusher_internal:watchlist_events","data":"{\\"events\\":[{\\"name\\":\\"online\\",\\"user_ids\\":[\\"a1\\"]},{\\"name\\":\\"offline\\",\\"user_ids\\":[\\"a2\\"]}]}"}',
    )
    const tabs = [await signedIn(server(), { id: 'a2' }), await signedIn(server(), { id: 'a2' })]
    expect(watchlist(await watcher.next())).toEqual([{ name: 'online', user_ids: ['a2'] }])
    await watcher.expectNothing()
    tabs[0]?.close()
    await tabs[0]?.waitForClose()
    await watcher.expectNothing()
    tabs[1]?.close()
    expect(watchlist(await watcher.next())).toEqual([{ name: 'offline', user_ids: ['a2'] }])
    online.close()
    expect(watchlist(await watcher.next())).toEqual([{ name: 'offline', user_ids: ['a1'] }])
    await watcher.expectNothing()
    watcher.close()
  })

  it('leaves an empty list out', async () => {
    const watcher = await signedIn(server(), { id: 'w2', watchlist: ['b1'] })
    expect(watchlist(await watcher.next())).toEqual([{ name: 'offline', user_ids: ['b1'] }])
    watcher.close()
  })

  it('says nothing for an empty or missing watchlist', async () => {
    for (const user of [{ id: 'w3' }, { id: 'w3', watchlist: [] }]) {
      const watcher = await signedIn(server(), user)
      await watcher.expectNothing()
      watcher.close()
    }
  })

  it('takes the first ids up to the limit: success, and error 4302', async () => {
    const watcher = await server().connect()
    watcher.signIn(credentials, { id: 'w4', watchlist: ['c1', 'c2', 'c3', 'c4'] })
    await watcher.next('pusher:signin_success')
    await expectError(watcher, 4302, 'Watchlist limit exceeded. Only the first 3 user IDs are accepted.')
    expect(watchlist(await watcher.next())).toEqual([{ name: 'offline', user_ids: ['c1', 'c2', 'c3'] }])
    const [unwatched, watched] = [await signedIn(server(), { id: 'c4' }), await signedIn(server(), { id: 'c3' })]
    expect(watchlist(await watcher.next())).toEqual([{ name: 'online', user_ids: ['c3'] }])
    await watcher.expectNothing()
    for (const client of [watcher, unwatched, watched]) client.close()
  })

  it('presence alone does not make a user online', async () => {
    const watcher = await signedIn(server(), { id: 'w5', watchlist: ['d1'] })
    await watcher.next('pusher_internal:watchlist_events')
    const member = await server().connect()
    await member.subscribePresence('presence-a', credentials, 'd1')
    await watcher.expectNothing()
    for (const client of [watcher, member]) client.close()
  })

  it('switched off, nothing is sent', async () => {
    const watcher = await signedIn(off(), { id: 'w6', watchlist: ['e1', 'e2'] })
    const other = await signedIn(off(), { id: 'e1' })
    await watcher.expectNothing()
    for (const client of [watcher, other]) client.close()
  })
})

describe('terminate connections (2.8, 4.8)', () => {
  const server = sharedServer()

  it('closes every connection signed in as the user with 4009, and no other', async () => {
    const going = [await signedIn(server(), { id: 'u1' }), await signedIn(server(), { id: 'u1' })]
    const member = await server().connect()
    await member.subscribePresence('presence-a', credentials, 'u1')
    const other = await signedIn(server(), { id: 'u10' })
    const answer = await server().post('users/u1/terminate_connections', {})
    expect([answer.status, answer.text]).toEqual([200, '{}'])
    for (const client of going) {
      expect(await client.waitForClose()).toEqual({ code: 4009, reason: ended })
      expect(client.unread().map((frame) => frame.text)).toEqual([errorText(4009, ended)])
    }
    for (const client of [member, other]) await client.expectNothing()
    const back = await signedIn(server(), { id: 'u1' })
    for (const client of [member, other, back]) client.close()
  })

  it('is {} also for a user who has no connection, and with an empty body', async () => {
    for (const body of [{}, undefined]) {
      const answer = await server().post('users/nobody/terminate_connections', body)
      expect([answer.status, answer.text]).toEqual([200, '{}'])
    }
  })

  it('takes a percent-encoded user id', async () => {
    const client = await signedIn(server(), { id: 'a@b.c;d' })
    expect((await server().post(`users/${encodeURIComponent('a@b.c;d')}/terminate_connections`, {})).text).toBe('{}')
    expect((await client.waitForClose()).code).toBe(4009)
  })
})

describe('authorized connections (2.9)', () => {
  const server = sharedServer({ authorizedConnections: { enabled: true, timeoutMs: 1000 } })
  const late = 'Connection not authorized within timeout'

  it('closes with 4009 who neither signs in nor subscribes to a signed channel', async () => {
    const idle = await server().connect()
    const publicOnly = await server().connect()
    await publicOnly.subscribe('news')
    const refused = await server().connect()
    refused.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth: 'x:y' } })
    const member = await server().connect()
    await member.subscribePresence('presence-a', credentials, 'u1')
    const subscriber = await server().connect()
    await subscriber.subscribePrivate('private-a', credentials)
    await subscriber.subscribePrivate('private-encrypted-a', credentials)
    const user = await signedIn(server(), { id: 'u1' })
    for (const client of [idle, publicOnly, refused]) {
      expect(await client.waitForClose()).toEqual({ code: 4009, reason: late })
      expect(client.unread().at(-1)?.text).toBe(errorText(4009, late))
    }
    for (const client of [member, subscriber, user]) {
      await client.expectNothing()
      client.close()
    }
  })
})
