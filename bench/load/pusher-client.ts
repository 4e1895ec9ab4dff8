/** One client connection: the handshake, subscriptions, pings, and the check of what arrives on its channel. */
import type { Socket } from 'node:net'
import type { Subscriber } from './channel-check.js'
import type { Faults } from './faults.js'
import { readServerMessage } from './message.js'
import type { ServerMessage } from './message.js'
import { openSocket } from './shared-read.js'
import { hmacHex } from './target.js'
import type { Target } from './target.js'
import { clientFrame, FrameReader, opcodes } from './websocket-frame.js'

interface Waiting {
  readonly resolve: (data: string) => void
  readonly reject: (error: Error) => void
}

/** The handshake's name in the list of answers waited for; no channel can be called so. */
const handshake = ' handshake'

export class PusherClient {
  socketId = ''
  /** Checks the events of the one channel this connection listens to. */
  subscriber: Subscriber | undefined
  /** member_added and member_removed, where a scenario watches them. */
  onMember: ((message: ServerMessage) => void) | undefined
  /** Each answer to a pusher:ping, where a scenario sends them. */
  onPong: (() => void) | undefined
  readonly #target: Target
  readonly #faults: Faults
  readonly #socket: Socket
  readonly #frames: FrameReader
  readonly #waiting = new Map<string, Waiting>()
  #head: string | undefined = ''
  #closing = false

  private constructor(target: Target, faults: Faults, localAddress: string | undefined) {
    this.#target = target
    this.#faults = faults
    this.#frames = new FrameReader((opcode, bytes, start, end) => this.#onFrame(opcode, bytes, start, end))
    this.#socket = openSocket(target, localAddress, (chunk) => this.#onBytes(chunk))
    this.#socket.on('error', (error) => this.#onEnd(error.message))
    this.#socket.on('close', () => this.#onEnd('closed by the server'))
    this.#socket.write(
      `GET /app/${target.app.key}?protocol=7&client=js&version=8.6.0&flash=false HTTP/1.1\r\n` +
        `Host: ${target.host}:${target.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: YmVsZnJ5LWJlbmNobWFyaw==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
  }

  /** Resolves after `pusher:connection_established`. */
  static async connect(target: Target, faults: Faults, localAddress: string | undefined): Promise<PusherClient> {
    const client = new PusherClient(target, faults, localAddress)
    const established: unknown = JSON.parse(await client.#answer(handshake))
    if (typeof established !== 'object' || established === null || !('socket_id' in established)) {
      throw new Error('connection_established without a socket_id')
    }
    client.socketId = String(established.socket_id)
    return client
  }

  /** The frame that subscribes; signed for all channels but public ones. */
  subscribeFrame(channel: string, channelData?: string): Buffer {
    const data: Record<string, string> = { channel }
    if (channel.startsWith('private-') || channel.startsWith('presence-')) {
      const text = `${this.socketId}:${channel}${channelData === undefined ? '' : `:${channelData}`}`
      data['auth'] = `${this.#target.app.key}:${hmacHex(this.#target.app.secret, text)}`
    }
    if (channelData !== undefined) data['channel_data'] = channelData
    return clientFrame(opcodes.text, JSON.stringify({ event: 'pusher:subscribe', data }))
  }

  /** Resolves with the data of `subscription_succeeded`. */
  subscribe(channel: string, channelData?: string): Promise<string> {
    return this.sendSubscribe(channel, this.subscribeFrame(channel, channelData))
  }

  /** As subscribe(), with a frame made before. */
  sendSubscribe(channel: string, frame: Buffer): Promise<string> {
    const answer = this.#answer(channel)
    this.#socket.write(frame)
    return answer
  }

  /** Sends a frame made by clientFrame(). */
  send(frame: Buffer): void {
    this.#socket.write(frame)
  }

  close(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  #answer(name: string): Promise<string> {
    return new Promise((resolve, reject) => this.#waiting.set(name, { resolve, reject }))
  }

  #onBytes(chunk: Buffer): void {
    try {
      if (this.#head === undefined) this.#frames.push(chunk)
      else this.#onUpgrade(chunk)
    } catch (error) {
      this.#faults.add('malformed', String(error))
      this.close()
      this.#rejectAll(String(error))
    }
  }

  #onUpgrade(chunk: Buffer): void {
    const text = `${this.#head ?? ''}${chunk.toString('latin1')}`
    const end = text.indexOf('\r\n\r\n')
    this.#head = text
    if (end < 0) return
    if (!text.startsWith('HTTP/1.1 101 ')) throw new Error(`upgrade refused: ${text.slice(0, 100)}`)
    this.#head = undefined
    if (text.length > end + 4) this.#frames.push(Buffer.from(text.slice(end + 4), 'latin1'))
  }

  #onFrame(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === opcodes.text) {
      if (this.subscriber?.matches(bytes, start, end) === true) return
      this.#onMessage(bytes.subarray(start, end))
    } else if (opcode === opcodes.ping) {
      this.#socket.write(clientFrame(opcodes.pong, Buffer.from(bytes.subarray(start, end))))
    } else if (opcode === opcodes.close) {
      const code = end - start >= 2 ? bytes.readUInt16BE(start) : 1005
      this.#onEnd(`closed by the server with ${code} ${bytes.toString('utf8', start + 2, end)}`)
    } else {
      this.#faults.add('malformed', `frame with opcode ${opcode}`)
    }
  }

  #onMessage(frame: Buffer): void {
    const message = readServerMessage(frame.toString())
    if (message === undefined) {
      this.#faults.add('malformed', frame.toString())
      return
    }
    switch (message.event) {
      case 'pusher:connection_established':
        this.#resolve(handshake, message)
        break
      case 'pusher_internal:subscription_succeeded':
        this.#resolve(message.channel ?? '', message)
        break
      case 'pusher:ping':
        this.#socket.write(clientFrame(opcodes.text, '{"event":"pusher:pong","data":{}}'))
        break
      case 'pusher:pong':
        this.onPong?.()
        break
      case 'pusher:error':
      case 'pusher:subscription_error':
        this.#faults.add('malformed', `${message.event}: ${message.data}`)
        this.#rejectAll(`${message.event}: ${message.data}`)
        break
      case 'pusher_internal:member_added':
      case 'pusher_internal:member_removed':
        this.onMember?.(message)
        break
      default:
        this.#onEvent(message, frame)
    }
  }

  #onEvent(message: ServerMessage, frame: Buffer): void {
    const tooEarly = message.channel !== undefined && this.#waiting.has(message.channel)
    if (this.subscriber === undefined || tooEarly) this.#faults.add('malformed', `unasked for: ${frame.toString()}`)
    else this.subscriber.take(message, frame)
  }

  #resolve(name: string, message: ServerMessage): void {
    const waiting = this.#waiting.get(name)
    this.#waiting.delete(name)
    if (waiting === undefined) this.#faults.add('doubled', `${message.event} of ${name} was not waited for`)
    else waiting.resolve(message.data)
  }

  #onEnd(reason: string): void {
    if (this.#closing) return
    this.#closing = true
    this.#faults.add('lost', `a connection was ${reason}`)
    this.#rejectAll(reason)
    this.#socket.destroy()
  }

  #rejectAll(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(reason))
    this.#waiting.clear()
  }
}
