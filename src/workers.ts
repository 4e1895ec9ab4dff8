/** Several processes on one port, each a node of the cluster, under one parent that serves nothing but the metrics port. */
import { fileURLToPath } from 'node:url'
import { systemClock } from './base/clock.js'
import { listenProblem } from './base/listen-problem.js'
import type { Config } from './config/schema.js'
import type { AppSettings } from './core/ports/app.js'
import type { AppRegistry } from './core/ports/app-registry.js'
import type { Logger } from './core/ports/logger.js'
import { healthReply, type Readiness } from './http/health.js'
import { internalErrorReply } from './http/reply.js'
import { startMetricsServer, type MetricsServer } from './observability/metrics-server.js'
import { ProcessMemory, type MemoryFigures } from './observability/process-memory.js'
import type { WorkerMetrics } from './observability/worker-metrics.js'
import type { RunningServer } from './server.js'
import { forkOf } from './workers/fork.js'
import { freePort } from './workers/free-port.js'
import { Supervisor } from './workers/supervisor.js'
import type { Fork } from './workers/worker.js'

/** With `port: 0`. */
const portAttemptsMax = 5

export interface WorkersInput {
  readonly config: Config
  readonly registry: Pick<AppRegistry, 'onChange'> & { readonly settings: readonly AppSettings[] }
  readonly logger: Logger
  /** For build_info. */
  readonly version: string
  readonly count: number
  /** How a worker's process is started; for tests. */
  readonly fork?: Fork
}

/** What a worker gets to begin with. */
export interface WorkerStart {
  /** With the port to share and the apps of this moment. Files changed since the parent's start count only for apps. */
  readonly config: Config
  readonly version: string
  /** How many workers share the machine. */
  readonly count: number
}

/**
 * Starts the workers and, when all serve, the metrics port.
 * @throws Error with one sentence when a port or certificate cannot be used; then no process is left
 */
export async function startWorkers(input: WorkersInput): Promise<RunningServer> {
  const { host, port } = input.config
  for (let attempt = 1; ; attempt += 1) {
    const found = await freePort(host, port)
    const workers = new Workers(input, found)
    try {
      await workers.start()
      return workers
    } catch (error) {
      // Nobody holds the port between us and the workers: on a busy machine somebody else may have got it.
      const wasTaken = error instanceof Error && error.message === listenProblem(host, found)
      if (port !== 0 || !wasTaken || attempt === portAttemptsMax) throw error
    }
  }
}

class Workers implements RunningServer {
  readonly port: number
  readonly #input: WorkersInput
  readonly #supervisor: Supervisor
  readonly #memory = new ProcessMemory()
  #metrics: WorkerMetrics | undefined
  #metricsServer: MetricsServer | undefined
  #unwatch: () => void = () => undefined
  #draining = false

  constructor(input: WorkersInput, port: number) {
    const { config, registry, logger, version, count } = input
    this.#input = input
    this.port = port
    this.#supervisor = new Supervisor(count, {
      fork: input.fork ?? forkOf(fileURLToPath(new URL('./main.js', import.meta.url))),
      clock: systemClock,
      logger,
      // The list of settings came out of a configuration, so it has all that the type of the configuration adds.
      start: (): WorkerStart => ({
        config: { ...config, port, apps: registry.settings as Config['apps'] },
        version,
        count,
      }),
      onEnded: (index) => this.#metrics?.ended(index),
    })
  }

  get metricsPort(): number | undefined {
    return this.#metricsServer?.port
  }

  async start(): Promise<void> {
    const { config, registry } = this.#input
    // However this process ends, it leaves none behind; after SIGKILL they notice that the channel is closed.
    process.once('exit', this.#kill)
    try {
      // First, because a port that cannot be used is then told before any worker starts.
      if (config.metrics.enabled) await this.#startMetrics()
      await this.#supervisor.start()
    } catch (error) {
      await this.stop()
      throw error
    }
    this.#unwatch = registry.onChange(() => this.#supervisor.tell({ type: 'apps', apps: registry.settings }))
  }

  async #startMetrics(): Promise<void> {
    const { config, logger } = this.#input
    const supervisor = this.#supervisor
    const { WorkerMetrics } = await import('./observability/worker-metrics.js')
    this.#metrics = new WorkerMetrics({
      ask: (each) => supervisor.ask('metrics', each),
      counts: () => supervisor.counts(),
      restarts: () => supervisor.restarts(),
    })
    this.#metricsServer = await startMetricsServer({
      host: config.metrics.host,
      port: config.metrics.port,
      metrics: this.#metrics,
      health: async (path) => healthReply(path, await this.#readiness(path), 'metrics') ?? internalErrorReply,
      memory: () => this.#figures(),
      clock: systemClock,
      log: logger,
    })
  }

  /** Every worker reads the files; the first that refuses them speaks for all. */
  async reloadCertificates(): Promise<void> {
    const answers = await this.#supervisor.ask('certificates')
    const refused = answers.find(({ answer }) => answer !== '')
    if (refused !== undefined) throw new Error(refused.answer)
  }

  async drainAndStop(): Promise<void> {
    this.#draining = true
    await this.#supervisor.drain()
    await this.stop()
  }

  async stop(): Promise<void> {
    this.#draining = true
    this.#unwatch()
    this.#supervisor.kill()
    process.off('exit', this.#kill)
    await this.#metricsServer?.close()
  }

  readonly #kill = (): void => this.#supervisor.kill()

  /** Ready as long as one worker is: red would take the good ones out of the balancer too. What ails the others is in the metrics. */
  async #readiness(path: string): Promise<Readiness> {
    if (this.#draining) return { ready: false, reason: 'draining' }
    if (path === '/live') return { ready: true }
    const states = (await this.#supervisor.ask('state')).map(({ answer }) => answer)
    const ready = states.filter((state) => state.ready)
    if (ready.length === 0) return { ready: false, reason: states[0]?.reason ?? 'workers' }
    return { ready: true, degraded: ready.find((state) => state.degraded === undefined) ? undefined : 'bus' }
  }

  /** Resident bytes of all processes together. */
  async #figures(): Promise<MemoryFigures> {
    const states = await this.#supervisor.ask('state')
    const used = states.reduce((sum, { answer }) => sum + answer.residentBytes, this.#memory.figures().used)
    const total = this.#memory.limitBytes
    return { free: Math.max(0, total - used), used, total, percent: (used / total) * 100 }
  }
}
