import { beforeEach, describe, expect, test } from 'vitest'
import { NodeFixture, names, nothingLeft, settle, type Client } from './node-fixture.js'
import { FakeSocket } from '../../fakes/fake-socket.js'
import type { Call } from '../../fakes/scripted-backend.js'

/** D7: whatever goes wrong while one client is served stays with that client. */
describe('a fault', () => {
  let fixture: NodeFixture
  let innocent: Client
  beforeEach(async () => {
    fixture = await NodeFixture.start()
    innocent = await fixture.subscribed('news', 'presence-none', 'cache-a')
  })

  const faults = () => fixture.logger.at('error').length + fixture.logger.at('warn').length

  /** The others still get what is published, and the node still takes new clients. */
  async function expectUnharmed(): Promise<void> {
    innocent.take()
    await fixture.publish('news', 'still here')
    expect(innocent.takeTexts()).toEqual(['e still here'])
    const next = await fixture.subscribed('news')
    await fixture.publish('news', 'again')
    expect(next.takeTexts()).toEqual(['e again'])
    next.close()
  }

  test.each(['reject', 'throw'] as const)(
    'of the broker at a subscribe (%s): the channel is served without it (D4)',
    async (how) => {
      fixture.backend.fail('broker.subscribe', how)
      const client = fixture.connect()
      const other = fixture.connect()
      client.take()
      other.take()
      client.subscribe('private-a')
      await settle()
      other.subscribe('private-a')
      await settle()
      expect(client.takeNames()).toEqual([names.succeeded])
      expect(other.takeNames()).toEqual([names.succeeded])
      expect(faults()).toBe(1)
      other.send({ event: 'client-x', channel: 'private-a', data: '1' })
      expect(client.takeTexts()).toEqual(['client-x 1'])
      fixture.backend.recover('broker.subscribe')
      await expectUnharmed()
      other.close()
      client.close()
      innocent.close()
      expect(fixture.leftovers()).toEqual(nothingLeft)
    },
  )

  test.each([
    ['presence.join', 'reject', 'presence-a'],
    ['presence.join', 'throw', 'presence-a'],
    ['cache.get', 'reject', 'cache-b'],
    ['cache.get', 'throw', 'cache-b'],
  ] as const)('of %s (%s): the subscribe is answered and leaves no trace', async (call, how, channel) => {
    fixture.backend.fail(call, how)
    const client = fixture.connect()
    client.take()
    client.joinPresence(channel, 'ann')
    await settle()
    const [refused, error] = client.take()
    expect(refused).toMatchObject({ event: names.refused, channel })
    expect(JSON.parse(String(refused?.data))).toMatchObject({ type: 'ServerError', status: 500 })
    expect(error).toMatchObject({ event: names.error, data: { code: null } })
    expect(client.connection.subscriptions?.size).toBe(0)
    expect(faults()).toBe(1)
    // The join may have been done without its answer: the store must not keep the member.
    if (call === 'presence.join') {
      expect(fixture.backend.callsOf('presence.leave')).toEqual([`presence.leave 3/${channel} ${client.id} ann`])
    }
    fixture.backend.recover(call)
    client.joinPresence(channel, 'ann')
    await settle()
    expect(client.takeNames()[0]).toBe(names.succeeded)
    await expectUnharmed()
    client.close()
    innocent.close()
    expect(fixture.leftovers()).toEqual(nothingLeft)
  })

  test('of a join whose client is gone is logged, and told to nobody', async () => {
    const client = fixture.connect()
    client.take()
    fixture.backend.hold('broker.subscribe')
    client.joinPresence('presence-a', 'ann')
    client.close()
    fixture.backend.fail('presence.join', 'reject')
    fixture.backend.release('broker.subscribe')
    await settle()
    expect(client.take()).toEqual([])
    await expectUnharmed()
  })

  test.each([
    ['presence.leave', 'reject'],
    ['presence.leave', 'throw'],
    ['occupancy.set', 'reject'],
    ['occupancy.set', 'throw'],
    ['users.signOut', 'reject'],
    ['users.signOut', 'throw'],
  ] as const)('of %s (%s) at a close: everything else of the connection ends all the same', async (call: Call, how) => {
    const client = fixture.connect()
    client.signIn('ann', ['bob'])
    client.joinPresence('presence-a', 'ann')
    client.joinPresence('presence-b', 'ann')
    client.subscribe('news')
    await settle()
    fixture.backend.fail(call, how)
    client.close()
    await settle()
    expect(faults()).toBeGreaterThan(0)
    expect(fixture.backend.callsOf('presence.leave')).toHaveLength(2)
    expect(fixture.backend.callsOf('users.signOut')).toHaveLength(1)
    expect(await fixture.backend.budget.connections('3')).toBe(1)
    fixture.backend.recover(call)
    await expectUnharmed()
    innocent.close()
    expect(fixture.leftovers()).toEqual(nothingLeft)
  })

  test.each(['users.signIn', 'users.status'] as const)(
    'of %s: the connection stays, and nothing is left after it',
    async (call) => {
      fixture.backend.fail(call, 'reject')
      const client = fixture.connect()
      client.signIn('ann', ['bob', 'cy'])
      await settle()
      expect(client.socket.open).toBe(true)
      expect(faults()).toBe(1)
      await expectUnharmed()
      client.close()
      innocent.close()
      expect(fixture.leftovers()).toEqual(nothingLeft)
    },
  )

  test('of a socket at the handshake: its end is still counted out', async () => {
    const before = await fixture.backend.budget.connections('3')
    const failing = fixture.connect()
    expect(failing.opened).toBeDefined()
    failing.close()
    // The same with a socket that cannot even be greeted.
    const socket = new FakeSocket(fixture.fanout)
    socket.failing.add('send')
    const admission = fixture.node.admissions.decide({
      appKey: '278d425bdf160c739803',
      protocol: '7',
      origin: '',
      secure: false,
      address: 'x',
    })
    const connection = fixture.node.gateway.open(socket, admission)
    expect(connection).toBeDefined()
    expect(fixture.logger.at('error')).toHaveLength(1)
    fixture.node.gateway.closed(connection!, 1006, 'x')
    expect(await fixture.backend.budget.connections('3')).toBe(before)
    expect(fixture.node.hub.connections).toBe(1)
  })

  test('of a socket while it is refused is logged only', () => {
    const refuse = () => fixture.connect({ appKey: 'unknown' })
    expect(refuse().socket.ended?.code).toBe(4001)
    expect(() =>
      fixture.node.gateway.open(brokenSocket(fixture), {
        admitted: false,
        error: { code: 4001, message: 'x' },
        app: undefined,
      }),
    ).not.toThrow()
    expect(fixture.logger.at('error')).toHaveLength(1)
  })

  test.each([
    ['ping', { event: 'pusher:ping' }],
    ['subscribe', { event: 'pusher:subscribe', data: { channel: 'fresh' } }],
    ['unsubscribe', { event: 'pusher:unsubscribe', data: { channel: 'never' } }],
    ['signin', { event: 'pusher:signin', data: { auth: 'a:b', user_data: '{}' } }],
    ['client event', { event: 'client-x', channel: 'news', data: 1 }],
    ['junk', { event: 'junk' }],
  ])('of a socket that cannot send, at a %s: caught and logged, once', async (_what, message) => {
    const client = fixture.connect()
    client.socket.failing.add('send')
    expect(() => client.send(message)).not.toThrow()
    await settle()
    expect(fixture.logger.at('error')).toHaveLength(1)
    expect(fixture.logger.at('error')[0]?.fields).toMatchObject({ app_id: '3', socket_id: client.id })
    await expectUnharmed()
    client.close()
    innocent.close()
    expect(fixture.leftovers()).toEqual(nothingLeft)
  })

  test('of a socket that is fed one by one: the publisher and the other subscribers notice nothing', async () => {
    fixture = await NodeFixture.start({ answersInOrder: false })
    fixture.backend.holdsDeliveries = true
    await fixture.publish('cache-a', '0')
    const clients = [1, 2, 3].map(() => {
      const client = fixture.connect()
      client.subscribe('cache-a')
      return client
    })
    await settle()
    fixture.backend.holdsDeliveries = false
    for (const client of clients) client.take()
    clients[0]?.socket.failing.add('send')
    await expect(fixture.publish('cache-a', '1')).resolves.toBeUndefined()
    expect(clients.map((client) => client.takeTexts())).toEqual([[], ['e 1'], ['e 1']])
    expect(fixture.logger.at('error')).toHaveLength(1)
  })

  test.each([1, 2, 3, 4, 5])(
    'of a socket that closes while it is told of its join, at frame %i: nothing is left',
    async (frames) => {
      await fixture.publish('presence-cache-a', 'kept')
      const bob = await fixture.member('presence-cache-a', 'bob')
      fixture.backend.hold('presence.join')
      const client = fixture.connect()
      client.joinPresence('presence-cache-a', 'ann')
      await settle()
      for (const data of ['1', '2', '3']) await fixture.publish('presence-cache-a', data)
      client.socket.closesAfterFrames = frames
      fixture.backend.release('presence.join')
      await settle()
      expect(client.socket.open).toBe(false)
      const channel = fixture.node.hub.topics.get('3/presence-cache-a')
      expect([channel?.subscriptions, channel?.joined, channel?.pending]).toEqual([1, 1, undefined])
      expect(await fixture.backend.presence.userIds('3/presence-cache-a')).toEqual(['bob'])
      expect(await fixture.backend.occupancy.total('3/presence-cache-a')).toBe(1)
      await expectUnharmed()
      bob.close()
      innocent.close()
      expect(fixture.leftovers()).toEqual(nothingLeft)
    },
  )

  test('of one part of the sweep leaves the others and the process alone', async () => {
    Object.defineProperty(fixture, 'memoryPercent', {
      get: () => {
        throw new Error('EMFILE: too many open files')
      },
    })
    await fixture.passSeconds(31)
    expect(fixture.logger.at('error').length).toBeGreaterThan(0)
    expect(innocent.socket.pings).toBe(1)
    await expectUnharmed()
  })

  test('no entry for frames throws after the connection has closed', () => {
    const { gateway } = fixture.node
    const client = fixture.connect()
    client.close()
    const taken = client.received.length
    client.subscribe('news')
    gateway.receiveBinary(client.connection, 3)
    gateway.alive(client.connection)
    gateway.closed(client.connection, 1000, '')
    expect(client.received).toHaveLength(taken)
    expect(fixture.node.hub.connections).toBe(1)
  })
})

function brokenSocket(fixture: NodeFixture) {
  const { socket } = fixture.connect()
  socket.failing.add('send')
  return socket
}
