import { connect, type Socket } from 'node:net'
import { eventually } from '../../harness/eventually.js'

export interface WireAnswer {
  /** Like `HTTP/1.1 200 OK`. */
  readonly statusLine: string
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** A TCP connection that speaks HTTP by hand, for what a client library would hide: status lines, keep-alive, half requests. */
export class HttpWire {
  /** The connection has ended or was reset. */
  closed = false
  readonly #socket: Socket
  #received = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes) => (this.#received = Buffer.concat([this.#received, bytes])))
    socket.on('close', () => (this.closed = true))
    socket.on('error', () => undefined)
  }

  static async open(url: string): Promise<HttpWire> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new HttpWire(socket)
  }

  write(text: string | Buffer): void {
    this.#socket.write(text)
  }

  /** Sends a request with a body of its declared length, and waits for the answer. */
  async request(method: string, target: string, body?: string): Promise<WireAnswer> {
    const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
    this.write(`${method} ${target} HTTP/1.1\r\nHost: test\r\n${length}\r\n${body ?? ''}`)
    return this.answer(method !== 'HEAD')
  }

  /** The next answer. @param hasBody false for HEAD, whose Content-Length announces what does not come */
  async answer(hasBody = true): Promise<WireAnswer> {
    return eventually('an HTTP answer', () => this.#take(hasBody))
  }

  async waitForClose(): Promise<void> {
    await eventually('the close of the TCP connection', () => this.closed)
  }

  /** What came and was not read as an answer. */
  get rest(): string {
    return this.#received.toString('utf8')
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(hasBody: boolean): WireAnswer | undefined {
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return undefined
    const [statusLine = '', ...lines] = this.#received.toString('utf8', 0, headEnd).split('\r\n')
    const headers = new Map<string, string>()
    for (const line of lines) {
      const colon = line.indexOf(':')
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    const bodyEnd = headEnd + 4 + (hasBody ? Number(headers.get('content-length') ?? 0) : 0)
    if (this.#received.length < bodyEnd) return undefined
    const body = this.#received.toString('utf8', headEnd + 4, bodyEnd)
    this.#received = this.#received.subarray(bodyEnd)
    return { statusLine, headers, body }
  }
}
