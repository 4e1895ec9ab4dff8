/** What every proxy must let through, as its shipped snippet has it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { get } from 'node:https'
import type { AddressInfo } from 'node:net'
import Pusher from 'pusher-js'
import { expect } from 'vitest'
import { WebSocketServer } from 'ws'
import { eventually } from '../harness/eventually.js'
import type { RawClient } from '../harness/raw-client.js'
import { appId, credentials, type TestServer } from '../harness/test-server.js'
import { addressOptions, libraryFor } from '../protocol/clients/application.js'
import { nameShown } from './certificate.js'
import type { Proxy } from './proxy.js'
import { heard, post, secureUrl, socketUrl, trigger, type Stage } from './stage.js'

/** Longer than the limits that a changed snippet sets on sockets of a proxy that was reloaded. */
const afterReloadMs = 2500

/** pusher-js connects and subscribes, and an event of the `pusher` library reaches it, both through the proxy. */
export async function upgrade(stage: Stage): Promise<void> {
  const proxy = await stage.proxy([await stage.server()])
  const page = new Pusher(credentials.key, addressOptions(proxy.port))
  stage.onEnd(() => page.disconnect())
  const channel = page.subscribe('orders')
  const events: unknown[] = []
  channel.bind('shipped', (data: unknown) => events.push(data))
  await eventually('pusher-js is subscribed', () => channel.subscribed, 3000)
  const answer = await libraryFor({ running: proxy }).trigger('orders', 'shipped', { id: 7 })
  expect(answer.status).toBe(200)
  await eventually('the event', () => events.length > 0, 3000)
  expect(events).toEqual([{ id: 7 }])
}

/** The headers of the upgrade arrive as the standard has them. Belfry is content with less; another server takes its place. */
export async function upgradeHeaders(stage: Stage): Promise<void> {
  const server = createServer((_ready, response) => response.end())
  const sockets = new WebSocketServer({ server })
  stage.onEnd(() => server.close())
  sockets.on('connection', (socket) => socket.send('{"event":"pusher:connection_established"}'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const proxy = await stage.proxyTo([(server.address() as AddressInfo).port])
  const client = await stage.client(socketUrl(proxy))
  client.close()
}

/**
 * With 3 s instead of 60 s: a client that says nothing lives on, because the server pings it after 1 s (in place of 30 s) of silence.
 * One of an app whose heartbeat is slower than the proxy is cut.
 */
export async function silence(stage: Stage): Promise<void> {
  const slow = { id: '4', key: 'slow-heartbeat-key', secret: 'slow-heartbeat-secret' }
  const heartbeat = { activityTimeoutSeconds: 1, pongTimeoutSeconds: 30 }
  const server = await stage.server({}, { apps: [{ id: appId, ...credentials, heartbeat }, slow] })
  const proxy = await stage.proxy([server], stage.kind.shortIdle)
  const pinged = await stage.client(socketUrl(proxy))
  await pinged.subscribe('news')
  const unpinged = await stage.client(socketUrl(proxy, '', slow.key))
  await unpinged.waitForClose(10_000)
  await eventually('five pings', () => pinged.pings >= 5, 10_000)
  expect(pinged.closed).toBeUndefined()
  await trigger(proxy, 'news', 'after a silence')
  await heard(pinged, 'after a silence')
}

/** wss:// ends at the proxy, with a certificate that the client verifies, and the server knows that it was TLS. */
export async function tls(stage: Stage): Promise<void> {
  const server = await stage.server({ tlsOnly: true }, { trustedProxies: ['127.0.0.1'] })
  const proxy = await stage.proxy([server])
  const { ca } = proxy.certificate
  const client = await stage.client(secureUrl(proxy), { ca })
  await client.subscribe('news')
  await trigger(proxy, 'news', 'over TLS')
  await heard(client, 'over TLS')
  expect(await secureStatus(proxy, ca)).toBe(200)
  const claim = { headers: { 'X-Forwarded-Proto': 'https' } }
  expect((await stage.knock(socketUrl(proxy))).outcome).toBe('4000')
  expect((await stage.knock(socketUrl(proxy), claim)).outcome).toBe('4000')
}

/** The limit per address counts clients, if the proxy is trusted; else it counts the proxy. */
export async function clientAddress(stage: Stage): Promise<void> {
  const capacity = { connectionsPerAddress: 2 }
  const trusting = await stage.proxy([await stage.server({}, { capacity, trustedProxies: ['127.0.0.1'] })])
  const [one, two] = [{ localAddress: '127.0.1.1' }, { localAddress: '127.0.1.2' }]
  const outcomes = async (proxy: Proxy, clients: readonly { localAddress: string }[]) => {
    const told: string[] = []
    for (const client of clients) told.push((await stage.knock(socketUrl(proxy), client)).outcome)
    return told
  }
  expect(await outcomes(trusting, [one, one, one, two])).toEqual(['open', 'open', '4100', 'open'])
  const distrusting = await stage.proxy([await stage.server({}, { capacity })])
  expect(await outcomes(distrusting, [one, one, two])).toEqual(['open', 'open', '4100'])
}

/** What a client says of its address is thrown away: also when it sits in the network that is trusted. */
export async function forgedAddress(stage: Stage): Promise<void> {
  const settings = { capacity: { connectionsPerAddress: 2 }, trustedProxies: ['127.0.0.1', '127.0.1.0/24'] }
  const proxy = await stage.proxy([await stage.server({}, settings)])
  const told: string[] = []
  for (const address of ['203.0.113.1', '203.0.113.2', '203.0.113.3']) {
    const forged = { localAddress: '127.0.1.1', headers: { 'X-Forwarded-For': address } }
    told.push((await stage.knock(socketUrl(proxy), forged)).outcome)
  }
  expect(told).toEqual(['open', 'open', '4100'])
}

/** A reload with another certificate closes nobody and refuses nobody, and new clients see that certificate. */
export async function reload(stage: Stage): Promise<void> {
  const proxy = await stage.proxy([await stage.server()])
  const { ca } = proxy.certificate
  const clients: RawClient[] = []
  for (let count = 0; count < 10; count += 1) {
    clients.push(await stage.client(socketUrl(proxy)), await stage.client(secureUrl(proxy), { ca }))
  }
  for (const client of clients) await client.subscribe('news')
  proxy.certificate.renew('second')
  const comers = new Comers(stage, proxy)
  await proxy.reload()
  await eventually('the new certificate', async () => (await nameShown(proxy.tlsPort)) === 'second', 10_000)
  await new Promise((resolve) => setTimeout(resolve, afterReloadMs))
  const { came, refused } = await comers.stop()
  expect(came).toBeGreaterThan(10)
  expect({ refused, cut: clients.filter(({ closed }) => closed !== undefined).length }).toEqual({ refused: [], cut: 0 })
  await trigger(proxy, 'news', 'after the reload')
  for (const client of clients) await heard(client, 'after the reload')
}

/** The largest batch that the default limits allow: ten events of 100 KiB, each byte of which JSON writes as six. */
export async function largestBody(stage: Stage): Promise<void> {
  const proxy = await stage.proxy([await stage.server()])
  const batch = Array.from({ length: 10 }, () => ({ name: 'news', channel: 'all', data: '\u0001'.repeat(102_400) }))
  const { status, text } = await post(proxy, 'batch_events', { batch })
  expect([status, text]).toEqual([200, '{}'])
}

/** Everything works below a path, as the server has it; other paths are not Belfry's. */
export async function pathPrefix(stage: Stage): Promise<void> {
  const proxy = await stage.proxy([await stage.server({}, { pathPrefix: '/ws' })], stage.kind.onlyPrefix)
  const client = await stage.client(socketUrl(proxy, '/ws'))
  await client.subscribe('news')
  await trigger(proxy, 'news', 'below a path', '/ws')
  await heard(client, 'below a path')
  expect((await stage.knock(socketUrl(proxy))).outcome).not.toBe('open')
}

/** Clients who come go to the node that has fewer, not to each in turn. */
export async function leastConnections(stage: Stage): Promise<void> {
  const { proxy, come } = await twoNodes(stage)
  const first = await come(6)
  expect([first.a.length, first.b.length]).toEqual([3, 3])
  for (const client of first.b) client.close()
  for (const client of first.b) await client.waitForClose()
  await eventually('the proxy has noticed it', async () => (await come(1)).b.length === 1)
  const next = await come(2)
  expect([next.a.length, next.b.length], `on nodes behind ${proxy.port}`).toEqual([0, 2])
}

/** A node that is stopping gets no new clients while it still takes them, and keeps those it has until it closes them. */
export async function stoppingNode(stage: Stage): Promise<void> {
  const { a, come } = await twoNodes(stage, { drain: { preStopDelayMs: 10_000, periodMs: 0 } })
  const before = await come(2)
  void a.running.drainAndStop()
  await eventually('six in a row go to the other node', async () => (await come(6)).a.length === 0, 5000)
  expect(before.a.map(({ closed }) => closed)).toEqual([undefined])
}

/** While nobody has noticed yet that a node is gone, clients and triggers get to the other one. */
export async function deadNode(stage: Stage): Promise<void> {
  const { a, proxy, come } = await twoNodes(stage)
  await come(2)
  await a.stop()
  expect((await come(6)).b.length).toBe(6)
  for (let count = 0; count < 6; count += 1) await trigger(proxy, 'news', 'to whoever is there')
}

/** Two nodes (each one process in memory) that are told apart by what they say in the handshake. */
async function twoNodes(stage: Stage, settings: Readonly<Record<string, unknown>> = {}) {
  const node = (activityTimeoutSeconds: number) => stage.server({ heartbeat: { activityTimeoutSeconds } }, settings)
  const [a, b] = [await node(30), await node(31)]
  const proxy = await stage.proxy([a, b])
  const come = async (count: number) => {
    const clients: { a: RawClient[]; b: RawClient[] } = { a: [], b: [] }
    for (let number = 0; number < count; number += 1) {
      const client = await stage.client(socketUrl(proxy))
      clients[String(client.frames[0]?.data).includes('"activity_timeout":30') ? 'a' : 'b'].push(client)
    }
    return clients
  }
  return { a: a satisfies TestServer, b, proxy, come }
}

/** Clients who come and go, one after the other. */
class Comers {
  #came = 0
  readonly #refused: string[] = []
  #stopped = false
  readonly #loop: Promise<void>

  constructor(stage: Stage, proxy: Proxy) {
    this.#loop = this.#come(stage, proxy)
  }

  async stop(): Promise<{ readonly came: number; readonly refused: readonly string[] }> {
    this.#stopped = true
    await this.#loop
    return { came: this.#came, refused: this.#refused }
  }

  async #come(stage: Stage, proxy: Proxy): Promise<void> {
    while (!this.#stopped) {
      const { client, outcome } = await stage.knock(socketUrl(proxy))
      if (outcome === 'open') this.#came += 1
      else this.#refused.push(outcome)
      client.close()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

function secureStatus({ tlsPort }: Proxy, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(
      { host: '127.0.0.1', port: tlsPort, path: '/ready', ca, agent: false, servername: '' },
      (response) => {
        response.resume()
        resolve(response.statusCode)
      },
    )
    request.on('error', reject)
  })
}
