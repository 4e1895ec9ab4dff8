import type { CoreApi, Trigger } from '../../../src/core/ports/api.js'
import type { App, AppLimits } from '../../../src/core/ports/app.js'
import { BrokerError } from '../../../src/core/ports/broker.js'
import type { HttpReply } from '../../../src/core/ports/http.js'
import type { RestCounting } from '../../../src/http/handlers/handler.js'
import { isReply } from '../../../src/http/reply.js'
import { Route, Router } from '../../../src/http/router.js'
import { bodyMd5, HmacKey } from '../../../src/protocol/signature.js'
import { appKey, appSecret, appSettings } from '../../fakes/app-settings.js'

/** The moment of the vectors of 4.1, Unix seconds. */
export const vectorTimestamp = 1353088179

/** The app of the fakes, its key prepared for signing. */
export function makeApp(some: Partial<App> = {}, limits: Partial<AppLimits> = {}): App {
  const { keys, ...settings } = appSettings({}, limits)
  return { ...settings, signers: new Map(keys.map(({ key, secret }) => [key, new HmacKey(secret)])), ...some }
}

/** What the core would answer, as plain data, and what it was asked to do. */
export class FakeCore implements CoreApi {
  readonly published: Trigger[][] = []
  readonly terminated: string[] = []
  readonly subscriptions = new Map<string, number>()
  readonly users = new Map<string, readonly string[]>()
  readonly cachedEvents = new Map<string, { data: string; ttl: number }>()
  readonly taken: { kind: 'triggers' | 'reads'; count: number }[] = []
  budgetLeft = true
  /** Failure switches: what to throw. */
  publishError: Error | undefined
  readError: Error | undefined

  async publish(_app: App, triggers: readonly Trigger[]): Promise<void> {
    if (this.publishError !== undefined) throw this.publishError
    this.published.push([...triggers])
  }

  async channels(_appId: string, prefix: string): Promise<ReadonlyMap<string, number>> {
    this.#checkRead()
    return new Map([...this.subscriptions].filter(([name, count]) => name.startsWith(prefix) && count > 0))
  }

  async subscriptionCount(_appId: string, channel: string): Promise<number> {
    this.#checkRead()
    return this.subscriptions.get(channel) ?? 0
  }

  async userCounts(): Promise<ReadonlyMap<string, number>> {
    this.#checkRead()
    return new Map([...this.users].map(([name, users]) => [name, users.length]))
  }

  async userCount(_appId: string, channel: string): Promise<number> {
    this.#checkRead()
    return this.users.get(channel)?.length ?? 0
  }

  async userIds(_appId: string, channel: string): Promise<readonly string[]> {
    this.#checkRead()
    return this.users.get(channel) ?? []
  }

  async cached(_appId: string, channel: string): Promise<{ data: string; ttl: number } | null> {
    this.#checkRead()
    return this.cachedEvents.get(channel) ?? null
  }

  async connections(): Promise<number> {
    this.#checkRead()
    return 12
  }

  async terminateUser(_appId: string, userId: string): Promise<void> {
    if (this.publishError !== undefined) throw this.publishError
    this.terminated.push(userId)
  }

  takeBudget(_app: App, kind: 'triggers' | 'reads', count: number): boolean {
    if (this.budgetLeft) this.taken.push({ kind, count })
    return this.budgetLeft
  }

  #checkRead(): void {
    if (this.readError !== undefined) throw this.readError
  }
}

export class CountedFailures implements RestCounting {
  readonly auth: string[] = []
  readonly limited: string[] = []

  authFailed(appId: string): void {
    this.auth.push(appId)
  }

  rateLimited(appId: string, kind: 'triggers' | 'reads'): void {
    this.limited.push(`${appId} ${kind}`)
  }
}

/** A REST API over a fake core, at the moment of the vectors. */
export class RestFixture {
  readonly core = new FakeCore()
  readonly counting = new CountedFailures()
  readonly apps: App[]
  readonly router: Router
  nowMs = vectorTimestamp * 1000

  constructor(...apps: App[]) {
    this.apps = apps.length > 0 ? apps : [makeApp()]
    this.router = new Router({
      registry: {
        byId: (id) => this.apps.find((app) => app.id === id),
        byKey: (wanted) => this.apps.find((app) => app.signers.has(wanted)),
      },
      core: this.core,
      clock: { nowMs: () => this.nowMs },
      counting: this.counting,
      bodyBytesMax: 1_000_000,
    })
  }

  /** What the transport does with a request: route, authenticate, then hand over the body. */
  async send(method: string, path: string, query: string, body: string | Buffer = ''): Promise<HttpReply> {
    const route = this.router.route(method, path)
    if (!(route instanceof Route)) return route
    const admitted = route.authenticate(method, path, query)
    return isReply(admitted) ? admitted : route.handle(admitted, Buffer.from(body))
  }

  /** The same, signed as the libraries do it. */
  signed(method: string, path: string, params: Readonly<Record<string, string>> = {}, body: string | Buffer = '') {
    return this.send(method, path, signedQuery(method, path, params, body), body)
  }

  post(path: string, body: unknown): Promise<HttpReply> {
    return this.signed(
      'POST',
      path,
      {},
      typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    )
  }

  get(path: string, params: Readonly<Record<string, string>> = {}): Promise<HttpReply> {
    return this.signed('GET', path, params)
  }
}

/** A signed query, values as they are, sorted, the signature last. */
export function signedQuery(
  method: string,
  path: string,
  params: Readonly<Record<string, string>>,
  body: string | Buffer = '',
): string {
  const all: Record<string, string> = {
    auth_key: appKey,
    auth_timestamp: String(vectorTimestamp),
    auth_version: '1.0',
    ...params,
  }
  if (body.length > 0) all['body_md5'] = bodyMd5(Buffer.from(body))
  const query = Object.keys(all)
    .sort()
    .map((name) => `${name}=${all[name] ?? ''}`)
    .join('&')
  return `${query}&auth_signature=${sign(`${method}\n${path}\n${query}`)}`
}

export function sign(text: string): string {
  return new HmacKey(appSecret).sign(text)
}

export const busDown = new BrokerError('down')
