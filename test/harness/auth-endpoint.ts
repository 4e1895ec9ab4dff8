import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type Pusher from 'pusher'

/** A user of the application. */
export interface Account {
  readonly id: string
  readonly info: Readonly<Record<string, unknown>>
  readonly watchlist?: readonly string[]
}

/** What the application says of a request for a channel; undefined: refused. */
export type ChannelRule = (
  channel: string,
  account: Account,
) => { channelData?: Pusher.PresenceChannelData } | undefined

interface AuthEndpointInput {
  /** Signs. */
  readonly library: Pusher
  /** Who somebody is, by the value of their bearer token. */
  readonly accounts: ReadonlyMap<string, Account>
  readonly rule?: ChannelRule
}

const channelPaths = ['/broadcasting/auth', '/pusher/auth']
const userPaths = ['/broadcasting/user-auth', '/pusher/user-auth']
const bodyBytesMax = 10_000

/**
 * The application's side of private channels and sign-in, as Laravel's routes and pusher-js's defaults have it: a form or JSON body
 * with `socket_id` and `channel_name`, 403 without an account or for a channel that the rule refuses, else what the library signed.
 */
export class AuthEndpoint {
  readonly #input: AuthEndpointInput
  /** Requests answered so far. */
  readonly asked: { readonly path: string; readonly channel: string | undefined; readonly status: number }[] = []
  #server: Server | undefined
  url = ''

  private constructor(input: AuthEndpointInput) {
    this.#input = input
  }

  /** On a port of its own. */
  static async start(input: AuthEndpointInput): Promise<AuthEndpoint> {
    const endpoint = new AuthEndpoint(input)
    const server = createServer((request, response) => {
      void endpoint.#handle(request, response)
    })
    endpoint.#server = server
    endpoint.url = await listenOnFreePort(server)
    return endpoint
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://application')
    const forChannel = channelPaths.includes(pathname)
    if (request.method !== 'POST' || !(forChannel || userPaths.includes(pathname))) {
      response.writeHead(404).end()
      return
    }
    const fields = await readFields(request)
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const account = this.#input.accounts.get(bearer ?? '')
    const answer = account === undefined ? undefined : this.#sign(fields, account, forChannel)
    const status = answer === undefined ? 403 : 200
    this.asked.push({ path: pathname, channel: fields.channel_name, status })
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? { message: 'This action is unauthorized.' }))
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  #sign(fields: Fields, account: Account, forChannel: boolean): object | undefined {
    const { socket_id: socketId = '', channel_name: channel = '' } = fields
    if (!forChannel) {
      const { id, info, watchlist = [] } = account
      return this.#input.library.authenticateUser(socketId, { id, user_info: info, watchlist })
    }
    const allowed = (this.#input.rule ?? presenceOnly)(channel, account)
    return allowed && this.#input.library.authorizeChannel(socketId, channel, allowed.channelData)
  }
}

/** Everybody may join everything; only presence channels get channel_data. */
function presenceOnly(channel: string, { id, info }: Account): { channelData?: Pusher.PresenceChannelData } {
  return channel.startsWith('presence-') ? { channelData: { user_id: id, user_info: info } } : {}
}

interface Fields {
  readonly socket_id?: string
  readonly channel_name?: string
}

async function readFields(request: IncomingMessage): Promise<Fields> {
  const text = await readText(request)
  const isJson = request.headers['content-type']?.startsWith('application/json') ?? false
  return isJson ? (JSON.parse(text) as Fields) : Object.fromEntries(new URLSearchParams(text))
}

/** The body of a request as text. @throws Error when it is longer than any test sends */
export async function readText(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > bodyBytesMax) throw new Error('the body of the request is too long')
  }
  return text
}

/** @returns the address to reach it at */
export async function listenOnFreePort(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return `http://127.0.0.1:${address.port}`
}
