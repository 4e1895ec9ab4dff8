import { describe } from 'vitest'
import { loadConfig } from '../../src/config/load.js'
import type { Config } from '../../src/config/schema.js'
import { startServer } from '../../src/server.js'
import { StaticAppRegistry } from '../../src/apps/static.js'
import { RecordingLogger } from '../fakes/recording-logger.js'
import { eventually } from './eventually.js'
import { RawClient, type Credentials } from './raw-client.js'
import { rest, type RestAnswer, type RestTarget } from './rest.js'
import { startWorkersServer, testWorkers } from './workers-server.js'

/** The key and secret of the specification's vectors. */
export const credentials: Credentials = { key: '278d425bdf160c739803', secret: '7ad3773142a6692b25b8' }
export const appId = '3'

export type Settings = Readonly<Record<string, unknown>>

/** What of a started server does not go through its ports. */
export interface Running {
  readonly port: number
  readonly metricsPort: number | undefined
  /** Makes these the apps, as in a configuration file; resolves when that is in effect. */
  replaceApps(apps: readonly Settings[]): Promise<void>
  drainAndStop(): Promise<void>
  stop(): Promise<void>
}

/**
 * A real server on ports of its own, with one app (`appId`, `credentials`) unless the settings name others: in this process, or
 * several processes of their own (workers-server.ts).
 */
export class TestServer {
  readonly config: Config
  readonly running: Running

  private constructor(config: Config, running: Running) {
    this.config = config
    this.running = running
  }

  /**
   * @param app settings of the one app, as in a configuration file
   * @param settings everything else of the file; `apps` there replaces the one app
   */
  static async start(app: Settings = {}, settings: Settings = {}): Promise<TestServer> {
    const tree = { apps: [{ id: appId, ...credentials, ...app }], ...settings }
    const config = configOf(tree)
    return new TestServer(config, await (testWorkers > 1 ? startWorkersServer(tree) : startHere(config)))
  }

  get scheme(): '' | 's' {
    return this.config.tls === undefined ? '' : 's'
  }

  get url(): string {
    return `http${this.scheme}://127.0.0.1:${this.running.port}${this.config.pathPrefix}`
  }

  get metricsUrl(): string {
    return `http://127.0.0.1:${this.running.metricsPort ?? 0}`
  }

  socketUrl(key: string = credentials.key, query = 'protocol=7&client=js&version=8.6.0&flash=false'): string {
    return `ws${this.scheme}://127.0.0.1:${this.running.port}${this.config.pathPrefix}/app/${key}?${query}`
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.socketUrl())
  }

  get target(): RestTarget {
    return { ...credentials, url: this.url, appId }
  }

  get(path: string, query?: Readonly<Record<string, string>>): Promise<RestAnswer> {
    return rest(this.target, 'GET', path, query === undefined ? {} : { query })
  }

  post(path: string, body: unknown): Promise<RestAnswer> {
    return rest(this.target, 'POST', path, { body })
  }

  /** Publishes through the REST API and fails unless the answer is 200. */
  async trigger(channel: string, name: string, data: string, socketId?: string): Promise<void> {
    const answer = await this.post('events', {
      name,
      channel,
      data,
      ...(socketId === undefined ? {} : { socket_id: socketId }),
    })
    if (answer.status !== 200) throw new Error(`trigger answered ${answer.status}: ${answer.text}`)
  }

  /** Waits until the REST API tells this count: between nodes it may lag 200 ms (D8). */
  async counted(channel: string, subscriptions: number): Promise<void> {
    await eventually(`${subscriptions} subscriptions to ${channel}`, async () => {
      const told = (await this.get(`channels/${channel}`, { info: 'subscription_count' })).json()
      return (told as { subscription_count?: number }).subscription_count === subscriptions
    })
  }

  stop(): Promise<void> {
    return this.running.stop()
  }
}

async function startHere(config: Config): Promise<Running> {
  const registry = new StaticAppRegistry(config.apps)
  const logger = new RecordingLogger()
  const server = await startServer({ config, registry, logger, version: '0.0.0-test', node: 'test' })
  return {
    port: server.port,
    metricsPort: server.metricsPort,
    replaceApps: (apps) => Promise.resolve(void registry.replace(configOf({ apps }).apps)),
    drainAndStop: () => server.drainAndStop(),
    stop: () => server.stop(),
  }
}

/** `describe` for a suite about one process, or that reaches into it: with several workers it is skipped, and the reason printed. */
export function describeInProcess(title: string, why: string, body: () => void): void {
  if (testWorkers > 1) describe.skip(title, { meta: { skipReason: `one process: ${why}` } }, body)
  else describe(title, body)
}

/** A configuration as the server would load it from a file; ports are free ones unless named. */
export function configOf(tree: Settings): Config {
  const text = JSON.stringify({ host: '127.0.0.1', port: 0, metrics: { port: 0 }, ...tree })
  const outcome = loadConfig({ flags: {}, environment: {}, file: 'test.json', readText: () => text, terminal: false })
  if (!outcome.ok) throw new Error(outcome.errors.join('\n'))
  return outcome.config
}
