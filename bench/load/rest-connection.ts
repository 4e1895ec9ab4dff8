/**
 * REST requests over a raw socket: one request at a time per connection, answers with a Content-Length only. Of a server that says
 * `Connection: close` the next request opens a connection anew, as a client's library would.
 */
import type { Socket } from 'node:net'
import type { Faults } from './faults.js'
import { openSocket } from './shared-read.js'
import type { Target } from './target.js'

export class RestConnection {
  readonly #target: Target
  readonly #faults: Faults
  readonly #localAddress: string | undefined
  #socket: Socket | undefined
  #rest: Buffer | undefined
  #waiting: { resolve: (body: Buffer) => void; reject: (error: Error) => void } | undefined
  #closing = false

  constructor(target: Target, faults: Faults, localAddress?: string) {
    this.#target = target
    this.#faults = faults
    this.#localAddress = localAddress
    this.#socket = this.#open()
  }

  /**
   * Sends a request made by signedRequest(). Resolves with the body of a 200.
   * @throws Error on any other status and on a cut connection, which count as faults too
   */
  send(request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket ??= this.#open()
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#closing = true
    this.#socket?.destroy()
  }

  #open(): Socket {
    const socket = openSocket(this.#target, this.#localAddress, (chunk) => this.#onBytes(chunk))
    const onEnd = (reason: string) => {
      if (socket === this.#socket) this.#onEnd(reason)
    }
    socket.on('error', (error) => onEnd(error.message))
    socket.on('close', () => onEnd('closed by the server'))
    return socket
  }

  #onBytes(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    const headEnd = bytes.indexOf('\r\n\r\n')
    const head = headEnd < 0 ? '' : bytes.toString('latin1', 0, headEnd)
    const length = headEnd < 0 ? Infinity : contentLength(head)
    if (length === undefined) {
      this.#onEnd(`answered without a length: ${head.slice(0, 80)}`)
      return
    }
    const end = headEnd + 4 + length
    if (bytes.length > end) this.#onEnd('answered with more than it announced')
    else if (bytes.length === end) this.#onReply(head, Buffer.from(bytes.subarray(headEnd + 4, end)))
    else this.#rest = Buffer.from(bytes)
  }

  #onReply(head: string, body: Buffer): void {
    this.#rest = undefined
    // The server closes it: the side that does keeps the port for a minute.
    if (/\r\nconnection: *close/i.test(head)) this.#socket = undefined
    const waiting = this.#waiting
    this.#waiting = undefined
    if (head.startsWith('HTTP/1.1 200 ')) waiting?.resolve(body)
    else {
      const text = `${head.split('\r\n', 1)[0] ?? ''}: ${body.toString()}`
      this.#faults.add('lost', `a request was answered ${text}`)
      waiting?.reject(new Error(text))
    }
  }

  #onEnd(reason: string): void {
    if (this.#closing) return
    this.close()
    this.#faults.add('lost', `a REST connection was ${reason}`)
    this.#waiting?.reject(new Error(reason))
  }
}

function contentLength(head: string): number | undefined {
  const match = /\r\ncontent-length: *(\d+)/i.exec(head)
  return match === null ? undefined : Number(match[1])
}
