/** A pusher-js-like client that costs little: raw frames, no timers, only what a scenario looks at. */
import type { Socket } from 'node:net'
import { readServerMessage, type ServerMessage } from '../../bench/load/message.js'
import { openSocket } from '../../bench/load/shared-read.js'
import { hmacHex, type Target } from '../../bench/load/target.js'
import { clientFrame, FrameReader, opcodes } from '../../bench/load/websocket-frame.js'
import { localAddress } from './local-address.js'
import { openTlsSocket } from './tls-socket.js'

export interface ClientOptions {
  /** Speak TLS, trusting whoever answers. */
  readonly tls?: boolean
}

export interface Closed {
  /** 1006 when TCP ended without a close frame; the error's code (ECONNREFUSED) when it never was open. */
  readonly code: number | string
  readonly atMs: number
}

export class WireClient {
  /** Resolves after `pusher:connection_established`. Rejects when the connection ends before. */
  readonly connected: Promise<void>
  socketId = ''
  /** Set by the close frame, or by the end of TCP. */
  closed: Closed | undefined
  /** TCP has ended. */
  ended = false
  onClosed: (() => void) | undefined
  /** Sees every text frame first, as bytes that are valid during the call only; false = not mine. */
  onBytes: ((bytes: Buffer, start: number, end: number) => boolean) | undefined
  /** Sees every subscription_succeeded, before anything that follows it. */
  onSubscribed: ((channel: string, data: string) => void) | undefined
  /** Sees the rest, except for the handshake, pings and the answers to subscribe(). */
  onMessage: ((message: ServerMessage) => void) | undefined
  readonly socket: Socket
  readonly #target: Target
  readonly #frames: FrameReader
  readonly #waiting = new Map<string, { resolve: (data: string) => void; reject: (error: Error) => void }>()
  #head: string | undefined = ''

  constructor(target: Target, { tls = false }: ClientOptions = {}) {
    this.#target = target
    this.#frames = new FrameReader((opcode, bytes, start, end) => this.#onFrame(opcode, bytes, start, end))
    this.socket = tls ? openTlsSocket(target).on('data', this.#take) : openSocket(target, localAddress(), this.#take)
    this.connected = this.#answer(handshake).then((data) => {
      this.socketId = (JSON.parse(data) as { socket_id: string }).socket_id
    })
    // Whoever waits sees the refusal; a scenario that only looks at `closed` does not wait.
    this.connected.catch(() => undefined)
    let error: NodeJS.ErrnoException | undefined
    this.socket.on('error', (raised) => (error = raised))
    this.socket.on('close', () => {
      this.ended = true
      this.#onClosed(error?.code === 'ECONNREFUSED' ? error.code : 1006)
    })
    this.socket.write(
      `GET /app/${target.app.key}?protocol=7&client=js&version=8.6.0&flash=false HTTP/1.1\r\n` +
        `Host: ${target.host}:${target.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: YmVsZnJ5LWZhdWx0LXRlc3Q=\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
  }

  /**
   * Resolves with the data of `subscription_succeeded`.
   * @param member the presence member's `user_id`
   * @param info its `user_info`
   */
  subscribe(channel: string, member?: string, info?: unknown): Promise<string> {
    const channelData = member === undefined ? undefined : JSON.stringify({ user_id: member, user_info: info })
    const data: Record<string, string> = { channel }
    if (channel.startsWith('private-') || channel.startsWith('presence-')) {
      const text = `${this.socketId}:${channel}${channelData === undefined ? '' : `:${channelData}`}`
      data['auth'] = `${this.#target.app.key}:${hmacHex(this.#target.app.secret, text)}`
    }
    if (channelData !== undefined) data['channel_data'] = channelData
    const answer = this.#answer(channel)
    this.sendText(JSON.stringify({ event: 'pusher:subscribe', data }))
    return answer
  }

  unsubscribe(channel: string): void {
    this.sendText(JSON.stringify({ event: 'pusher:unsubscribe', data: { channel } }))
  }

  /** Sends a client event. @param event begins with `client-` */
  whisper(channel: string, event: string, data: unknown): void {
    this.sendText(JSON.stringify({ event, channel, data }))
  }

  /** Sends a sign-in; the answer comes to onMessage. */
  signIn(userId: string): void {
    const userData = JSON.stringify({ id: userId })
    const { key, secret } = this.#target.app
    const auth = `${key}:${hmacHex(secret, `${this.socketId}::user::${userData}`)}`
    this.sendText(JSON.stringify({ event: 'pusher:signin', data: { auth, user_data: userData } }))
  }

  sendText(text: string): void {
    this.socket.write(clientFrame(opcodes.text, text))
  }

  /** Stops reading, so that what is sent to it piles up. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  /** Closes as pusher-js does: close frame first. */
  close(): void {
    if (this.closed !== undefined) return
    this.closed = { code: 1000, atMs: performance.now() }
    this.socket.end(clientFrame(opcodes.close, Buffer.from([0x03, 0xe8])))
  }

  /** Vanishes. */
  destroy(): void {
    this.closed ??= { code: 1006, atMs: performance.now() }
    this.socket.destroy()
  }

  readonly #take = (chunk: Buffer): void => {
    if (this.#head === undefined) this.#frames.push(chunk)
    else this.#onUpgrade(chunk)
  }

  #answer(name: string): Promise<string> {
    return new Promise((resolve, reject) => this.#waiting.set(name, { resolve, reject }))
  }

  #onUpgrade(chunk: Buffer): void {
    this.#head = `${this.#head ?? ''}${chunk.toString('latin1')}`
    const end = this.#head.indexOf('\r\n\r\n')
    if (end < 0) return
    const rest = this.#head.slice(end + 4)
    if (!this.#head.startsWith('HTTP/1.1 101 ')) this.socket.destroy()
    this.#head = undefined
    if (rest !== '') this.#frames.push(Buffer.from(rest, 'latin1'))
  }

  #onFrame(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === opcodes.text) {
      if (this.onBytes?.(bytes, start, end) !== true) this.#onText(bytes.toString('utf8', start, end))
    } else if (opcode === opcodes.ping) {
      this.socket.write(clientFrame(opcodes.pong, Buffer.from(bytes.subarray(start, end))))
    } else if (opcode === opcodes.close) {
      this.#onClosed(end - start >= 2 ? bytes.readUInt16BE(start) : 1005)
      this.socket.end(clientFrame(opcodes.close, Buffer.from(bytes.subarray(start, Math.min(end, start + 2)))))
    }
  }

  #onText(text: string): void {
    const message = readServerMessage(text)
    if (message === undefined) throw new Error(`the server sent what is no message: ${text.slice(0, 200)}`)
    if (message.event === 'pusher:connection_established') this.#resolve(handshake, message.data)
    else if (message.event === 'pusher_internal:subscription_succeeded') {
      this.onSubscribed?.(message.channel ?? '', message.data)
      this.#resolve(message.channel ?? '', message.data)
    } else if (message.event === 'pusher:ping') this.sendText('{"event":"pusher:pong","data":{}}')
    else this.onMessage?.(message)
  }

  #resolve(name: string, data: string): void {
    this.#waiting.get(name)?.resolve(data)
    this.#waiting.delete(name)
  }

  #onClosed(code: number | string): void {
    const first = this.closed === undefined
    this.closed ??= { code, atMs: performance.now() }
    for (const { reject } of this.#waiting.values()) reject(new Error(`the connection ended with ${this.closed.code}`))
    this.#waiting.clear()
    if (first) this.onClosed?.()
  }
}

/** The handshake's name in the list of answers waited for; no channel can be called so. */
const handshake = ' handshake'
