import PusherLibrary from 'pusher'
import Pusher, { type Channel, type Members, type Options } from 'pusher-js'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { AuthEndpoint, type Account, type ChannelRule } from '../../harness/auth-endpoint.js'
import { eventually } from '../../harness/eventually.js'
import { appId, credentials, TestServer, type Settings } from '../../harness/test-server.js'
import { Heard } from './heard.js'

/** Of the specification's vector (3.2). */
export const encryptionMasterKeyBase64 = 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc='

export const ann: Account = { id: 'ann', info: { name: 'Ann' }, watchlist: ['bea', 'cleo'] }
export const bea: Account = { id: 'bea', info: { name: 'Bea' } }
export const accounts: ReadonlyMap<string, Account> = new Map([ann, bea].map((account) => [account.id, account]))

export interface ChannelEvent {
  readonly event: string
  readonly data: unknown
}

/** An application with its backend (the `pusher` library), its auth endpoint and its pages (pusher-js), around one server. */
export class Application {
  readonly server: TestServer
  readonly library: PusherLibrary
  readonly auth: AuthEndpoint
  readonly #pages: Pusher[] = []

  private constructor(server: TestServer, library: PusherLibrary, auth: AuthEndpoint) {
    this.server = server
    this.library = library
    this.auth = auth
  }

  /** @param rule which channels whom is allowed */
  static async start(app: Settings = {}, rule: ChannelRule = defaultRule): Promise<Application> {
    const server = await TestServer.start(app)
    const library = libraryFor(server)
    return new Application(server, library, await AuthEndpoint.start({ library, accounts, rule }))
  }

  /** Options of pusher-js, with the auth endpoints for the account. */
  options(account: Account | undefined): Options {
    const headers = account === undefined ? {} : { authorization: `Bearer ${account.id}` }
    return {
      ...addressOptions(this.server.running.port),
      channelAuthorization: { transport: 'ajax', endpoint: `${this.auth.url}/pusher/auth`, headers },
      userAuthentication: { transport: 'ajax', endpoint: `${this.auth.url}/pusher/user-auth`, headers },
    }
  }

  /** A page of the account, still connecting; closed at the end of the test. */
  open(account?: Account, options: Partial<Options> = {}): Pusher {
    return this.adopt(new Pusher(credentials.key, { ...this.options(account), ...options }))
  }

  /** A page that is connected. */
  async page(account?: Account, options: Partial<Options> = {}): Promise<Pusher> {
    const page = this.open(account, options)
    await connected(page)
    return page
  }

  /** Closes this client at the end of the test too. */
  adopt(page: Pusher): Pusher {
    this.#pages.push(page)
    return page
  }

  closePages(): void {
    for (const page of this.#pages.splice(0)) page.disconnect()
  }

  async stop(): Promise<void> {
    this.closePages()
    await this.auth.stop()
    await this.server.stop()
  }
}

/** One application for all tests of the suite around it; its pages are closed after each. Call the result inside a test. */
export function sharedApplication(app: Settings = {}, rule: ChannelRule = defaultRule): () => Application {
  let application: Application | undefined
  beforeAll(async () => {
    application = await Application.start(app, rule)
  })
  afterEach(() => application?.closePages())
  afterAll(() => application?.stop())
  return () => {
    if (application === undefined) throw new Error('the application runs only inside a test')
    return application
  }
}

/** Nobody may enter what is called forbidden; channels called signed-data carry channel_data although they are private. */
function defaultRule(channel: string, { id, info }: Account): ReturnType<ChannelRule> {
  if (channel.includes('forbidden')) return undefined
  const hasData = channel.startsWith('presence-') || channel.includes('signed-data')
  return hasData ? { channelData: { user_id: id, user_info: info } } : {}
}

/** @param server what listens on the port that the library is to talk to */
export function libraryFor(server: { readonly running: { readonly port: number } }): PusherLibrary {
  return new PusherLibrary({
    appId,
    ...credentials,
    host: '127.0.0.1',
    port: String(server.running.port),
    useTLS: false,
    encryptionMasterKeyBase64,
  })
}

/** As `belfry start` prints them. */
export function addressOptions(port: number) {
  return {
    cluster: '',
    wsHost: '127.0.0.1',
    wsPort: port,
    wssPort: port,
    forceTLS: false,
    enabledTransports: ['ws', 'wss'],
  } satisfies Options
}

export async function connected(page: Pusher): Promise<void> {
  if (page.connection.state === 'connected') return
  await new Promise<void>((resolve, reject) => {
    page.connection.bind('connected', resolve)
    page.connection.bind('error', (error: unknown) => reject(new Error(JSON.stringify(error))))
  })
}

/** Subscribes and records everything the channel's handlers get, `pusher:` events included. */
export function hear(page: Pusher, name: string): { channel: Channel; heard: Heard<ChannelEvent> } {
  const channel = page.subscribe(name)
  const heard = new Heard<ChannelEvent>()
  channel.bind_global((event: string, data: unknown) => heard.add({ event, data }))
  return { channel, heard }
}

/** Subscribes and returns when that has succeeded. */
export async function join(page: Pusher, name: string): Promise<{ channel: Channel; heard: Heard<ChannelEvent> }> {
  const { channel, heard } = hear(page, name)
  const { event, data } = await heard.next()
  if (event !== 'pusher:subscription_succeeded') throw new Error(`${name}: ${event} ${JSON.stringify(data)}`)
  return { channel, heard }
}

/** Signs in, and returns when what is sent to the user arrives here. */
export async function signIn(page: Pusher): Promise<void> {
  page.signin()
  await eventually('the subscription to the user', () => page.user.serverToUserChannel?.subscribed)
}

/** Joins a presence channel. @returns its members too, kept up to date by pusher-js */
export async function joinPresence(
  page: Pusher,
  name: string,
): Promise<{ members: Members; heard: Heard<ChannelEvent> }> {
  const { heard } = await join(page, name)
  return { members: heard.all[0]?.data as Members, heard }
}

/** The `pusher:error`s of a connection. */
export function hearErrors(page: Pusher): Heard<unknown> {
  const errors = new Heard<unknown>()
  page.connection.bind('error', errors.add)
  return errors
}
