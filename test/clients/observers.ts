/** The harness's own clients, which speak raw frames: what a library does is seen by somebody who is not that library. */
import { eventually } from '../harness/eventually.js'
import { channelAuth, RawClient, userAuth, type Frame } from '../harness/raw-client.js'
import { app } from './site.js'

const answerMs = 3000

/** What the server said to a subscribe or a sign-in. */
export interface Answer {
  readonly ok: boolean
  /** Its text; '' when there was none in time. */
  readonly frame: string
}

export class Observers {
  readonly #nextPort: () => number
  readonly #clients = new Map<string, RawClient>()
  #count = 0

  /** @param nextPort where the next one connects */
  constructor(nextPort: () => number) {
    this.#nextPort = nextPort
  }

  /**
   * A new one, subscribed to the channels; as a member of presence channels it has its own name.
   *
   * @param user signs in as this user, and subscribes to what is sent to them
   * @throws Error when the server refuses any of it
   */
  async observe(
    channels: readonly string[],
    user: string | undefined,
  ): Promise<{ observer: string; socketId: string }> {
    this.#count += 1
    const observer = `observer-${this.#count}`
    const url = `ws://127.0.0.1:${this.#nextPort()}/app/${app.key}?protocol=7&client=observer`
    const client = await RawClient.connect(url)
    this.#clients.set(observer, client)
    if (user !== undefined) {
      const userData = JSON.stringify({ id: user, user_info: { name: user } })
      demand(await this.signIn(observer, { auth: userAuth(app, client.socketId, userData), user_data: userData }))
      demand(await this.subscribe(observer, `#server-to-user-${user}`, {}))
    }
    for (const channel of channels) {
      const isPresence = channel.startsWith('presence-')
      const channelData = JSON.stringify({ user_id: observer, user_info: { name: observer } })
      const data = isPresence ? { channel_data: channelData } : {}
      const auth = channelAuth(app, client.socketId, channel, data.channel_data)
      const isPublic = !isPresence && !channel.startsWith('private-')
      demand(await this.subscribe(observer, channel, isPublic ? {} : { auth, ...data }))
    }
    return { observer, socketId: client.socketId }
  }

  /** @param data `auth` and `channel_data`, whoever made them */
  subscribe(observer: string, channel: string, data: { auth?: string; channel_data?: string }): Promise<Answer> {
    const answers = ['pusher_internal:subscription_succeeded', 'pusher:subscription_error']
    const isAnswer = (frame: Frame) => frame.channel === channel && answers.includes(frame.event)
    return this.#ask(observer, { event: 'pusher:subscribe', data: { channel, ...data } }, isAnswer)
  }

  signIn(observer: string, data: { auth: string; user_data: string }): Promise<Answer> {
    const answers = ['pusher:signin_success', 'pusher:error']
    return this.#ask(observer, { event: 'pusher:signin', data }, (frame) => answers.includes(frame.event))
  }

  whisper(observer: string, channel: string, event: string, data: unknown): void {
    this.#client(observer).send({ event, channel, data })
  }

  /** The events so far, as soon as there is one; none when the time is over. */
  async seen(observer: string, channel: string, event: string, waitMs: number): Promise<{ data: unknown }[]> {
    const client = this.#client(observer)
    const found = () => client.frames.filter((frame) => frame.channel === channel && frame.event === event)
    await soon(() => found().length > 0, waitMs)
    return found().map(({ data }) => ({ data }))
  }

  /** Waits for the end of its connection. */
  async alive(observer: string, waitMs: number): Promise<{ open: boolean; code?: number }> {
    const client = this.#client(observer)
    await soon(() => client.closed !== undefined, waitMs)
    return client.closed === undefined ? { open: true } : { open: false, code: client.closed.code }
  }

  leave(observer: string): void {
    this.#client(observer).close()
  }

  closeAll(): void {
    for (const client of this.#clients.values()) client.socket.terminate()
  }

  #client(observer: string): RawClient {
    const client = this.#clients.get(observer)
    if (client === undefined) throw new Error(`there is no observer ${observer}`)
    return client
  }

  async #ask(observer: string, message: unknown, isAnswer: (frame: Frame) => boolean): Promise<Answer> {
    const client = this.#client(observer)
    const before = client.frames.length
    client.send(message)
    const answer = () => client.frames.slice(before).find(isAnswer)
    await soon(() => answer() !== undefined, answerMs)
    const frame = answer()
    return { ok: frame !== undefined && !frame.event.endsWith('error'), frame: frame?.text ?? '' }
  }
}

/** Resolves when the condition holds, or else when the time is over. */
export function soon(condition: () => boolean, waitMs: number): Promise<unknown> {
  return eventually('', condition, waitMs).catch((_late: unknown) => undefined)
}

function demand({ ok, frame }: Answer): void {
  if (!ok) throw new Error(`the server refused an observer: ${frame}`)
}
