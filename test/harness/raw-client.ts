import { createHmac } from 'node:crypto'
import { WebSocket, type ClientOptions } from 'ws'
import { eventually } from './eventually.js'

export interface Frame {
  readonly event: string
  readonly channel?: string
  readonly data?: unknown
  readonly user_id?: string
  /** The text as it came. */
  readonly text: string
}

export interface Credentials {
  readonly key: string
  readonly secret: string
}

/** A client that speaks raw frames: what it gets is kept in order, and `next` walks through it. */
export class RawClient {
  readonly socket: WebSocket
  readonly frames: Frame[] = []
  /** Set when the socket has closed. */
  closed: { readonly code: number; readonly reason: string } | undefined
  socketId = ''
  #read = 0
  pings = 0

  /** Opens a socket and returns at once; see `connect`. */
  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, options)
    this.socket.on('message', (data, isBinary) => {
      if (isBinary) throw new Error('the server sent a binary frame')
      // ws gives a Buffer for a text frame unless told otherwise.
      const text = (data as Buffer).toString('utf8')
      this.frames.push({ ...(JSON.parse(text) as Omit<Frame, 'text'>), text })
    })
    this.socket.on('ping', () => (this.pings += 1))
    this.socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }))
    this.socket.on('error', () => undefined)
  }

  /** Opens a socket and waits for its handshake. */
  static async connect(url: string, options: ClientOptions = {}): Promise<RawClient> {
    const client = new RawClient(url, options)
    const established = await client.next('pusher:connection_established')
    client.socketId = (JSON.parse(String(established.data)) as { socket_id: string }).socket_id
    return client
  }

  send(message: unknown): void {
    this.sendText(JSON.stringify(message))
  }

  sendText(text: string): void {
    this.socket.send(text)
  }

  /** The next unread frame, which must be `event` when that is given. */
  async next(event?: string, deadlineMs = 5000): Promise<Frame> {
    const frame = await eventually(`a frame ${event ?? ''}`, () => this.frames[this.#read], deadlineMs).catch(() => {
      const seen = this.frames.map((each) => each.event).join(' ')
      throw new Error(
        `no frame ${event ?? ''} after ${this.#read} read of: ${seen}; closed: ${JSON.stringify(this.closed)}`,
      )
    })
    this.#read += 1
    if (event !== undefined && frame.event !== event) throw new Error(`expected ${event}, got ${frame.text}`)
    return frame
  }

  /** The data of the next frame, parsed from its string. */
  async nextData(event: string): Promise<unknown> {
    const { data } = await this.next(event)
    if (typeof data !== 'string') throw new Error(`data of ${event} is not a string: ${JSON.stringify(data)}`)
    return JSON.parse(data)
  }

  /** Frames that came and were not read yet. */
  unread(): Frame[] {
    return this.frames.slice(this.#read)
  }

  /** Proves that the server has handled everything sent so far and that nothing unread came: a ping is answered by the next frame. */
  async expectNothing(): Promise<void> {
    this.send({ event: 'pusher:ping', data: {} })
    await this.next('pusher:pong')
  }

  async subscribe(channel: string, extra: { auth?: string; channel_data?: string } = {}): Promise<Frame> {
    this.send({ event: 'pusher:subscribe', data: { channel, ...extra } })
    return this.next('pusher_internal:subscription_succeeded')
  }

  async subscribePrivate(channel: string, credentials: Credentials, channelData?: string): Promise<Frame> {
    const auth = channelAuth(credentials, this.socketId, channel, channelData)
    return this.subscribe(channel, { auth, ...(channelData === undefined ? {} : { channel_data: channelData }) })
  }

  async subscribePresence(
    channel: string,
    credentials: Credentials,
    userId: string,
    userInfo?: unknown,
  ): Promise<Frame> {
    return this.subscribePrivate(channel, credentials, JSON.stringify({ user_id: userId, user_info: userInfo }))
  }

  signIn(credentials: Credentials, user: unknown): void {
    const userData = typeof user === 'string' ? user : JSON.stringify(user)
    this.send({
      event: 'pusher:signin',
      data: { auth: userAuth(credentials, this.socketId, userData), user_data: userData },
    })
  }

  async waitForClose(deadlineMs = 5000): Promise<{ code: number; reason: string }> {
    return eventually('the close of the socket', () => this.closed, deadlineMs)
  }

  close(): void {
    this.socket.close()
  }
}

/** Signed by node's own HMAC, not by the code under test. */
export function channelAuth(
  { key, secret }: Credentials,
  socketId: string,
  channel: string,
  channelData?: string,
): string {
  const text = channelData === undefined ? `${socketId}:${channel}` : `${socketId}:${channel}:${channelData}`
  return `${key}:${createHmac('sha256', secret).update(text).digest('hex')}`
}

export function userAuth({ key, secret }: Credentials, socketId: string, userData: string): string {
  return `${key}:${createHmac('sha256', secret).update(`${socketId}::user::${userData}`).digest('hex')}`
}
