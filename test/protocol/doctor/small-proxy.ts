/**
 * A proxy of a few lines, with the faults that proxies have.
 *
 *     const proxy = await SmallProxy.start(server.url, { upgrades: false })
 *     // … http://127.0.0.1:PORT
 *     await proxy.close()
 */
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

export interface SmallProxyOptions {
  /** false: an upgrade is passed on as a plain request, as by a proxy that was not told otherwise. */
  readonly upgrades?: boolean
  /** Larger bodies are answered 413 by a page. */
  readonly bodyBytesMax?: number
  /** A WebSocket that is silent for so long is cut. */
  readonly readTimeoutMs?: number
  /** Everything is answered with this, and nothing passed on. */
  readonly answers?: { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }
  /** Only paths that begin with one of these are passed on; the rest is answered by a page. */
  readonly only?: readonly string[]
  /** Removed from the front of every path. */
  readonly removes?: string
  readonly forwardedFor?: 'set' | 'append' | 'pass'
  readonly forwardedProto?: string
}

export class SmallProxy {
  readonly #server: Server
  readonly #open = new Set<Socket>()

  readonly target: URL
  readonly options: SmallProxyOptions

  private constructor(target: URL, options: SmallProxyOptions) {
    this.target = target
    this.options = options
    this.#server = createServer((request, response) => this.#pass(request, response))
    if (options.upgrades !== false && options.answers === undefined)
      this.#server.on('upgrade', (request, socket: Socket) => this.#tunnel(request, socket))
    this.#server.on('connection', (socket) => this.#keep(socket))
  }

  static async start(target: string, options: SmallProxyOptions = {}): Promise<SmallProxy> {
    const proxy = new SmallProxy(new URL(target), options)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const { answers, only, bodyBytesMax } = this.options
    const page = { 'content-type': 'text/html' }
    if (answers !== undefined) {
      response.writeHead(answers.status, { ...page, ...answers.headers }).end(answers.body ?? '<html></html>')
      return
    }
    if (only !== undefined && !only.some((start) => request.url!.startsWith(start))) {
      response.writeHead(200, page).end('<html>another application</html>')
      return
    }
    if (Number(request.headers['content-length'] ?? 0) > (bodyBytesMax ?? Infinity)) {
      response.writeHead(413, { ...page, connection: 'close' }).end('<html>too large</html>')
      return
    }
    const headers = { ...this.#headersFor(request) }
    delete headers['upgrade']
    delete headers['connection']
    const { hostname, port } = this.target
    const onward = httpRequest({ hostname, port, method: request.method, path: this.#pathFor(request), headers })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    // Belfry looks at the key alone and upgrades, which is no answer to a plain request.
    onward.on('upgrade', (_answer, far) => {
      far.destroy()
      response.writeHead(502, page).end('<html>bad gateway</html>')
    })
    onward.on('error', () => response.writeHead(502, page).end('<html>bad gateway</html>'))
    // Node never ends the body of an upgrade that nobody listens for.
    if (request.method === 'GET') onward.end()
    else request.pipe(onward)
  }

  #tunnel(request: IncomingMessage, near: Socket): void {
    const far = connect(Number(this.target.port), this.target.hostname)
    this.#keep(far)
    const lines = Object.entries(this.#headersFor(request)).map(([name, value]) => `${name}: ${String(value)}`)
    far.write(`GET ${this.#pathFor(request)} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    far.pipe(near).pipe(far)
    const end = () => (near.destroy(), far.destroy())
    for (const socket of [near, far]) socket.on('error', end).on('close', end)
    if (this.options.readTimeoutMs !== undefined) far.setTimeout(this.options.readTimeoutMs, end)
  }

  #headersFor({ headers, socket }: IncomingMessage): Record<string, string | string[] | undefined> {
    const { forwardedFor = 'set', forwardedProto } = this.options
    const peer = socket.remoteAddress!.replace('::ffff:', '')
    const claimed = headers['x-forwarded-for']
    const appended = claimed === undefined ? peer : `${String(claimed)}, ${peer}`
    return {
      ...headers,
      ...(forwardedFor === 'pass' ? {} : { 'x-forwarded-for': forwardedFor === 'set' ? peer : appended }),
      ...(forwardedProto === undefined ? {} : { 'x-forwarded-proto': forwardedProto }),
    }
  }

  #pathFor({ url = '' }: IncomingMessage): string {
    const { removes = '' } = this.options
    return url.startsWith(removes) ? url.slice(removes.length) : url
  }

  #keep(socket: Socket): void {
    this.#open.add(socket)
    socket.on('close', () => this.#open.delete(socket))
  }
}
