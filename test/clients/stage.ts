/**
 * What a program can ask the harness for, over HTTP: an application around the server (auth endpoints, somebody who publishes, somebody
 * who receives webhooks), observers on raw connections, and a restart of the server. Bodies and answers are JSON; what goes wrong is
 * 500 with `{"error": …}`. Pages of any origin may ask.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import Pusher from 'pusher'
import { listenOnFreePort, readText } from '../harness/auth-endpoint.js'
import type { WebhookReceiver } from '../harness/webhook-receiver.js'
import { Observers, soon } from './observers.js'
import { activityTimeoutSeconds, app, type Site } from './site.js'

/** Of the specification's vector (3.2). */
export const encryptionMasterKeyBase64 = 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc='

const defaultWaitMs = 3000
const waitMsMax = 30_000
/** What every page may do: it is a program under test like the others. */
const openToAll = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': '*, authorization',
  'access-control-allow-methods': 'POST, GET, OPTIONS',
  'access-control-max-age': '600',
}

type Body = Readonly<Record<string, unknown>>

export class Stage {
  url = ''
  readonly #site: Site
  readonly #receiver: WebhookReceiver
  readonly #observers: Observers
  readonly #server: Server
  /** Of each event name, how many webhook requests have been looked at. */
  readonly #webhooksRead = new Map<string, number>()

  private constructor(site: Site, receiver: WebhookReceiver) {
    this.#site = site
    this.#receiver = receiver
    this.#observers = new Observers(() => site.nextPort())
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => sendJson(response, 500, { error: String(error) }))
    })
  }

  static async start(site: Site, receiver: WebhookReceiver): Promise<Stage> {
    const stage = new Stage(site, receiver)
    stage.url = await listenOnFreePort(stage.#server)
    return stage
  }

  async close(): Promise<void> {
    this.#observers.closeAll()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  readonly #actions: Readonly<Record<string, (body: Body) => Promise<object>>> = {
    '/trigger': (body) => this.#trigger(body),
    '/observe': (body) => this.#observers.observe(listOf(body, 'channels'), optional(body, 'user')),
    '/seen': async (body) => ({
      events: await this.#observers.seen(
        text(body, 'observer'),
        text(body, 'channel'),
        text(body, 'event'),
        waitMs(body),
      ),
    }),
    '/alive': (body) => this.#observers.alive(text(body, 'observer'), waitMs(body)),
    '/leave': async (body) => {
      this.#observers.leave(text(body, 'observer'))
      return {}
    },
    '/subscribe': (body) => this.#subscribe(body),
    '/signin': (body) =>
      this.#observers.signIn(text(body, 'observer'), { auth: text(body, 'auth'), user_data: text(body, 'user_data') }),
    '/whisper': async (body) => {
      this.#observers.whisper(text(body, 'observer'), text(body, 'channel'), text(body, 'event'), body['data'])
      return {}
    },
    '/webhook': (body) => this.#webhook(text(body, 'name'), waitMs(body)),
    '/restart': async () => {
      await this.#site.restart()
      return {}
    },
    '/heartbeat': async () => ({ activityTimeoutSeconds }),
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'OPTIONS') {
      response.writeHead(204, openToAll).end()
      return
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stage')
    const body = bodyOf(await readText(request), request.headers['content-type'] ?? '')
    if (pathname === '/auth' || pathname === '/user-auth') {
      const header = request.headers['x-user']
      const user = searchParams.get('user') ?? (typeof header === 'string' ? header : 'somebody')
      sendJson(response, 200, pathname === '/auth' ? this.#authorize(body, user) : this.#authenticate(body, user))
      return
    }
    const action = this.#actions[pathname]
    if (action === undefined) sendJson(response, 404, { error: `the stage has no ${pathname}` })
    else sendJson(response, 200, await action(body))
  }

  #authorize(body: Body, user: string): object {
    const channel = text(body, 'channel_name')
    const member = { user_id: user, user_info: { name: user } }
    const isPresence = channel.startsWith('presence-')
    return this.#library().authorizeChannel(text(body, 'socket_id'), channel, isPresence ? member : undefined)
  }

  #authenticate(body: Body, user: string): object {
    return this.#library().authenticateUser(text(body, 'socket_id'), { id: user, user_info: { name: user } })
  }

  async #trigger(body: Body): Promise<object> {
    const channel = text(body, 'channel')
    const data = body['data'] ?? null
    // The library makes JSON of it before it encrypts, and otherwise only of what is no string.
    const sent: unknown = channel.startsWith('private-encrypted-') ? data : JSON.stringify(data)
    await this.#library().trigger(channel, text(body, 'event'), sent)
    return {}
  }

  async #subscribe(body: Body): Promise<object> {
    const channel = text(body, 'channel')
    const [channelData, secret] = [optional(body, 'channel_data'), optional(body, 'shared_secret')]
    if (secret !== undefined && secret !== sharedSecret(channel)) {
      return { ok: false, frame: `the shared secret is ${secret}, wanted ${sharedSecret(channel)}` }
    }
    const data = { auth: text(body, 'auth'), ...(channelData === undefined ? {} : { channel_data: channelData }) }
    return this.#observers.subscribe(text(body, 'observer'), channel, data)
  }

  async #webhook(name: string, ms: number): Promise<object> {
    const { attempts } = this.#receiver
    const next = () => {
      const from = this.#webhooksRead.get(name) ?? 0
      return attempts.findIndex(({ events }, index) => index >= from && events.some((event) => event.name === name))
    }
    await soon(() => next() >= 0, ms)
    const attempt = attempts[next()]
    if (attempt === undefined) throw new Error(`no webhook with ${name} within ${ms} ms`)
    this.#webhooksRead.set(name, next() + 1)
    const { rawHeaders, headers, body } = attempt
    // Names as they came and in lower case: programs look for either.
    const asTheyCame = rawHeaders.flatMap((each, index) => (index % 2 === 0 ? [[each, rawHeaders[index + 1]]] : []))
    return { headers: { ...headers, ...Object.fromEntries(asTheyCame) }, body }
  }

  #library(): Pusher {
    return new Pusher({
      appId: app.id,
      key: app.key,
      secret: app.secret,
      host: '127.0.0.1',
      port: String(this.#site.nextPort()),
      useTLS: false,
      encryptionMasterKeyBase64,
    })
  }
}

function sharedSecret(channel: string): string {
  const masterKey = Buffer.from(encryptionMasterKeyBase64, 'base64')
  return createHash('sha256').update(channel).update(masterKey).digest('base64')
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { ...openToAll, 'content-type': 'application/json' }).end(JSON.stringify(value))
}

/** Of JSON, or else of a form, as libraries send to auth endpoints. */
function bodyOf(sent: string, contentType: string): Body {
  if (sent === '') return {}
  if (contentType.startsWith('application/x-www-form-urlencoded')) return Object.fromEntries(new URLSearchParams(sent))
  return JSON.parse(sent) as Body
}

function text(body: Body, name: string): string {
  const value = optional(body, name)
  if (value === undefined) throw new Error(`${name} is missing`)
  return value
}

function optional(body: Body, name: string): string | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw new Error(`${name} is not a text`)
  return value
}

function listOf(body: Body, name: string): string[] {
  const value = body[name] ?? []
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`)
  return value.map(String)
}

function waitMs(body: Body): number {
  const value = body['waitMs'] ?? defaultWaitMs
  if (typeof value !== 'number') throw new Error('waitMs is not a number')
  return Math.min(value, waitMsMax)
}
