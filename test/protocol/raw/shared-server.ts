import { afterAll, beforeAll } from 'vitest'
import { startServer, type RunningServer } from '../../../src/server.js'
import { StaticAppRegistry } from '../../../src/apps/static.js'
import { ManualClock } from '../../fakes/manual-clock.js'
import { RecordingLogger } from '../../fakes/recording-logger.js'
import { RawClient } from '../../harness/raw-client.js'
import { appId, configOf, credentials, TestServer, type Settings } from '../../harness/test-server.js'

/** One server for all tests of the suite around it; call the result inside a test. */
export function sharedServer(app: Settings = {}, settings: Settings = {}): () => TestServer {
  let server: TestServer | undefined
  beforeAll(async () => {
    server = await TestServer.start(app, settings)
  })
  afterAll(() => server?.stop())
  return () => {
    if (server === undefined) throw new Error('the server runs only inside a test')
    return server
  }
}

/** A real server whose time a test moves: what takes seconds on a clock takes none here. Sweeps happen once per `seconds`. */
export class ClockedServer {
  readonly clock: ManualClock
  readonly #running: RunningServer

  private constructor(clock: ManualClock, running: RunningServer) {
    this.clock = clock
    this.#running = running
  }

  /** @param wallStartMs what the server takes for the present time, Unix milliseconds */
  static async start(app: Settings, wallStartMs = Date.now()): Promise<ClockedServer> {
    const config = configOf({ apps: [{ id: appId, ...credentials, ...app }] })
    const clock = new ManualClock(wallStartMs)
    const registry = new StaticAppRegistry(config.apps)
    const logger = new RecordingLogger()
    const running = await startServer({ config, registry, logger, version: '0.0.0-test', node: 'test', clock })
    return new ClockedServer(clock, running)
  }

  get url(): string {
    return `http://127.0.0.1:${this.#running.port}`
  }

  get metricsUrl(): string {
    return `http://127.0.0.1:${this.#running.metricsPort ?? 0}`
  }

  /** @param autoPong whether the client answers ping frames by itself */
  connect(protocol = 7, autoPong = true): Promise<RawClient> {
    const url = `ws://127.0.0.1:${this.#running.port}/app/${credentials.key}?protocol=${protocol}`
    return RawClient.connect(url, { autoPong })
  }

  /** Lets whole seconds pass, one sweep after the other. */
  seconds(count: number): void {
    this.clock.advance(count * 1000)
  }

  drainAndStop(): Promise<void> {
    return this.#running.drainAndStop()
  }

  async stop(): Promise<void> {
    await this.#running.stop()
  }
}
