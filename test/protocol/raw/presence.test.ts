import { describe, expect, it } from 'vitest'
import { channelAuth, type RawClient } from '../../harness/raw-client.js'
import { credentials, describeInProcess } from '../../harness/test-server.js'
import { eventText, expectRefused, presenceOf, unsubscribe } from './expecting.js'
import { sharedServer } from './shared-server.js'

const added = (channel: string, data: string) => eventText('pusher_internal:member_added', channel, data)
const removed = (channel: string, userId: string) =>
  eventText('pusher_internal:member_removed', channel, JSON.stringify({ user_id: userId }))
const join = async (client: RawClient, channel: string, channelData: string) =>
  presenceOf(await client.subscribePrivate(channel, credentials, channelData))
const closed = async (...clients: RawClient[]) => {
  for (const client of clients) client.close()
  await Promise.all(clients.map((client) => client.waitForClose()))
}

describe('presence (2.5)', () => {
  const server = sharedServer({ limits: { presenceUserIdLength: 10, presenceMembers: 3, presenceMemberBytes: 20 } })

  it('tells the first member about itself, to the character', async () => {
    const client = await server().connect()
    const frame = await client.subscribePrivate('presence-a', credentials, '{"user_id":"u1","user_info":{"name":"A"}}')
    expect(frame.text).toBe(
      eventText(
        'pusher_internal:subscription_succeeded',
        'presence-a',
        '{"presence":{"count":1,"ids":["u1"],"hash":{"u1":{"name":"A"}}}}',
      ),
    )
    await client.expectNothing()
    await closed(client)
  })

  it('tells the others of a member that comes and goes, and never the member itself', async () => {
    const [one, two] = [await server().connect(), await server().connect()]
    await join(one, 'presence-b', '{"user_id":"u1"}')
    const presence = await join(two, 'presence-b', '{"user_id":"u2","user_info":{"name":"B"}}')
    expect(presence).toEqual({ count: 2, ids: ['u1', 'u2'], hash: { u1: null, u2: { name: 'B' } } })
    await two.expectNothing()
    expect((await one.next()).text).toBe(added('presence-b', '{"user_id":"u2","user_info":{"name":"B"}}'))
    expect(await unsubscribe(two, 'presence-b')).toEqual([])
    expect((await one.next()).text).toBe(removed('presence-b', 'u2'))
    await join(two, 'presence-b', '{"user_id":"u2"}')
    expect((await one.next()).text).toBe(added('presence-b', '{"user_id":"u2"}'))
    await closed(two)
    expect((await one.next()).text).toBe(removed('presence-b', 'u2'))
    await one.expectNothing()
    await closed(one)
  })

  it('counts a user with several connections once: added with the first, removed with the last', async () => {
    const watcher = await server().connect()
    const tabs = [await server().connect(), await server().connect(), await server().connect()] as const
    await join(watcher, 'presence-c', '{"user_id":"watcher"}')
    await join(tabs[0], 'presence-c', '{"user_id":"u1","user_info":1}')
    expect((await watcher.next()).text).toBe(added('presence-c', '{"user_id":"u1","user_info":1}'))
    const whole = { count: 2, ids: ['watcher', 'u1'], hash: { watcher: null, u1: 1 } }
    for (const tab of tabs.slice(1))
      expect(await join(tab, 'presence-c', '{"user_id":"u1","user_info":1}')).toEqual(whole)
    for (const client of [watcher, ...tabs]) await client.expectNothing()
    await closed(tabs[1])
    await unsubscribe(tabs[0], 'presence-c')
    await watcher.expectNothing()
    await server().counted('presence-c', 2)
    expect((await server().get('channels/presence-c', { info: 'user_count,subscription_count' })).json()).toEqual({
      occupied: true,
      user_count: 2,
      subscription_count: 2,
    })
    await closed(tabs[2])
    expect((await watcher.next()).text).toBe(removed('presence-c', 'u1'))
    await watcher.expectNothing()
    await closed(watcher, tabs[0])
  })

  it('keeps the first user_info while the user is there, and takes a new one afterwards', async () => {
    const [watcher, one, two] = [await server().connect(), await server().connect(), await server().connect()]
    await join(watcher, 'presence-d', '{"user_id":"watcher"}')
    await join(one, 'presence-d', '{"user_id":"u1","user_info":"first"}')
    expect((await join(two, 'presence-d', '{"user_id":"u1","user_info":"second"}')).hash).toEqual({
      watcher: null,
      u1: 'first',
    })
    expect((await watcher.next()).text).toBe(added('presence-d', '{"user_id":"u1","user_info":"first"}'))
    await closed(one)
    await watcher.expectNothing()
    await unsubscribe(two, 'presence-d')
    expect((await watcher.next()).text).toBe(removed('presence-d', 'u1'))
    expect((await join(two, 'presence-d', '{"user_id":"u1","user_info":"second"}')).hash['u1']).toBe('second')
    expect((await watcher.next()).text).toBe(added('presence-d', '{"user_id":"u1","user_info":"second"}'))
    await closed(watcher, two)
  })

  it.each([
    ['{"user_id":10}', '10'],
    ['{"user_id":0}', '0'],
    ['{"user_id":"10"}', '10'],
    ['{"user_id":-7}', '-7'],
    ['{"user_id":1.5}', '1.5'],
  ])('a numeric user_id becomes its decimal string: %s', async (channelData, userId) => {
    const [watcher, client] = [await server().connect(), await server().connect()]
    await join(watcher, 'presence-e', '{"user_id":"watcher"}')
    const presence = await join(client, 'presence-e', channelData)
    expect(presence.ids).toEqual(['watcher', userId])
    expect(presence.hash).toEqual({ watcher: null, [userId]: null })
    expect((await watcher.next()).text).toBe(added('presence-e', JSON.stringify({ user_id: userId })))
    expect((await server().get('channels/presence-e/users')).json()).toEqual({
      users: [{ id: 'watcher' }, { id: userId }],
    })
    await closed(client)
    expect((await watcher.next()).text).toBe(removed('presence-e', userId))
    await closed(watcher)
  })

  it('10 and "10" are one user', async () => {
    const [one, two] = [await server().connect(), await server().connect()]
    await join(one, 'presence-f', '{"user_id":10}')
    expect((await join(two, 'presence-f', '{"user_id":"10"}')).count).toBe(1)
    await one.expectNothing()
    await closed(one, two)
  })

  it.each(['{"user_id":"u","user_info":null}', '{"user_id":"u"}'])(
    'gives every id a key in hash, null without user_info: %s',
    async (channelData) => {
      const client = await server().connect()
      const presence = await join(client, 'presence-h', channelData)
      expect(presence).toEqual({ count: 1, ids: ['u'], hash: { u: null } })
      await closed(client)
    },
  )

  it.each(['"text"', '7', 'true', '[1,2]', '{"b":1,"a":1.10}', '{"x":"\\u00fc 😀"}'])(
    'passes user_info %s on as it is written',
    async (userInfo) => {
      const [one, two] = [await server().connect(), await server().connect()]
      await join(one, 'presence-i', '{"user_id":"u1"}')
      const data = `{ "user_info" : ${userInfo} , "user_id":"u2", "other": 1}`
      const frame = await two.subscribePrivate('presence-i', credentials, data)
      expect(frame.data).toContain(`"u2":${userInfo}`)
      expect((await one.next()).text).toBe(added('presence-i', `{"user_id":"u2","user_info":${userInfo}}`))
      await closed(one, two)
    },
  )

  it.each(['ü-1', 'a b', '"', '\\', '__proto__', '😀', '\u2028', '<b>'])('takes the user_id %j', async (userId) => {
    const [one, two] = [await server().connect(), await server().connect()]
    await join(one, 'presence-j', '{"user_id":"u1"}')
    const presence = await join(two, 'presence-j', JSON.stringify({ user_id: userId }))
    expect(presence.ids).toEqual(['u1', userId])
    expect(Object.keys(presence.hash)).toEqual(['u1', userId])
    expect((await one.next()).text).toBe(added('presence-j', JSON.stringify({ user_id: userId })))
    await closed(two)
    expect((await one.next()).text).toBe(removed('presence-j', userId))
    await closed(one)
  })

  it('keeps channels and connections of one user apart', async () => {
    const [one, two] = [await server().connect(), await server().connect()]
    await join(one, 'presence-k', '{"user_id":"u1"}')
    await join(two, 'presence-l', '{"user_id":"u1"}')
    await one.expectNothing()
    await closed(two)
    await one.expectNothing()
    await closed(one)
  })

  it('tells comings and goings in the order in which they happened', async () => {
    const watcher = await server().connect()
    await join(watcher, 'presence-m', '{"user_id":"watcher"}')
    const client = await server().connect()
    const expected: string[] = []
    for (let round = 0; round < 20; round += 1) {
      const data = `{"user_id":"u1","user_info":${round}}`
      await join(client, 'presence-m', data)
      client.send({ event: 'pusher:unsubscribe', data: { channel: 'presence-m' } })
      expected.push(added('presence-m', data), removed('presence-m', 'u1'))
    }
    const seen: string[] = []
    for (let index = 0; index < 40; index += 1) seen.push((await watcher.next()).text)
    expect(seen).toEqual(expected)
    expect((await server().get('channels/presence-m/users')).text).toBe('{"users":[{"id":"watcher"}]}')
    await closed(watcher, client)
  })

  it('refuses a user above presenceMembers, not another connection of a user who is in', async () => {
    const clients: RawClient[] = []
    for (const userId of ['u1', 'u2', 'u3']) {
      const client = await server().connect()
      await join(client, 'presence-full', JSON.stringify({ user_id: userId }))
      clients.push(client)
    }
    const late = await server().connect()
    const sendLate = (userId: string) => {
      const data = JSON.stringify({ user_id: userId })
      const auth = channelAuth(credentials, late.socketId, 'presence-full', data)
      late.send({ event: 'pusher:subscribe', data: { channel: 'presence-full', auth, channel_data: data } })
    }
    sendLate('u4')
    await expectRefused(
      late,
      'presence-full',
      'LimitReached',
      4100,
      'Channel presence-full is full: at most 3 members are allowed',
    )
    await server().trigger('presence-full', 'e', 'd')
    await late.expectNothing()
    sendLate('u1')
    expect(presenceOf(await late.next('pusher_internal:subscription_succeeded')).count).toBe(3)
    await unsubscribe(late, 'presence-full')
    await closed(clients[2] as RawClient)
    sendLate('u4')
    expect(presenceOf(await late.next('pusher_internal:subscription_succeeded')).ids).toEqual(['u1', 'u2', 'u4'])
    await closed(late, ...clients.slice(0, 2))
  })

  it('refuses a user_id or user_info that is too large: LimitReached 4301', async () => {
    const client = await server().connect()
    const refusedFor = async (data: string, message: string) => {
      const auth = channelAuth(credentials, client.socketId, 'presence-n', data)
      client.send({ event: 'pusher:subscribe', data: { channel: 'presence-n', auth, channel_data: data } })
      await expectRefused(client, 'presence-n', 'LimitReached', 4301, message)
    }
    await refusedFor(
      '{"user_id":"12345678901"}',
      'The user_id is too long: at most 10 characters are allowed, this one has 11',
    )
    await refusedFor(
      `{"user_id":"u","user_info":"${'ü'.repeat(9)}x"}`,
      'The user_info is too large: at most 20 bytes of JSON are allowed, this one has 21',
    )
    await join(client, 'presence-n', `{"user_id":"1234567890","user_info":"${'ü'.repeat(9)}"}`)
    await closed(client)
  })

  it('an ordinary event reaches all members once, tabs of one user each', async () => {
    const clients = [await server().connect(), await server().connect()]
    for (const client of clients) await join(client, 'presence-o', '{"user_id":"u1"}')
    await server().trigger('presence-o', 'e', 'd')
    for (const client of clients) {
      expect((await client.next()).text).toBe(eventText('e', 'presence-o', 'd'))
      await client.expectNothing()
    }
    await closed(...clients)
  })
})

// Between nodes a join that is taken back before the store has answered is told to nobody.
describeInProcess('comings and goings (2.5)', 'the store answers at once', () => {
  const server = sharedServer()

  it('are all told, and in order, when they come in one burst', async () => {
    const watcher = await server().connect()
    await join(watcher, 'presence-burst', '{"user_id":"watcher"}')
    const client = await server().connect()
    const expected: string[] = []
    for (let round = 0; round < 20; round += 1) {
      const data = `{"user_id":"u1","user_info":${round}}`
      const auth = channelAuth(credentials, client.socketId, 'presence-burst', data)
      client.send({ event: 'pusher:subscribe', data: { channel: 'presence-burst', auth, channel_data: data } })
      client.send({ event: 'pusher:ping', data: {} })
      client.send({ event: 'pusher:unsubscribe', data: { channel: 'presence-burst' } })
      expected.push(added('presence-burst', data), removed('presence-burst', 'u1'))
    }
    const seen: string[] = []
    for (let index = 0; index < 40; index += 1) seen.push((await watcher.next()).text)
    expect(seen).toEqual(expected)
    expect((await server().get('channels/presence-burst/users')).text).toBe('{"users":[{"id":"watcher"}]}')
    await closed(watcher, client)
  })
})

describe('presence of signed-in users (2.5)', () => {
  const server = sharedServer({ watchlist: { enabled: false } })

  it('without channel_data the sign-in gives the member', async () => {
    const client = await server().connect()
    client.signIn(credentials, { id: 'u1', user_info: { name: 'Ann' } })
    await client.next('pusher:signin_success')
    const presence = presenceOf(await client.subscribePrivate('presence-a', credentials))
    expect(presence).toEqual({ count: 1, ids: ['u1'], hash: { u1: { name: 'Ann' } } })
    await closed(client)
  })

  it('channel_data overrides the sign-in', async () => {
    const client = await server().connect()
    client.signIn(credentials, { id: 'u1', user_info: { name: 'Ann' } })
    await client.next('pusher:signin_success')
    expect(await join(client, 'presence-b', '{"user_id":"u2"}')).toEqual({ count: 1, ids: ['u2'], hash: { u2: null } })
    await closed(client)
  })

  it('keeps a long numeric user_id exact', async () => {
    const client = await server().connect()
    expect((await join(client, 'presence-d', '{"user_id":9007199254740993}')).ids).toEqual(['9007199254740993'])
    await closed(client)
  })

  it('a sign-in without user_info gives null', async () => {
    const client = await server().connect()
    client.signIn(credentials, { id: 'u1' })
    await client.next('pusher:signin_success')
    expect(presenceOf(await client.subscribePrivate('presence-c', credentials)).hash).toEqual({ u1: null })
    await closed(client)
  })
})
