/** One play of a check: a real server, a proxy in front of it, clients; all of it ends with the check. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ClientOptions } from 'ws'
import { eventually } from '../harness/eventually.js'
import { RawClient } from '../harness/raw-client.js'
import { rest, type RestAnswer } from '../harness/rest.js'
import { appId, credentials, TestServer, type Settings } from '../harness/test-server.js'
import type { Proxy, ProxyKind } from './proxy.js'
import type { Edit } from './snippet.js'

export type Check = (stage: Stage) => Promise<void>

const answerMs = 5000

export class Stage {
  readonly kind: ProxyKind
  /** Whether a proxy has started, so that a snippet that is no longer valid is not taken for a check that fails. */
  hasProxy = false
  readonly #edits: readonly Edit[]
  readonly #closers: (() => unknown)[] = []

  /** @param edits of the shipped snippet, for every proxy of the check */
  constructor(kind: ProxyKind, edits: readonly Edit[] = []) {
    this.kind = kind
    this.#edits = edits
  }

  async play(check: Check): Promise<void> {
    try {
      await check(this)
    } finally {
      for (const close of this.#closers.reverse()) await close()
    }
  }

  onEnd(close: () => unknown): void {
    this.#closers.push(close)
  }

  async server(app: Settings = {}, settings: Settings = {}): Promise<TestServer> {
    const server = await TestServer.start(app, settings)
    this.onEnd(() => server.stop())
    return server
  }

  async proxy(servers: readonly TestServer[], edits: readonly Edit[] = []): Promise<Proxy> {
    return this.proxyTo(
      servers.map(({ running }) => running.port),
      edits,
    )
  }

  async proxyTo(ports: readonly number[], edits: readonly Edit[] = []): Promise<Proxy> {
    const proxy = await this.kind.start(ports, [...this.#edits, ...edits])
    this.hasProxy = true
    this.onEnd(() => proxy.close())
    return proxy
  }

  /** Any HTTP server in the place of Belfry. @returns its port */
  async upstream(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
    const server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.onEnd(() => {
      server.closeAllConnections()
      server.close()
    })
    return (server.address() as AddressInfo).port
  }

  /** A client after its handshake. @throws Error with what the proxy or the server answered instead */
  async client(url: string, options: ClientOptions = {}): Promise<RawClient> {
    const { client, outcome } = await this.knock(url, options)
    if (outcome !== 'open') throw new Error(`not connected: ${outcome}`)
    return client
  }

  /** Tries to connect. @returns as outcome `open`, the code it was closed with, or what HTTP answered */
  async knock(url: string, options: ClientOptions = {}): Promise<{ client: RawClient; outcome: string }> {
    const client = new RawClient(url, options)
    this.onEnd(() => client.socket.terminate())
    let error = ''
    client.socket.on('error', ({ message }) => (error = message))
    const first = await eventually('an answer to the handshake', () => client.frames[0] ?? client.closed, answerMs)
    if ('event' in first && first.event === 'pusher:connection_established') {
      await client.next()
      return { client, outcome: 'open' }
    }
    const { code } = await client.waitForClose()
    return { client, outcome: error === '' ? String(code) : error }
  }
}

export function socketUrl({ port }: Proxy, prefix = '', key = credentials.key): string {
  return `ws://127.0.0.1:${port}${prefix}/app/${key}?protocol=7&client=js&version=8.6.0`
}

export function secureUrl({ tlsPort }: Proxy): string {
  return `wss://127.0.0.1:${tlsPort}/app/${credentials.key}?protocol=7&client=js&version=8.6.0`
}

/** A signed POST through the proxy. */
export function post({ port }: Proxy, path: string, body: unknown, prefix = ''): Promise<RestAnswer> {
  return rest({ ...credentials, url: `http://127.0.0.1:${port}${prefix}`, appId }, 'POST', path, { body })
}

export async function trigger(proxy: Proxy, channel: string, data: string, prefix = ''): Promise<void> {
  const { status, text } = await post(proxy, 'events', { name: 'news', channel, data }, prefix)
  if (status !== 200) throw new Error(`the trigger was answered ${status} ${text}`)
}

/** Waits until the client has got this data; pings in between are of no interest. */
export async function heard(client: RawClient, data: string): Promise<void> {
  await eventually(`the event ${data}`, () => client.frames.some((frame) => frame.data === data), 3000)
}
