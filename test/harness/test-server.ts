import { loadConfig } from '../../src/config/load.js'
import type { Config } from '../../src/config/schema.js'
import { startServer, type RunningServer } from '../../src/server.js'
import { StaticAppRegistry } from '../../src/apps/static.js'
import { RecordingLogger } from '../fakes/recording-logger.js'
import { RawClient, type Credentials } from './raw-client.js'
import { rest, type RestAnswer, type RestTarget } from './rest.js'

/** The key and secret of the specification's vectors. */
export const credentials: Credentials = { key: '278d425bdf160c739803', secret: '7ad3773142a6692b25b8' }
export const appId = '3'

export type Settings = Readonly<Record<string, unknown>>

/** A real server in this process on ports of its own, with one app (`appId`, `credentials`) unless the settings name others. */
export class TestServer {
  readonly config: Config
  readonly registry: StaticAppRegistry
  readonly logger: RecordingLogger
  readonly running: RunningServer

  private constructor(config: Config, registry: StaticAppRegistry, logger: RecordingLogger, running: RunningServer) {
    this.config = config
    this.registry = registry
    this.logger = logger
    this.running = running
  }

  /**
   * @param app settings of the one app, as in a configuration file
   * @param settings everything else of the file; `apps` there replaces the one app
   */
  static async start(app: Settings = {}, settings: Settings = {}): Promise<TestServer> {
    const config = configOf({ apps: [{ id: appId, ...credentials, ...app }], ...settings })
    const registry = new StaticAppRegistry(config.apps)
    const logger = new RecordingLogger()
    const running = await startServer({ config, registry, logger, version: '0.0.0-test', node: 'test' })
    return new TestServer(config, registry, logger, running)
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

  stop(): Promise<void> {
    return this.running.stop()
  }
}

/** A configuration as the server would load it from a file; ports are free ones unless named. */
export function configOf(tree: Settings): Config {
  const text = JSON.stringify({ host: '127.0.0.1', port: 0, metrics: { port: 0 }, ...tree })
  const outcome = loadConfig({ flags: {}, environment: {}, file: 'test.json', readText: () => text, terminal: false })
  if (!outcome.ok) throw new Error(outcome.errors.join('\n'))
  return outcome.config
}
