import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RawClient } from '../../harness/raw-client.js'
import { credentials, describeInProcess } from '../../harness/test-server.js'
import { eventually } from '../../harness/eventually.js'
import { errorText, metricOf } from './expecting.js'
import { ClockedServer, sharedServer } from './shared-server.js'

const pong = '{"event":"pusher:pong","data":"{}"}'
const ping = '{"event":"pusher:ping","data":"{}"}'
const notReceived = 'Pong reply not received'

describe('ping and pong (1.4)', () => {
  const server = sharedServer()

  it.each([
    '{"event":"pusher:ping","data":{}}',
    '{"event":"pusher:ping"}',
    '{"event":"pusher:ping","data":""}',
    '{"event":"pusher:ping","data":"{}"}',
    '{"event":"pusher:ping","data":null}',
    '{"data":{},"event":"pusher:ping","channel":"x"}',
  ])('answers %s at once, without any subscription', async (text) => {
    const client = await server().connect()
    client.sendText(text)
    expect((await client.next()).text).toBe(pong)
    client.close()
  })

  it('never answers pusher:pong', async () => {
    const client = await server().connect()
    client.send({ event: 'pusher:pong', data: {} })
    client.send({ event: 'pusher:pong' })
    await client.expectNothing()
    client.close()
  })

  it('answers a ping frame with a pong frame that carries the same bytes', async () => {
    const client = await server().connect()
    const answered = new Promise((resolve) => client.socket.once('pong', resolve))
    client.socket.ping('are you there')
    expect(String(await answered)).toBe('are you there')
    client.close()
  })
})

describe('a silent peer (1.4), in real time', () => {
  const server = sharedServer({ heartbeat: { activityTimeoutSeconds: 1, pongTimeoutSeconds: 1 } })
  const connect = (query: string, autoPong: boolean) =>
    RawClient.connect(server().socketUrl(credentials.key, query), { autoPong })

  it('is pinged by frame and event, then closed with 4201; who answers stays', async () => {
    const alive = await connect('protocol=7', true)
    const dead = await connect('protocol=7', false)
    expect(await dead.waitForClose()).toEqual({ code: 4201, reason: notReceived })
    expect(dead.pings).toBe(1)
    expect(dead.unread().map((frame) => frame.text)).toEqual([ping, errorText(4201, notReceived)])
    expect(alive.pings).toBeGreaterThan(0)
    expect(alive.closed).toBeUndefined()
    alive.close()
  })
})

describeInProcess('liveness by the second (1.4)', 'moves its clock', () => {
  let server: ClockedServer
  beforeAll(async () => {
    server = await ClockedServer.start({ heartbeat: { activityTimeoutSeconds: 30, pongTimeoutSeconds: 20 } })
  })
  afterAll(() => server.stop())

  it.each([4, 5, 6, 7])('protocol %d: ping after the timeout, 4201 after the pong timeout', async (protocol) => {
    const client = await server.connect(protocol, false)
    server.seconds(29)
    await client.expectNothing()
    server.seconds(29)
    expect(client.pings).toBe(0)
    server.seconds(1)
    await eventually('the ping frame', () => client.pings === 1)
    const frames = protocol >= 5 ? [ping] : []
    await eventually('the ping event', () => client.unread().length === frames.length)
    server.seconds(19)
    expect(client.closed).toBeUndefined()
    server.seconds(1)
    expect(await client.waitForClose()).toEqual({ code: 4201, reason: notReceived })
    expect(client.unread().map((frame) => frame.text)).toEqual([...frames, errorText(4201, notReceived)])
    expect(client.pings).toBe(1)
  })

  it('any frame counts as life: text of any kind, binary, ping frame', async () => {
    const client = await server.connect(7, false)
    const signs: (() => Promise<unknown>)[] = [
      async () => {
        client.sendText('not json')
        await client.next('pusher:error')
      },
      async () => {
        client.socket.send(Buffer.from([1, 2, 3]), { binary: true })
        await eventually('the binary frame', () =>
          metricOf(server.metricsUrl, 'belfry_protocol_errors_total', 'kind="binary"').then(Boolean),
        )
      },
      async () => {
        const answered = new Promise((resolve) => client.socket.once('pong', resolve))
        client.socket.ping()
        await answered
      },
      () => client.subscribe('news'),
    ]
    for (const sign of signs) {
      server.seconds(29)
      await sign()
    }
    server.seconds(29)
    await client.expectNothing()
    expect(client.pings).toBe(0)
    client.close()
  })

  it('an answer to the ping, as event or as frame, counts as life', async () => {
    const byFrame = await server.connect(7, true)
    const byEvent = await server.connect(7, false)
    for (let round = 1; round <= 2; round += 1) {
      server.seconds(30)
      await byEvent.next('pusher:ping')
      await byFrame.next('pusher:ping')
      byEvent.send({ event: 'pusher:pong', data: {} })
      await byEvent.expectNothing()
      const seen = new Promise((resolve) => byFrame.socket.once('pong', resolve))
      byFrame.socket.ping()
      await seen
      server.seconds(20)
      expect([byFrame.pings, byEvent.pings]).toEqual([round, round])
      await Promise.all([byFrame.expectNothing(), byEvent.expectNothing()])
    }
    for (const client of [byFrame, byEvent]) client.close()
  })
})
