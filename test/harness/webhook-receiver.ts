/**
 * An application's side of webhooks: an HTTP server that verifies each request with the `pusher` library, as the docs of that
 * library have it, and keeps what came in. It can be told to fail, to hang, to be slow, and to be gone.
 *
 *     const receiver = await WebhookReceiver.start([{ id: '3', keys: [{ key, secret }] }])
 *     receiver.url('/hook')                                    // for the configuration of the app
 *     receiver.answer(({ path }) => (path === '/bad' ? 500 : 200))
 *     const [event] = await receiver.heard(1, { channel: 'news' })
 *     await receiver.close(); await receiver.reopen()          // refuses connections, then the same port again
 *     await receiver.close()
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import Pusher from 'pusher'
import { eventually } from './eventually.js'
import type { Random } from './random.js'
import type { Credentials } from './raw-client.js'

/** Whose webhooks it accepts. */
export interface ReceiverApp {
  readonly id: string
  /** The first is the library's own, the others are its extra tokens. */
  readonly keys: readonly Credentials[]
}

export interface ReceivedEvent {
  readonly name: string
  readonly channel: string
  readonly id: string
  readonly event?: string
  readonly data?: string
  readonly socket_id?: string
  readonly user_id?: string
  readonly subscription_count?: number
}

/** One request, as it came and as it was answered. */
export interface Attempt {
  /** When all of it had arrived, Unix milliseconds. */
  readonly atMs: number
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Names in their spelling on the wire and values, in turn. */
  readonly rawHeaders: readonly string[]
  readonly body: string
  /** The app that the key belongs to; '' when that is unknown. */
  readonly appId: string
  readonly key: string
  /** What the library says: signature, key and content type. */
  readonly valid: boolean
  /** Empty when it is not valid. */
  readonly events: readonly ReceivedEvent[]
  /** As the library reads it, Unix milliseconds; NaN when it is not valid. */
  readonly timeMs: number
  readonly deliveryId: string
  /** The status it was answered with; undefined while it hangs, and for ever when the sender gave up. */
  status: number | undefined
  /** When it was answered, or when the sender gave up. */
  endedAtMs: number | undefined
}

/** A status, one with headers or after a while, or no answer at all. */
export type Answer =
  | number
  | 'hang'
  | { readonly status: number; readonly afterMs?: number; readonly headers?: Readonly<Record<string, string>> }

export type AnswerRule = (attempt: Attempt) => Answer

/** Which events are meant; nothing named = all. */
export interface Wanted {
  readonly path?: string
  readonly channel?: string
  readonly name?: string
  readonly appId?: string
}

export interface ReceiverOptions {
  /** 0, which is the default, finds a free one. For `reopen`, take one of free-port.ts, which nothing else takes meanwhile. */
  readonly port?: number
  /** False: nothing is kept but the figures. For loads that would fill the memory. */
  readonly keep?: boolean
}

const host = '127.0.0.1'

export class WebhookReceiver {
  /** Every request, in the order of arrival. */
  readonly attempts: Attempt[] = []
  /** Also without `keep`. Events are counted when their request is accepted, invalid requests are those answered with 401. */
  readonly figures = { connections: 0, requests: 0, invalid: 0, accepted: 0, events: 0 }
  /** Told each request before it is answered. */
  onAttempt: ((attempt: Attempt) => void) | undefined
  port: number
  #rule: AnswerRule = () => 200
  #server: Server | undefined
  readonly #keep: boolean
  readonly #libraries = new Map<
    string,
    { readonly appId: string; readonly library: Pusher; readonly more: Credentials[] }
  >()
  readonly #timers = new Set<NodeJS.Timeout>()

  private constructor(apps: readonly ReceiverApp[], { port = 0, keep = true }: ReceiverOptions) {
    this.port = port
    this.#keep = keep
    this.trust(apps)
  }

  /** Resolves when it listens. */
  static async start(apps: readonly ReceiverApp[], options: ReceiverOptions = {}): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver(apps, options)
    await receiver.reopen()
    return receiver
  }

  /** Accepts the webhooks of these apps, and of no others. */
  trust(apps: readonly ReceiverApp[]): void {
    this.#libraries.clear()
    for (const { id, keys } of apps) {
      const [first, ...more] = keys
      if (first === undefined) throw new Error(`app ${id} has no key`)
      const library = new Pusher({ appId: id, ...first, host })
      for (const { key } of keys) this.#libraries.set(key, { appId: id, library, more })
    }
  }

  url(path = '/'): string {
    return `http://${host}:${this.port}${path}`
  }

  /** How valid requests are answered from now on; an invalid one always gets 401. */
  answer(rule: Answer | AnswerRule): void {
    this.#rule = typeof rule === 'function' ? rule : () => rule
  }

  /** Requests to the path. */
  at(path: string): Attempt[] {
    return this.attempts.filter((attempt) => attempt.path === path)
  }

  /** The events of accepted requests, in the order of their arrival, repeated ones again. */
  events(wanted: Wanted = {}): ReceivedEvent[] {
    return this.attempts
      .filter((attempt) => isAccepted(attempt) && fits(wanted.path, attempt.path) && fits(wanted.appId, attempt.appId))
      .flatMap(({ events }) => events)
      .filter(({ channel, name }) => fits(wanted.channel, channel) && fits(wanted.name, name))
  }

  /** Waits until there are so many events. @returns all of them, which may be more */
  heard(count: number, wanted: Wanted = {}, deadlineMs = 5000): Promise<ReceivedEvent[]> {
    const what = `${count} events ${JSON.stringify(wanted)}`
    return eventually(what, () => atLeast(count, this.events(wanted)), deadlineMs).catch((error: unknown) => {
      const seen = this.attempts.map(({ path, status, body }) => `${path} ${status ?? 'open'} ${body}`).slice(-20)
      throw new Error(`${String(error)}; the last requests: ${seen.join('\n')}`)
    })
  }

  /** Waits until there are so many requests, whatever their answer. @returns all of them, which may be more */
  attempted(count: number, path?: string, deadlineMs = 5000): Promise<Attempt[]> {
    const attempts = () => this.attempts.filter((attempt) => fits(path, attempt.path))
    return eventually(`${count} requests to ${path ?? 'any path'}`, () => atLeast(count, attempts()), deadlineMs)
  }

  /** Refuses connections and ends those that are open. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }

  /** Listens again, on the same port. */
  async reopen(): Promise<void> {
    const server = createServer((request, response) => {
      this.#receive(request, response).catch((error: unknown) => {
        // A sender that goes away before all is said is its own business; anything else is a fault of this harness.
        if (!request.destroyed) throw error
      })
    })
    server.on('connection', () => (this.figures.connections += 1))
    // A sender may keep a connection for as long as it likes.
    server.keepAliveTimeout = 0
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.port, host, resolve)
    })
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the receiver has no port')
    this.port = address.port
    this.#server = server
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const attempt = this.#verify(request, await bodyOf(request))
    this.figures.requests += 1
    if (!attempt.valid) this.figures.invalid += 1
    if (this.#keep) this.attempts.push(attempt)
    response.on('close', () => (attempt.endedAtMs ??= Date.now()))
    this.onAttempt?.(attempt)
    const answer = attempt.valid ? this.#rule(attempt) : 401
    if (answer === 'hang') return
    const { status, afterMs = 0, headers = {} } = typeof answer === 'number' ? { status: answer } : answer
    if (afterMs > 0) await this.#wait(afterMs)
    if (response.destroyed) return
    attempt.status = status
    attempt.endedAtMs = Date.now()
    if (isAccepted(attempt)) {
      this.figures.accepted += 1
      this.figures.events += attempt.events.length
    }
    response.writeHead(status, headers).end()
  }

  #verify(request: IncomingMessage, body: string): Attempt {
    const { headers, rawHeaders, url: path = '' } = request
    const key = textOf(headers['x-pusher-key'])
    const known = this.#libraries.get(key)
    const webhook = request.method === 'POST' ? known?.library.webhook({ headers, rawBody: body }) : undefined
    const valid = webhook?.isValid(known?.more) === true
    return {
      atMs: Date.now(),
      path,
      headers,
      rawHeaders,
      body,
      appId: known?.appId ?? '',
      key,
      valid,
      // The library's types know only the fields of client events.
      events: valid ? (webhook.getEvents() as readonly object[] as readonly ReceivedEvent[]) : [],
      timeMs: valid ? webhook.getTime().getTime() : NaN,
      deliveryId: textOf(headers['x-belfry-delivery']),
      status: undefined,
      endedAtMs: undefined,
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        resolve()
      }, delayMs)
      this.#timers.add(timer)
    })
  }
}

/** Answers 500 to so many of a hundred requests, does not answer so many, and accepts the rest. */
export function shares(
  random: Random,
  { failing = 0, hanging = 0 }: { failing?: number; hanging?: number },
): AnswerRule {
  return () => {
    const drawn = random.below(100)
    if (drawn < failing) return 500
    return drawn < failing + hanging ? 'hang' : 200
  }
}

/** Of events that came more than once, the first of each id: what a receiver that drops repeats is left with. */
export function withoutRepeats(events: readonly ReceivedEvent[]): ReceivedEvent[] {
  return [...new Map(events.toReversed().map((event) => [event.id, event])).values()].toReversed()
}

function isAccepted({ status = 0 }: Attempt): boolean {
  return status >= 200 && status < 300
}

function fits(wanted: string | undefined, value: string): boolean {
  return wanted === undefined || wanted === value
}

function atLeast<Value>(count: number, values: Value[]): Value[] | undefined {
  return values.length >= count ? values : undefined
}

function textOf(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header : ''
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}
