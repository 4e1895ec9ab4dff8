import { beforeEach, describe, expect, test } from 'vitest'
import { appSettings } from '../../fakes/app-settings.js'
import { NodeFixture, names, nothingLeft, settle, type Client, type Received } from './node-fixture.js'

let fixture: NodeFixture
beforeEach(async () => {
  fixture = await NodeFixture.start()
})

async function signedIn(userId: string, watchlist: readonly string[] = []): Promise<Client> {
  const client = fixture.connect()
  client.take()
  client.signIn(userId, watchlist)
  await settle()
  return client
}

/** `online: a,b` per event of a watchlist frame. */
function statuses(received: readonly Received[]): string[] {
  return received
    .filter(({ event }) => event === names.watch)
    .map(({ data }) => {
      const { events } = JSON.parse(String(data)) as { events: { name: string; user_ids: string[] }[] }
      return events.map(({ name, user_ids: ids }) => `${name}: ${ids.join()}`).join(' ')
    })
}

describe('signing in (2.8)', () => {
  test('echoes the exact user_data', async () => {
    const client = fixture.connect()
    client.take()
    client.signIn('ann', ['bob'])
    await settle()
    const [success] = client.take()
    expect(success?.event).toBe(names.signedIn)
    expect(JSON.parse(String(success?.data))).toEqual({ user_data: '{"id":"ann","watchlist":["bob"]}' })
  })

  test('again with the same id succeeds, another id is refused and the first stays', async () => {
    const client = await signedIn('ann')
    client.take()
    client.signIn('ann')
    client.signIn('bob')
    await settle()
    const [again, refused] = client.take()
    expect(again?.event).toBe(names.signedIn)
    expect(refused).toMatchObject({ event: names.error, data: { code: 4009 } })
    expect(client.connection.user?.id).toBe('ann')
    expect(client.socket.open).toBe(true)
    expect(fixture.backend.callsOf('users.signIn')).toHaveLength(1)
  })

  test.each([
    ['a wrong signature', { auth: '278d425bdf160c739803:00', user_data: '{"id":"ann"}' }, 1],
    ['a foreign key', { auth: 'other:00', user_data: '{"id":"ann"}' }, 1],
    ['no colon', { auth: '', user_data: '{"id":"ann"}' }, 1],
  ])('%s is an error with 4009, counted, and no close', async (_what, data, failures) => {
    const client = fixture.connect()
    client.take()
    client.send({ event: 'pusher:signin', data })
    await settle()
    expect(client.take()).toMatchObject([{ event: names.error, data: { code: 4009 } }])
    expect(client.connection.local.counters.authFailures.user).toBe(failures)
    expect(client.socket.open).toBe(true)
    expect(client.connection.user).toBeUndefined()
  })

  test('only the user may subscribe to #server-to-user-ID', async () => {
    const ann = await signedIn('ann')
    const stranger = fixture.connect()
    ann.take()
    stranger.take()
    ann.subscribe('#server-to-user-ann')
    ann.subscribe('#server-to-user-bob')
    stranger.subscribe('#server-to-user-ann')
    await settle()
    expect(ann.takeNames()).toEqual([names.refused, names.error, names.succeeded])
    expect(stranger.takeNames()).toEqual([names.refused, names.error])
    await fixture.publish('#server-to-user-ann', 'secret')
    expect(ann.takeTexts()).toEqual(['e secret'])
    expect(stranger.take()).toEqual([])
  })

  test('a signed-in user joins presence channels as itself', async () => {
    const ann = await signedIn('ann')
    ann.take()
    ann.subscribe('presence-a')
    await settle()
    expect(JSON.parse(String(ann.take()[0]?.data))).toEqual({
      presence: { count: 1, ids: ['ann'], hash: { ann: null } },
    })
  })

  test('a connection that closes while the store answers leaves nothing behind', async () => {
    fixture.backend.hold('users.signIn')
    const client = await signedIn('ann', ['bob'])
    client.close()
    fixture.backend.release('users.signIn')
    await settle()
    expect(client.take()).toEqual([])
    expect(fixture.backend.calls.filter((call) => call.startsWith('users.'))).toEqual([
      `users.signIn 3 ann ${client.id}`,
      `users.signOut 3 ann ${client.id}`,
    ])
    expect(fixture.leftovers()).toEqual(nothingLeft)
  })
})

describe('the watchlist', () => {
  test('tells the present state after the success, then each change', async () => {
    const bob = await signedIn('bob')
    const ann = await signedIn('ann', ['bob', 'cy', '__proto__'])
    const received = ann.take()
    expect(received[0]?.event).toBe(names.signedIn)
    expect(statuses(received)).toEqual(['online: bob offline: cy,__proto__'])
    const tab = await signedIn('bob')
    bob.close()
    expect(statuses(ann.take())).toEqual([])
    tab.close()
    const proto = await signedIn('__proto__')
    expect(statuses(ann.take())).toEqual(['offline: bob', 'online: __proto__'])
    proto.close()
    ann.close()
    expect(fixture.leftovers()).toEqual(nothingLeft)
  })

  test('holds back what changes while the state is on its way', async () => {
    fixture.backend.hold('users.status')
    const ann = await signedIn('ann', ['bob', 'cy'])
    ann.take()
    const bob = await signedIn('bob')
    expect(ann.take()).toEqual([])
    fixture.backend.release('users.status')
    await settle()
    expect(statuses(ann.take())).toEqual(['offline: bob,cy', 'online: bob'])
    bob.close()
    expect(statuses(ann.take())).toEqual(['offline: bob'])
  })

  test('does not tell again what the state told already', async () => {
    fixture.backend.hold('broker.subscribe')
    const ann = await signedIn('ann', ['bob'])
    const bob = await signedIn('bob')
    fixture.backend.release('broker.subscribe')
    await settle()
    expect(statuses(ann.take())).toEqual(['online: bob'])
    bob.close()
    expect(statuses(ann.take())).toEqual(['offline: bob'])
  })

  test('a change that comes before the answer of a slow store is told once', async () => {
    fixture = await NodeFixture.start({ answersInOrder: false })
    fixture.backend.holdsDeliveries = true
    fixture.backend.hold('users.status')
    const ann = await signedIn('ann', ['bob', 'cy'])
    const bob = await signedIn('bob')
    fixture.backend.release('users.status', 1)
    await settle()
    bob.close()
    fixture.backend.deliverHeld()
    await settle()
    expect(statuses(ann.take())).toEqual(['offline: bob,cy', 'online: bob', 'offline: bob'])
  })

  test('when more changes than can be held back, the state is asked again and nothing of it is lost', async () => {
    fixture.backend.hold('users.status')
    const ann = await signedIn('ann', ['bob', 'cy'])
    ann.take()
    for (let round = 0; round < 150; round += 1) (await signedIn('bob')).close()
    await signedIn('cy')
    expect(fixture.node.counters.holdBackOverflows).toBeGreaterThan(0)
    fixture.backend.release('users.status', 1)
    await settle()
    // The answer from before is not used; the next one waits too.
    expect(ann.take()).toEqual([])
    await signedIn('bob')
    fixture.backend.release('users.status')
    await settle()
    expect(statuses(ann.take())).toEqual(['online: cy offline: bob', 'online: bob'])
    expect(fixture.backend.callsOf('users.status')).toHaveLength(2)
  })

  test('a state that changes faster than it can be read is told as far as it is known', async () => {
    fixture.backend.hold('users.status')
    const ann = await signedIn('ann', ['bob'])
    ann.take()
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      for (let round = 0; round < 150; round += 1) (await signedIn('bob')).close()
      fixture.backend.release('users.status', 1)
      await settle()
    }
    const told = statuses(ann.take())
    expect(told[0]).toBe('offline: bob')
    expect(told.at(-1)).toBe('offline: bob')
    expect(fixture.logger.at('warn')).toHaveLength(1)
    await signedIn('bob')
    expect(statuses(ann.take())).toEqual(['online: bob'])
  })

  test('a close while the state is on its way leaves nothing behind', async () => {
    fixture.backend.hold('users.status')
    const ann = await signedIn('ann', ['bob', 'cy'])
    expect(fixture.node.hub.topics.size).toBe(2)
    ann.close()
    fixture.backend.release('users.status')
    await settle()
    expect(fixture.leftovers()).toEqual(nothingLeft)
    expect(fixture.backend.calls.filter((call) => call.startsWith('broker.unsubscribe'))).toHaveLength(2)
  })

  test('above the limit: the first ids, and an error event with 4302', async () => {
    fixture = await NodeFixture.start({ apps: [appSettings({}, { watchlistUsers: 2 })] })
    const ann = await signedIn('ann', ['a', 'b', 'c'])
    const received = ann.take()
    expect(received.map(({ event }) => event)).toEqual([names.signedIn, names.error, names.watch])
    expect(received[1]).toMatchObject({ data: { code: 4302 } })
    expect(statuses(received)).toEqual(['offline: a,b'])
  })

  test('is off where the app says so', async () => {
    fixture = await NodeFixture.start({ apps: [appSettings({ watchlist: { enabled: false } })] })
    const ann = await signedIn('ann', ['bob'])
    expect(ann.takeNames()).toEqual([names.signedIn])
    expect(fixture.node.hub.topics.size).toBe(0)
  })

  test('counts for no limit of subscriptions, and cannot be named by a client', async () => {
    fixture = await NodeFixture.start({ apps: [appSettings({}, { subscriptionsPerConnection: 1 })] })
    const ann = await signedIn('ann', ['bob', 'cy'])
    ann.take()
    ann.subscribe('#watch-bob')
    ann.subscribe('')
    ann.subscribe('news')
    await settle()
    expect(ann.takeNames()).toEqual([names.refused, names.error, names.refused, names.error, names.succeeded])
    ann.unsubscribe('')
    ann.unsubscribe('#watch-bob')
    expect(ann.takeNames()).toEqual([names.error, names.error])
  })

  test('users of another app with the same ids are other users', async () => {
    const other = appSettings({ id: '4', keys: [{ key: 'k4', secret: '7ad3773142a6692b25b8' }] })
    fixture = await NodeFixture.start({ apps: [appSettings(), other] })
    const ann = await signedIn('ann', ['bob'])
    ann.take()
    await fixture.backend.users.signIn('4', 'bob', '1.1')
    expect(ann.take()).toEqual([])
  })
})

describe('terminating a user', () => {
  test('closes its connections with 4009, and nobody else', async () => {
    const ann = await signedIn('ann')
    const tab = await signedIn('ann')
    const bob = await signedIn('bob')
    const member = await fixture.member('presence-a', 'ann')
    await fixture.node.api.terminateUser('3', 'ann')
    await settle()
    expect([ann, tab].map(({ socket }) => socket.ended?.code)).toEqual([4009, 4009])
    expect(bob.socket.open).toBe(true)
    // Being a member is not being signed in.
    expect(member.socket.open).toBe(true)
    expect(fixture.leftovers().users).toEqual(['bob'])
    expect((await fixture.backend.users.status('3', ['ann']))[0]?.online).toBe(false)
  })

  test.each([
    ['3', 'nobody'],
    ['3', '__proto__'],
    ['nowhere', 'ann'],
  ])('of an unknown one (%s, %s) is nothing', async (appId, userId) => {
    const ann = await signedIn('ann')
    await fixture.node.api.terminateUser(appId, userId)
    expect(ann.socket.open).toBe(true)
  })

  test('rejects when the bus did not confirm', async () => {
    fixture.backend.fail('broker.control', 'reject')
    await expect(fixture.node.api.terminateUser('3', 'ann')).rejects.toThrow()
  })
})
