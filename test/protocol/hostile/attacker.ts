import { connect, type Socket } from 'node:net'
import { channelAuth, userAuth, type Credentials } from '../../harness/raw-client.js'
import { decodeFrames, encodeFrame, opcodes } from './wire-frame.js'

/** An HTTP answer, as it stood on the wire. */
export interface WireAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
}

const noBytes = Buffer.alloc(0)
const frameBytesMax = 64 * 1024 * 1024

/** A TCP connection that sends whatever bytes it likes, as HTTP or, after `upgrade`, as WebSocket frames. */
export class Attacker {
  /** Texts of the text frames received, in order. */
  readonly texts: string[] = []
  /** The code of the close frame received; 1005 when it had none. */
  closeCode: number | undefined
  closeReason = ''
  pongs = 0
  /** The connection has ended or was reset. */
  ended = false
  socketId = ''
  readonly #socket: Socket
  readonly #credentials: Credentials
  #received: Buffer = noBytes
  #speaksFrames = false
  #changed: () => void = () => undefined

  private constructor(socket: Socket, credentials: Credentials) {
    this.#socket = socket
    this.#credentials = credentials
    socket.on('data', (bytes) => this.#take(bytes))
    socket.on('close', () => this.#end())
    // A reset is an end like any other.
    socket.on('error', () => this.#end())
    socket.setNoDelay(true)
  }

  static async connect(port: number, credentials: Credentials): Promise<Attacker> {
    const socket = connect(port, '127.0.0.1')
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject)
    })
    return new Attacker(socket, credentials)
  }

  /** A WebSocket whose handshake is done. */
  static async session(port: number, credentials: Credentials): Promise<Attacker> {
    const attacker = await Attacker.connect(port, credentials)
    attacker.write(upgradeRequest(`/app/${credentials.key}?protocol=7`))
    await attacker.upgraded()
    const established = await attacker.#until('the handshake', () => attacker.texts[0])
    const { data } = JSON.parse(established) as { data: string }
    attacker.socketId = (JSON.parse(data) as { socket_id: string }).socket_id
    attacker.texts.length = 0
    return attacker
  }

  /** Waits for the answer 101; what follows is read as frames. */
  async upgraded(): Promise<void> {
    const answer = await this.answer()
    if (answer.status !== 101) throw new Error(`no upgrade but: ${answer.head}`)
    this.#speaksFrames = true
    this.#take(noBytes)
  }

  write(bytes: string | Buffer): void {
    if (!this.ended) this.#socket.write(bytes)
  }

  sendText(text: string): void {
    this.write(encodeFrame({ payload: text }))
  }

  /** Ends the TCP connection at once, in the middle of whatever it is. */
  vanish(): void {
    this.#socket.destroy()
  }

  /** Says that nothing more will come, and goes on reading. */
  finishWriting(): void {
    this.#socket.end()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  channelAuth(channel: string, channelData?: string): string {
    return channelAuth(this.#credentials, this.socketId, channel, channelData)
  }

  userAuth(userData: string): string {
    return userAuth(this.#credentials, this.socketId, userData)
  }

  /** The next HTTP answer. @throws Error when the connection ends without one */
  async answer(deadlineMs = 5000): Promise<WireAnswer> {
    return this.#until(
      'an HTTP answer',
      () => {
        const answer = this.#takeAnswer()
        if (answer === undefined && this.ended) throw new Error(`ended without an answer: ${this.unread}`)
        return answer
      },
      deadlineMs,
    )
  }

  /** What came and was not read as an answer or a frame. */
  get unread(): string {
    return this.#received.toString('latin1')
  }

  /**
   * The texts received since the last call, complete: a ping sent now is answered after everything that came before it. Twice,
   * because what waited for a store may be answered a turn later.
   * @returns undefined when the connection ended instead
   */
  async settled(deadlineMs = 5000): Promise<string[] | undefined> {
    for (let round = 0; round < 2; round += 1) {
      const before = this.pongs
      this.write(encodeFrame({ opcode: opcodes.ping }))
      await this.#until(
        'a pong or the end',
        () => this.pongs > before || this.ended || this.closeCode !== undefined,
        deadlineMs,
      )
    }
    if (this.ended || this.closeCode !== undefined) return undefined
    return this.texts.splice(0)
  }

  async waitForEnd(deadlineMs = 5000): Promise<void> {
    await this.#until('the end of the connection', () => this.ended, deadlineMs)
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes])
    this.#parseFrames()
    this.#changed()
  }

  #end(): void {
    this.ended = true
    this.#changed()
  }

  /** Looks again whenever something has come, so that hundreds of cases take seconds. */
  async #until<Value>(what: string, check: () => Value | undefined | false, deadlineMs = 5000): Promise<Value> {
    const endsAtMs = performance.now() + deadlineMs
    for (;;) {
      const value = check()
      if (value !== undefined && value !== false) return value
      const leftMs = endsAtMs - performance.now()
      if (leftMs <= 0) throw new Error(`not within ${deadlineMs} ms: ${what}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#changed = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  #parseFrames(): void {
    if (!this.#speaksFrames) return
    if (this.#received.length > frameBytesMax) throw new Error('the server sends without end')
    const { frames, taken } = decodeFrames(this.#received)
    this.#received = this.#received.subarray(taken)
    for (const { opcode, payload } of frames) {
      if (opcode === opcodes.text) this.texts.push(payload.toString('utf8'))
      else if (opcode === opcodes.pong) this.pongs += 1
      else if (opcode === opcodes.close) {
        this.closeCode = payload.length < 2 ? 1005 : payload.readUInt16BE(0)
        this.closeReason = payload.toString('utf8', 2)
      }
    }
  }

  #takeAnswer(): WireAnswer | undefined {
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return undefined
    const head = this.#received.toString('latin1', 0, headEnd)
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
    const end = headEnd + 4 + length
    if (this.#received.length < end) return undefined
    const body = this.#received.toString('utf8', headEnd + 4, end)
    this.#received = this.#received.subarray(end)
    return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN), head, body }
  }
}

/** Sends a request on a connection of its own. */
export async function answerOf(
  port: number,
  credentials: Credentials,
  bytes: string | Buffer,
): Promise<[WireAnswer, Attacker]> {
  const attacker = await Attacker.connect(port, credentials)
  attacker.write(bytes)
  return [await attacker.answer(), attacker]
}

/** @param extra header lines added or, by name, replaced; undefined leaves one out */
export function upgradeRequest(target: string, extra: Readonly<Record<string, string | undefined>> = {}): string {
  const headers: Record<string, string | undefined> = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...extra,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : `${name}: ${value}\r\n`))
  return `GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
}
