import { beforeEach, describe, expect, test } from 'vitest'
import { appSettings } from '../../fakes/app-settings.js'
import { NodeFixture, backpressureBytesMax, names, nothingLeft, settle, type Client } from './node-fixture.js'

describe('liveness (1.4)', () => {
  let fixture: NodeFixture
  let client: Client
  beforeEach(async () => {
    fixture = await NodeFixture.start()
    client = fixture.connect()
    client.take()
  })

  test('a silent client is pinged after its activity timeout, and closed with 4201 after the pong timeout', async () => {
    await fixture.passSeconds(29)
    expect(client.socket.pings).toBe(0)
    await fixture.passSeconds(2)
    expect(client.socket.pings).toBe(1)
    expect(client.takeNames()).toEqual(['pusher:ping'])
    await fixture.passSeconds(28)
    expect(client.socket.open).toBe(true)
    await fixture.passSeconds(2)
    expect(client.socket.ended).toEqual({ code: 4201, reason: 'Pong reply not received' })
    expect(client.take()).toMatchObject([{ event: names.error, data: { code: 4201 } }])
    expect(client.socket.pings).toBe(1)
    expect(fixture.leftovers()).toEqual(nothingLeft)
  })

  test.each([
    ['a pong event', (one: Client) => one.send({ event: 'pusher:pong', data: '{}' })],
    ['any event', (one: Client) => one.send({ event: 'pusher:ping', data: {} })],
    ['junk', (one: Client) => one.sendText('junk')],
    ['a ping or pong frame', (one: Client) => fixture.node.gateway.alive(one.connection)],
    ['a binary frame', (one: Client) => fixture.node.gateway.receiveBinary(one.connection, 1)],
  ])('%s is a sign of life', async (_what, act) => {
    await fixture.passSeconds(45)
    act(client)
    await fixture.passSeconds(29)
    expect(client.socket.open).toBe(true)
    expect(client.socket.pings).toBe(1)
    await fixture.passSeconds(2)
    expect(client.socket.pings).toBe(2)
    expect(client.socket.open).toBe(true)
  })

  test('a client that speaks is never pinged', async () => {
    for (let index = 0; index < 20; index += 1) {
      await fixture.passSeconds(20)
      client.send({ event: 'pusher:ping' })
    }
    expect(client.socket.pings).toBe(0)
    expect(client.socket.open).toBe(true)
  })

  test('what the server sends is no sign of life', async () => {
    client.subscribe('news')
    for (let index = 0; index < 70; index += 1) {
      await fixture.passSeconds(1)
      await fixture.publish('news', '1')
    }
    expect(client.socket.ended?.code).toBe(4201)
  })

  test('clients of protocol 4 get the ping frame only', async () => {
    const old = fixture.connect({ protocol: '4' })
    old.take()
    await fixture.passSeconds(31)
    expect(old.socket.pings).toBe(1)
    expect(old.take()).toEqual([])
  })

  test('follows the settings of the app, also when they change', async () => {
    fixture.registry.replace([appSettings({ heartbeat: { activityTimeoutSeconds: 5, pongTimeoutSeconds: 3 } })])
    await fixture.passSeconds(6)
    expect(client.socket.pings).toBe(1)
    await fixture.passSeconds(3)
    expect(client.socket.ended?.code).toBe(4201)
  })

  test('does not care for steps of the wall clock', async () => {
    fixture.clock.stepWall(3_600_000)
    await fixture.passSeconds(5)
    fixture.clock.stepWall(-7_200_000)
    await fixture.passSeconds(20)
    expect(client.socket.pings).toBe(0)
  })

  test('stops with the node', async () => {
    await fixture.stop()
    await fixture.passSeconds(100)
    expect(client.socket.pings).toBe(0)
    expect(fixture.clock.timers).toBe(0)
  })
})

describe('authorized connections (2.9)', () => {
  const demanding = () =>
    NodeFixture.start({ apps: [appSettings({ authorizedConnections: { enabled: true, timeoutMs: 10_000 } })] })

  test('a connection that proved nothing in time is closed with 4009', async () => {
    const fixture = await demanding()
    const client = await fixture.subscribed('news')
    await fixture.passSeconds(9)
    expect(client.socket.open).toBe(true)
    await fixture.passSeconds(2)
    expect(client.socket.ended).toEqual({ code: 4009, reason: 'Connection not authorized within timeout' })
  })

  test.each([
    ['a sign-in', (one: Client) => one.signIn('ann')],
    ['a private channel', (one: Client) => one.subscribe('private-a')],
    ['a presence channel', (one: Client) => one.joinPresence('presence-a', 'ann')],
  ])('%s is proof enough', async (_what, act) => {
    const fixture = await demanding()
    const client = fixture.connect()
    await fixture.passSeconds(9)
    act(client)
    await settle()
    await fixture.passSeconds(10)
    expect(client.socket.open).toBe(true)
  })

  test('a refused subscription is no proof', async () => {
    const fixture = await demanding()
    const client = fixture.connect()
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth: 'x:y' } })
    await fixture.passSeconds(12)
    expect(client.socket.ended?.code).toBe(4009)
  })
})

describe('slow consumers (R19)', () => {
  test('one that lets more than half the cap wait is closed with 4100 and counted; the others stay', async () => {
    const fixture = await NodeFixture.start()
    const slow = await fixture.subscribed('news')
    const fast = await fixture.subscribed('news')
    slow.socket.buffered = backpressureBytesMax / 2 + 1
    fast.socket.buffered = backpressureBytesMax / 2
    await fixture.publish('news', 'x')
    await fixture.passSeconds(1)
    expect(slow.socket.ended).toEqual({ code: 4100, reason: 'Connection reads too slowly' })
    expect(fast.socket.open).toBe(true)
    expect(fast.connection.local.counters.slowConsumersClosed).toBe(1)
    expect(fixture.node.slowConsumers.bufferedBytes).toBe(backpressureBytesMax + 1)
    await fixture.passSeconds(1)
    expect(fixture.node.slowConsumers.bufferedBytes).toBe(backpressureBytesMax / 2)
  })

  test('is still found when nothing is sent any more while bytes wait', async () => {
    const fixture = await NodeFixture.start()
    const client = await fixture.subscribed('news')
    client.socket.buffered = 10
    await fixture.publish('news', 'x')
    await fixture.passSeconds(1)
    client.socket.buffered = backpressureBytesMax
    await fixture.passSeconds(1)
    expect(client.socket.ended?.code).toBe(4100)
  })
})
