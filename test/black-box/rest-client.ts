/** Signed REST requests over one keep-alive connection, one at a time. Every status is an answer; a cut connection is status 0. */
import type { Socket } from 'node:net'
import { openSocket } from '../../bench/load/shared-read.js'
import { signedRequest, type Target } from '../../bench/load/target.js'
import { localAddress } from './local-address.js'
import { openTlsSocket } from './tls-socket.js'

export interface RestReply {
  readonly status: number
  readonly body: string
}

export class RestClient {
  target: Target
  readonly #tls: boolean
  #socket: Socket | undefined
  #received = ''
  #waiting: ((reply: RestReply) => void) | undefined

  constructor(target: Target, tls = false) {
    this.target = target
    this.#tls = tls
  }

  get busy(): boolean {
    return this.#waiting !== undefined
  }

  trigger(channels: readonly string[], name: string, data: string): Promise<RestReply> {
    return this.send('POST', '/events', JSON.stringify({ name, channels, data }))
  }

  /** @param query parameters in alphabetical order */
  send(method: 'GET' | 'POST', path: string, body = '', query = ''): Promise<RestReply> {
    return this.sendSigned(signedRequest(this.target, method, path, body, query))
  }

  /** Sends a request made by signedRequest(). */
  sendSigned(request: Buffer): Promise<RestReply> {
    if (this.#waiting !== undefined) throw new Error('one request at a time')
    return new Promise((resolve) => {
      this.#waiting = resolve
      this.#socket ??= this.#open()
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket?.destroy()
  }

  #open(): Socket {
    this.#received = ''
    const take = (chunk: Buffer) => this.#take(chunk)
    const socket: Socket = this.#tls
      ? openTlsSocket(this.target).on('data', take)
      : openSocket(this.target, localAddress(), take)
    let reason = 'closed by the server'
    socket.on('error', (error) => (reason = error.message))
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined
      this.#finish({ status: 0, body: reason })
    })
    return socket
  }

  #take(chunk: Buffer): void {
    this.#received += chunk.toString('latin1')
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#received.slice(0, headEnd + 2))?.[1] ?? 0)
    if (this.#received.length < headEnd + 4 + length) return
    const status = Number(this.#received.slice(9, 12))
    const body = this.#received.slice(headEnd + 4)
    this.#received = ''
    this.#finish({ status, body })
  }

  #finish(reply: RestReply): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(reply)
  }
}
