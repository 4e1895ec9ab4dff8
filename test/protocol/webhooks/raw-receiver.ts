import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

/** A receiver of webhooks below HTTP: it counts connections, keeps every byte, and answers what it is told. */
export class Receiver {
  /** Connections accepted so far. */
  connections = 0
  /** What came on each connection. */
  readonly received: string[] = []
  readonly open = new Set<Socket>()
  /** Takes a new connection in place of what reads requests. */
  onConnection: ((socket: Socket) => void) | undefined
  readonly #server: Server

  /** @param answer called for each request whose body has arrived, with what came on the connection so far */
  private constructor(answer: Answer, tls: TlsOptions | undefined) {
    const accept = (socket: Socket): void => this.#accept(socket, answer)
    this.#server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept)
    if (tls !== undefined) this.#server.on('tlsClientError', () => {})
  }

  /** On all addresses of this machine, so that no way to it goes uncounted. */
  static async listen(answer: Answer, tls?: TlsOptions): Promise<Receiver> {
    const receiver = new Receiver(answer, tls)
    await new Promise<void>((resolve) => receiver.#server.listen(0, resolve))
    return receiver
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get all(): string {
    return this.received.join('')
  }

  async close(): Promise<void> {
    for (const socket of this.open) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(socket: Socket, answer: Answer): void {
    const index = this.connections
    this.connections += 1
    this.open.add(socket)
    this.received[index] = ''
    let pending = ''
    let requests = 0
    socket.on('close', () => this.open.delete(socket))
    socket.on('error', () => socket.destroy())
    if (this.onConnection !== undefined) {
      this.onConnection(socket)
      return
    }
    socket.on('data', (chunk) => {
      this.received[index] = `${this.received[index] ?? ''}${chunk.toString()}`
      pending += chunk.toString('latin1')
      for (let end = endOfRequest(pending); end !== undefined; end = endOfRequest(pending)) {
        pending = pending.slice(end)
        requests += 1
        answer(socket, { connection: index + 1, request: requests })
      }
    })
  }
}

/** Both count from 1. */
export type Answer = (socket: Socket, at: { connection: number; request: number }) => void

/** An answer with a length, after which the connection can be used again. */
export function reply(status: string, body = '', headers = ''): string {
  return `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`
}

function endOfRequest(text: string): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const length = Number(/^content-length: (\d+)\r?$/im.exec(text.slice(0, headEnd))?.[1] ?? 0)
  const end = headEnd + 4 + length
  return text.length >= end ? end : undefined
}
