import { beforeEach, describe, expect, test } from 'vitest'
import { appSettings } from '../../fakes/app-settings.js'
import { NodeFixture, names, nothingLeft, settle, type Client, type FixtureOptions } from './node-fixture.js'

let fixture: NodeFixture
let client: Client

/** A node of its own with one connection, which has read its handshake. */
async function begin(options: FixtureOptions = {}): Promise<void> {
  fixture = await NodeFixture.start(options)
  client = fixture.connect()
  client.take()
}

/** Joins with a store that answers late (architecture idea 4, 2.3). */
describe('while a subscription is joining', () => {
  beforeEach(() => begin())

  test('a channel whose topic is ready is joined at once', async () => {
    const first = fixture.connect()
    first.subscribe('news')
    await settle()
    client.subscribe('news')
    expect(client.takeNames()).toEqual([names.succeeded])
  })

  test('nothing precedes subscription_succeeded, and what came meanwhile follows in order', async () => {
    fixture.backend.hold('broker.subscribe')
    client.subscribe('news')
    await fixture.publish('news', '1')
    await fixture.publish('news', '2')
    await settle()
    expect(client.take()).toEqual([])
    fixture.backend.release('broker.subscribe')
    await settle()
    await fixture.publish('news', '3')
    expect(client.takeTexts()).toEqual([`${names.succeeded} {}`, 'e 1', 'e 2', 'e 3'])
  })

  test('a member change that the roster tells already is dropped, a newer one is told', async () => {
    const ann = await fixture.member('presence-a', 'ann')
    fixture.backend.hold('presence.join')
    client.joinPresence('presence-a', 'cy')
    // The store has answered with ann and cy; these come while the answer is under way.
    ann.close()
    fixture.backend.release('presence.join')
    await settle()
    const [succeeded, ...later] = client.take()
    expect(JSON.parse(String(succeeded?.data))).toMatchObject({ presence: { count: 2, ids: ['ann', 'cy'] } })
    expect(later.map(({ event, data }) => [event, data])).toEqual([[names.removed, '{"user_id":"ann"}']])
  })

  test('the joining member is not told of itself, the others once', async () => {
    const ann = await fixture.member('presence-a', 'ann')
    fixture.backend.hold('presence.join')
    client.joinPresence('presence-a', 'cy')
    await settle()
    expect(ann.takeTexts()).toEqual([`${names.added} {"user_id":"cy"}`])
    fixture.backend.release('presence.join')
    await settle()
    expect(client.takeNames()).toEqual([names.succeeded])
    expect(ann.take()).toEqual([])
  })

  test('a cached event comes right after the success, and never twice', async () => {
    await fixture.publish('cache-a', 'old')
    fixture.backend.hold('cache.get')
    client.subscribe('cache-a')
    await settle()
    await fixture.publish('cache-a', 'new')
    fixture.backend.release('cache.get')
    await settle()
    expect(client.takeTexts()).toEqual([`${names.succeeded} {}`, 'e old', 'e new'])
  })

  test('a cache channel is joined also while its event cannot be asked for', async () => {
    await fixture.publish('cache-a', 'old')
    fixture.backend.fail('cache.get', 'down')
    client.subscribe('cache-a')
    await settle()
    await fixture.publish('cache-a', 'new')
    await settle()
    expect(client.takeTexts()).toEqual([`${names.succeeded} {}`, 'pusher:cache_miss {}', 'e new'])
  })

  test('an event that the cached one is, is not told again', async () => {
    fixture.backend.hold('broker.subscribe')
    client.subscribe('cache-a')
    await fixture.publish('cache-a', 'one')
    await fixture.publish('cache-a', 'two')
    fixture.backend.release('broker.subscribe')
    await settle()
    expect(client.takeTexts()).toEqual([`${names.succeeded} {}`, 'e two'])
  })

  test('without a cached event it is told cache_miss', async () => {
    client.subscribe('cache-a')
    await settle()
    expect(client.takeTexts()).toEqual([`${names.succeeded} {}`, `${names.miss} {}`])
  })

  test('a presence cache channel has both snapshots', async () => {
    await fixture.publish('presence-cache-a', 'kept')
    fixture.backend.hold('presence.join')
    client.joinPresence('presence-cache-a', 'ann')
    await settle()
    await fixture.publish('presence-cache-a', 'later')
    await fixture.member('presence-cache-a', 'bob')
    fixture.backend.release('presence.join')
    await settle()
    const texts = client.takeTexts()
    expect(texts.slice(0, 2).map((text) => text.split(' ')[0])).toEqual([names.succeeded, 'e'])
    expect(texts.slice(1)).toEqual(['e kept', 'e later', `${names.added} {"user_id":"bob"}`])
  })

  test('the excluded connection gets nothing of what was held back', async () => {
    fixture.backend.hold('broker.subscribe')
    client.subscribe('news')
    const other = fixture.connect()
    other.subscribe('news')
    await fixture.publish('news', '1', client.id)
    fixture.backend.release('broker.subscribe')
    await settle()
    expect(client.takeTexts()).toEqual([`${names.succeeded} {}`])
    expect(other.takeTexts().slice(1)).toEqual([`${names.succeeded} {}`, 'e 1'])
  })

  test('when more comes than can be held back, the snapshot is taken again and nothing of the truth is lost', async () => {
    fixture.backend.hold('presence.join')
    client.joinPresence('presence-a', 'ann')
    await settle()
    const crowd: Client[] = []
    for (let index = 0; index < 300; index += 1) {
      const member = fixture.connect()
      member.joinPresence('presence-a', `u${index}`)
      crowd.push(member)
    }
    await settle()
    expect(fixture.node.counters.holdBackOverflows).toBeGreaterThan(0)
    // The answer from before the crowd is not used: it is asked again, and that answer waits too.
    fixture.backend.release('presence.join', 1)
    await settle()
    expect(client.take()).toEqual([])
    expect(fixture.backend.callsOf('presence.join').filter((call) => call.endsWith(' ann'))).toHaveLength(2)
    crowd[0]!.close()
    fixture.backend.release('presence.join')
    await settle()
    const received = client.take()
    expect(received[0]?.event).toBe(names.succeeded)
    const seen = new Set((JSON.parse(String(received[0]?.data)) as { presence: { ids: string[] } }).presence.ids)
    for (const { event, data } of received.slice(1)) {
      const { user_id: userId } = JSON.parse(String(data)) as { user_id: string }
      if (event === names.added) {
        expect(seen.has(userId)).toBe(false)
        seen.add(userId)
      } else {
        expect(seen.delete(userId)).toBe(true)
      }
    }
    expect([...seen].sort()).toEqual([...(await fixture.backend.presence.userIds('3/presence-a'))].sort())
    expect(seen.size).toBe(300)
  })

  test('a frame larger than all that may be held back overflows as well, without harm', async () => {
    fixture.backend.hold('cache.get')
    client.subscribe('cache-a')
    await settle()
    await fixture.publish('cache-a', 'x'.repeat(1_100_000))
    fixture.backend.release('cache.get', 1)
    await settle()
    fixture.backend.release('cache.get')
    await settle()
    expect(client.take().map(({ event, data }) => [event, String(data).length])).toEqual([
      [names.succeeded, 2],
      ['e', 1_100_000],
    ])
  })

  test('a second subscribe to the channel is an error, and the first goes on', async () => {
    fixture.backend.hold('presence.join')
    client.joinPresence('presence-a', 'ann')
    client.joinPresence('presence-a', 'ann')
    expect(client.take()).toMatchObject([
      { event: names.error, data: { code: null, message: 'Existing subscription to channel presence-a' } },
    ])
    fixture.backend.release('presence.join')
    await settle()
    expect(client.takeNames()).toEqual([names.succeeded])
  })

  test('client events wait for the success', async () => {
    fixture.backend.hold('broker.subscribe')
    client.subscribe('private-a')
    client.send({ event: 'client-x', channel: 'private-a', data: 1 })
    expect(client.take()).toMatchObject([
      {
        event: names.error,
        data: { message: 'Cannot broadcast client event (connection not subscribed to channel private-a)' },
      },
    ])
  })
})

describe('a join that is given up', () => {
  beforeEach(() => begin())

  test.each(['unsubscribe', 'close'] as const)(
    'by %s, before the topic is ready: the store is never asked',
    async (how) => {
      fixture.backend.hold('broker.subscribe')
      client.joinPresence('presence-a', 'ann')
      if (how === 'close') client.close()
      else client.unsubscribe('presence-a')
      fixture.backend.release('broker.subscribe')
      await settle()
      expect(client.take()).toEqual([])
      expect(fixture.backend.callsOf('presence.join')).toEqual([])
      expect(fixture.backend.callsOf('presence.leave')).toEqual([])
      expect(fixture.backend.callsOf('occupancy.set')).toEqual([])
      client.close()
      expect(fixture.leftovers()).toEqual(nothingLeft)
    },
  )

  test.each(['unsubscribe', 'close'] as const)(
    'by %s, while the store answers: it is told to leave, after the join',
    async (how) => {
      const ann = await fixture.member('presence-a', 'ann')
      fixture.backend.hold('presence.join')
      client.joinPresence('presence-a', 'cy')
      await settle()
      if (how === 'close') client.close()
      else client.unsubscribe('presence-a')
      fixture.backend.release('presence.join')
      await settle()
      const asked = fixture.backend.calls.filter((call) => call.endsWith(' cy'))
      expect(asked).toEqual([
        `presence.join 3/presence-a ${client.id} cy`,
        `presence.leave 3/presence-a ${client.id} cy`,
      ])
      expect(client.take()).toEqual([])
      expect(ann.takeNames()).toEqual([names.added, names.removed])
      expect(await fixture.backend.presence.userIds('3/presence-a')).toEqual(['ann'])
      ann.close()
      client.close()
      expect(fixture.leftovers()).toEqual(nothingLeft)
    },
  )

  test('and begun again while the first is pending: one success, one member, one leave', async () => {
    const ann = await fixture.member('presence-a', 'ann')
    fixture.backend.hold('presence.join')
    client.joinPresence('presence-a', 'cy')
    await settle()
    client.unsubscribe('presence-a')
    client.joinPresence('presence-a', 'cy')
    await settle()
    fixture.backend.release('presence.join', 1)
    await settle()
    expect(client.take()).toEqual([])
    await fixture.publish('presence-a', 'meanwhile')
    fixture.backend.release('presence.join')
    await settle()
    expect(client.takeNames()).toEqual([names.succeeded, 'e'])
    expect(ann.takeNames()).toEqual([names.added, names.removed, names.added, 'e'])
    client.close()
    expect(ann.takeNames()).toEqual([names.removed])
    expect(await fixture.backend.presence.userIds('3/presence-a')).toEqual(['ann'])
  })

  test('after it, another channel of the same name begins anew', async () => {
    fixture.backend.hold('broker.subscribe')
    client.subscribe('news')
    client.unsubscribe('news')
    client.subscribe('news')
    fixture.backend.release('broker.subscribe')
    await settle()
    expect(client.takeNames()).toEqual([names.succeeded])
    expect(fixture.backend.calls.filter((call) => call.startsWith('broker.'))).toEqual([
      'broker.subscribe 3/news',
      'broker.unsubscribe 3/news',
      'broker.subscribe 3/news',
    ])
    await fixture.publish('news', '1')
    expect(client.takeTexts()).toEqual(['e 1'])
  })
})

describe('with a cache whose answers overtake its messages (settling)', () => {
  beforeEach(async () => {
    await begin({ answersInOrder: false })
    fixture.backend.holdsDeliveries = true
  })

  const stateOf = (one: Client, channel: string) => one.connection.subscriptions?.get(channel)?.state

  async function subscribed(one: Client, channel: string): Promise<void> {
    one.take()
    one.subscribe(channel)
    await settle()
  }

  test('what the snapshot told is dropped when it comes, later messages are told once', async () => {
    const bob = fixture.connect()
    await fixture.publish('cache-a', 'one')
    await subscribed(bob, 'cache-a')
    await fixture.publish('cache-a', 'two')
    await subscribed(client, 'cache-a')
    await fixture.publish('cache-a', 'three')
    expect([bob, client].map((one) => stateOf(one, 'cache-a'))).toEqual(['settling', 'settling'])
    fixture.backend.deliverHeld(1)
    expect([bob, client].map((one) => stateOf(one, 'cache-a'))).toEqual(['active', 'settling'])
    fixture.backend.deliverHeld(1)
    expect(stateOf(client, 'cache-a')).toBe('active')
    fixture.backend.deliverHeld()
    expect(bob.takeTexts()).toEqual([`${names.succeeded} {}`, 'e one', 'e two', 'e three'])
    expect(client.takeTexts()).toEqual([`${names.succeeded} {}`, 'e two', 'e three'])
    expect(fixture.fanout.topics.get('3/cache-a')?.size).toBe(2)
  })

  test('is fed one by one until then, in order, and is counted once', async () => {
    const bob = fixture.connect()
    await subscribed(bob, 'private-cache-a')
    expect(stateOf(bob, 'private-cache-a')).toBe('active')
    await fixture.publish('private-cache-a', 'kept')
    await subscribed(client, 'private-cache-a')
    client.take()
    bob.send({ event: 'client-x', channel: 'private-cache-a', data: '1' })
    expect(stateOf(client, 'private-cache-a')).toBe('settling')
    expect(client.takeTexts()).toEqual(['client-x 1'])
    expect(fixture.fanout.publishes).toBe(0)
    fixture.backend.holdsDeliveries = false
    fixture.backend.deliverHeld()
    const sentBefore = client.connection.local.counters.messagesSent
    await fixture.publish('private-cache-a', '2', bob.id)
    expect(client.takeTexts()).toEqual(['e 2'])
    expect(client.connection.local.counters.messagesSent).toBe(sentBefore + 1)
  })

  test('settles by the sweep when the message does not come', async () => {
    await fixture.publish('cache-a', 'one')
    await subscribed(client, 'cache-a')
    await fixture.passSeconds(2)
    expect(stateOf(client, 'cache-a')).toBe('settling')
    await fixture.passSeconds(1)
    expect(stateOf(client, 'cache-a')).toBe('active')
    fixture.backend.holdsDeliveries = false
    await fixture.publish('cache-a', '1')
    expect(client.takeTexts().slice(1)).toEqual(['e one', 'e 1'])
  })

  test('members come in order: a join is complete with its answer', async () => {
    const bob = await fixture.member('presence-a', 'bob')
    client.joinPresence('presence-a', 'ann')
    await settle()
    expect(stateOf(client, 'presence-a')).toBe('active')
    expect(fixture.backend.heldDeliveries).toBe(0)
    expect(client.takeNames()).toEqual([names.succeeded])
    expect(bob.takeTexts()).toEqual([`${names.added} {"user_id":"ann"}`])
  })

  test('a presence channel with a cached event settles for the event, and is told of members meanwhile', async () => {
    await fixture.publish('presence-cache-a', 'kept')
    client.joinPresence('presence-cache-a', 'ann')
    // The messages of a topic come in order, so that of the event came before the answer to the join.
    await settle()
    expect(stateOf(client, 'presence-cache-a')).toBe('active')
    await fixture.member('presence-cache-a', 'bob')
    expect(client.takeTexts().slice(1)).toEqual(['e kept', `${names.added} {"user_id":"bob"}`])
  })

  test('channels without stored truth do not settle', async () => {
    client.subscribe('news')
    await settle()
    expect(stateOf(client, 'news')).toBe('active')
  })

  test.each(['unsubscribe', 'close'] as const)('ends by %s without a trace', async (how) => {
    await fixture.publish('cache-a', 'one')
    await subscribed(client, 'cache-a')
    expect(stateOf(client, 'cache-a')).toBe('settling')
    client.take()
    if (how === 'close') client.close()
    else client.unsubscribe('cache-a')
    fixture.backend.deliverHeld()
    await fixture.passSeconds(5)
    expect(client.take()).toEqual([])
    client.close()
    expect(fixture.leftovers()).toEqual(nothingLeft)
  })

  test('a sender that settles gets its client event not back, the others do', async () => {
    const bob = fixture.connect()
    await subscribed(bob, 'private-cache-a')
    bob.take()
    await fixture.publish('private-cache-a', 'kept')
    await subscribed(client, 'private-cache-a')
    client.take()
    expect(stateOf(client, 'private-cache-a')).toBe('settling')
    client.send({ event: 'client-x', channel: 'private-cache-a', data: 'hi' })
    expect(client.take()).toEqual([])
    expect(bob.take()).toMatchObject([{ event: 'client-x', data: 'hi' }])
  })
})

describe('a full presence channel', () => {
  test('is told in both ways, the connection stays and can try again', async () => {
    const fixture = await NodeFixture.start({ apps: [appSettings({}, { presenceMembers: 1 })] })
    const ann = await fixture.member('presence-a', 'ann')
    const bob = fixture.connect()
    bob.take()
    bob.joinPresence('presence-a', 'bob')
    await settle()
    const [refused, error] = bob.take()
    expect(refused).toMatchObject({ event: names.refused, channel: 'presence-a' })
    expect(JSON.parse(String(refused?.data))).toMatchObject({ type: 'LimitReached', status: 4100 })
    expect(error).toMatchObject({ event: names.error, data: { code: null } })
    expect(bob.socket.open).toBe(true)
    // Nothing is left of it: no count, no leave, no member.
    expect(fixture.backend.callsOf('occupancy.set')).toEqual(['occupancy.set 3/presence-a 1'])
    expect(fixture.backend.callsOf('presence.leave')).toEqual([])
    const tab = await fixture.member('presence-a', 'ann')
    expect(tab.connection.subscriptions?.get('presence-a')?.state).toBe('active')
    tab.close()
    ann.close()
    bob.joinPresence('presence-a', 'bob')
    await settle()
    expect(bob.takeNames()).toEqual([names.succeeded])
    bob.close()
    expect(fixture.leftovers()).toEqual(nothingLeft)
  })
})
