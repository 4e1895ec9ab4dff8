import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { StaticAppRegistry } from '../../../src/apps/static.js'
import type { Clock } from '../../../src/base/clock.js'
import { startServer, type RunningNode } from '../../../src/server.js'
import { RecordingLogger } from '../../fakes/recording-logger.js'
import { eventually } from '../../harness/eventually.js'
import { RawClient, type Credentials } from '../../harness/raw-client.js'
import { rest, type RestTarget } from '../../harness/rest.js'
import { appId, configOf, credentials, type Settings } from '../../harness/test-server.js'
import { WebhookReceiver, type ReceiverApp } from '../../harness/webhook-receiver.js'
import { metricOf } from '../raw/expecting.js'

/** The app of suites that need only one; `credentials` are its key. */
export const oneApp: ReceiverApp = { id: appId, keys: [credentials] }

/** A server in this process whose log and list of apps a test can reach. */
export class HookedServer {
  readonly logger: RecordingLogger
  readonly #running: RunningNode
  readonly #registry: StaticAppRegistry

  private constructor(running: RunningNode, registry: StaticAppRegistry, logger: RecordingLogger) {
    this.#running = running
    this.#registry = registry
    this.logger = logger
  }

  /** @param apps as in a configuration file @param settings everything else of the file */
  static async start(apps: readonly Settings[], settings: Settings = {}, clock?: Clock): Promise<HookedServer> {
    const config = configOf({ apps, drain: { preStopDelayMs: 0, periodMs: 50 }, ...settings })
    const registry = new StaticAppRegistry(config.apps)
    const logger = new RecordingLogger()
    const node = randomBytes(6).toString('hex')
    const running = await startServer({
      config,
      registry,
      logger,
      version: '0.0.0-test',
      node,
      ...(clock && { clock }),
    })
    return new HookedServer(running, registry, logger)
  }

  get port(): number {
    return this.#running.port
  }

  connect(key = credentials.key): Promise<RawClient> {
    return RawClient.connect(`ws://127.0.0.1:${this.port}/app/${key}?protocol=7&client=js&version=8.6.0`)
  }

  /** Publishes, and fails unless the answer is 200. */
  async trigger(channel: string, name: string, data: string): Promise<void> {
    const answer = await rest(this.#target, 'POST', 'events', { body: { name, channel, data } })
    if (answer.status !== 200) throw new Error(`trigger answered ${answer.status}: ${answer.text}`)
  }

  /** Waits until REST says so. */
  async occupied(channel: string, occupied: boolean): Promise<void> {
    await eventually(`${channel} is ${occupied ? '' : 'not '}occupied`, async () => {
      const { occupied: now } = (await rest(this.#target, 'GET', `channels/${channel}`)).json() as { occupied: boolean }
      return now === occupied
    })
  }

  async ready(): Promise<boolean> {
    return (await fetch(`http://127.0.0.1:${this.port}/ready`)).status === 200
  }

  /** Waits until REST tells this count, which between nodes may lag 200 ms (D8). */
  async subscriptions(channel: string, count: number): Promise<void> {
    await eventually(`${count} subscriptions to ${channel}`, async () => {
      const answer = await rest(this.#target, 'GET', `channels/${channel}`, { query: { info: 'subscription_count' } })
      return (answer.json() as { subscription_count: number }).subscription_count === count
    })
  }

  /** Waits until REST names so many users. */
  async users(channel: string, count: number): Promise<void> {
    await eventually(`${count} users in ${channel}`, async () => {
      const { users } = (await rest(this.#target, 'GET', `channels/${channel}/users`)).json() as { users: unknown[] }
      return users.length === count
    })
  }

  /** As a configuration file that is read again. */
  replaceApps(apps: readonly Settings[]): void {
    this.#registry.replace(configOf({ apps }).apps)
  }

  /** Webhook events of the app with this outcome, so far. */
  outcome(outcome: string, id: string = appId): Promise<number> {
    return this.#metric('belfry_webhooks_total', `app_id="${id}",outcome="${outcome}"`)
  }

  /** Waits until nothing waits to be sent. */
  async nothingQueued(): Promise<void> {
    await eventually('an empty queue', async () => (await this.queued()) === 0)
  }

  async queued(): Promise<number> {
    const text = await (await fetch(`${this.#metricsUrl}/metrics`)).text()
    const figure = /^belfry_webhook_queue(?:\{[^}]*\})? (\d+)$/m.exec(text)?.[1]
    if (figure === undefined) throw new Error('there is no belfry_webhook_queue')
    return Number(figure)
  }

  drainAndStop(): Promise<void> {
    return this.#running.drainAndStop()
  }

  stop(): Promise<void> {
    return this.#running.stop()
  }

  #metric(name: string, labels: string): Promise<number> {
    return metricOf(this.#metricsUrl, name, labels)
  }

  get #metricsUrl(): string {
    return `http://127.0.0.1:${this.#running.metricsPort ?? 0}`
  }

  get #target(): RestTarget {
    return { ...credentials, url: `http://127.0.0.1:${this.port}`, appId }
  }
}

/** One of an app's webhooks: to the receiver, each event alone and leaves told at once, unless the settings say otherwise. */
export function hook(receiver: WebhookReceiver, path: string, settings: Settings = {}): Settings {
  return {
    url: receiver.url(path),
    allowPrivateNetwork: true,
    leaveDelayMs: 0,
    batch: { enabled: false },
    ...settings,
  }
}

export interface Hooked {
  readonly server: HookedServer
  readonly receiver: WebhookReceiver
}

/** A server and a receiver for all tests of the suite around it; call the result inside a test. */
export function sharedHooks(
  webhooks: (receiver: WebhookReceiver) => readonly Settings[],
  app: Settings = {},
): () => Hooked {
  let hooked: Hooked | undefined
  beforeAll(async () => {
    const receiver = await WebhookReceiver.start([oneApp])
    const server = await HookedServer.start([{ id: appId, ...credentials, ...app, webhooks: webhooks(receiver) }])
    hooked = { server, receiver }
  })
  afterEach(() => {
    hooked?.receiver.answer(200)
    // Whatever a test is about, nothing may come that the library does not accept.
    expect(hooked?.receiver.figures.invalid).toBe(0)
  })
  afterAll(async () => {
    await hooked?.server.stop()
    await hooked?.receiver.close()
  })
  return () => {
    if (hooked === undefined) throw new Error('the server runs only inside a test')
    return hooked
  }
}

export interface OwnOptions {
  readonly app?: Settings
  readonly settings?: Settings
  readonly clock?: Clock
  /** The receiver's, to come back on it. */
  readonly port?: number
}

/** A server and a receiver of one test, ended with it. */
export class OwnHooks {
  readonly #ends: (() => Promise<void>)[] = []

  constructor() {
    afterEach(async () => {
      for (const end of this.#ends.splice(0).reverse()) await end()
    })
  }

  async start(
    webhooks: (receiver: WebhookReceiver) => readonly Settings[],
    { app = {}, settings, clock, port }: OwnOptions = {},
  ): Promise<Hooked> {
    const receiver = this.keep(await WebhookReceiver.start([oneApp], port === undefined ? {} : { port }))
    const apps = [{ id: appId, ...credentials, ...app, webhooks: webhooks(receiver) }]
    const server = this.adopt(await HookedServer.start(apps, settings, clock))
    return { server, receiver }
  }

  adopt(server: HookedServer): HookedServer {
    this.#ends.push(() => server.stop())
    return server
  }

  keep(receiver: WebhookReceiver): WebhookReceiver {
    this.#ends.push(() => receiver.close())
    return receiver
  }
}

/** As a presence subscriber says who it is. */
export function join(client: RawClient, channel: string, userId: string, by: Credentials = credentials) {
  return client.subscribePresence(channel, by, userId)
}

export function leave(client: RawClient, channel: string): void {
  client.send({ event: 'pusher:unsubscribe', data: { channel } })
}

export function whisper(client: RawClient, channel: string, event: string, data: unknown): void {
  client.send({ event, channel, data })
}

/** The events' names, as they came. */
export function namesOf(events: readonly { readonly name: string }[]): string[] {
  return events.map(({ name }) => name)
}

/** `PARTITION-MS-NUMBER` of a transition. */
export interface Place {
  readonly partition: number
  readonly ms: number
  readonly number: number
}

export function placeOf(id: string): Place {
  const [partition = NaN, ms = NaN, number = NaN] = id.split('-').map(Number)
  return { partition, ms, number }
}
