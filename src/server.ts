/** The composition root: builds every part, starts and stops them in order. The only file that sees every folder. */
import { readFileSync } from 'node:fs'
import { systemClock, type Clock } from './base/clock.js'
import { MemoryBackend } from './backend/memory/memory-backend.js'
import { readRedisTls } from './config/redis-tls.js'
import { messageBytesMax, requestBodyBytesMax } from './config/sizes.js'
import type { Config } from './config/schema.js'
import { LatencyCounter, type AppCounters } from './core/counters.js'
import { Node } from './core/node.js'
import type { AppRegistry } from './core/ports/app-registry.js'
import type { Backend } from './core/ports/backend.js'
import type { HttpEntrance } from './core/ports/http.js'
import type { Logger } from './core/ports/logger.js'
import { wantedTransitions } from './core/transitions.js'
import { httpEntrance } from './http/entrance.js'
import type { Admitted } from './http/guard.js'
import { busReadiness, healthReply, type Readiness } from './http/health.js'
import { internalErrorReply } from './http/reply.js'
import { Router } from './http/router.js'
import type { Metrics } from './observability/metrics.js'
import { startMetricsServer, type MetricsServer } from './observability/metrics-server.js'
import { nodeMetricsSource } from './observability/node-source.js'
import { connectionsFromOpenFiles, openFilesMax, webhookRequestsFromOpenFiles } from './observability/open-files.js'
import { ProcessMemory } from './observability/process-memory.js'
import { RestTraffic } from './observability/rest-traffic.js'
import { ClientAddresses } from './transport/uws/client-address.js'
import { UwsListener } from './transport/uws/listen.js'
import { UwsHttp } from './transport/uws/request.js'
import { UwsFanout } from './transport/uws/uws-fanout.js'
import { HttpPoster } from './webhooks/http-poster.js'
import { Webhooks } from './webhooks/webhooks.js'

/** How long a stop waits for requests in flight. */
const finishRequestsMs = 5000
/** And how long it waits for webhooks, so that everything together ends within the usual grace period of 45 s. */
const finishWebhooksMs = 10_000

export interface ServerInput {
  readonly config: Config
  readonly registry: AppRegistry
  readonly logger: Logger
  /** For build_info. */
  readonly version: string
  /** This start of this process among all nodes: random, in log lines and in what the nodes share. */
  readonly node: string
  readonly clock?: Clock
  /** Set in one of so many processes on one port: it keeps to its part of the memory, and leaves the metrics port to their parent. */
  readonly workers?: number
}

export interface RunningServer {
  /** The port it listens on; the configured one, or the one found for 0. */
  readonly port: number
  /** Undefined when metrics are off. */
  readonly metricsPort: number | undefined
  /** @throws Error with one sentence; then the old certificate stays */
  reloadCertificates(): Promise<void>
  /**
   * The whole way down (docs/operating.md, "Shutdown"). Resolves when the process may exit with 0.
   * @param drain other delays than those of the configuration
   */
  drainAndStop(drain?: Config['drain']): Promise<void>
  /** Ends at once, without closing anything politely; for tests. */
  stop(): Promise<void>
}

/** A server in this process, which a parent may ask what it would otherwise answer on the metrics port. */
export interface RunningNode extends RunningServer {
  readiness(): Readiness
  /** Empty when metrics are off. */
  metricsJson(): Promise<string>
}

/** @throws Error with one sentence when a port, a certificate or Redis cannot be used; a Redis that is not there is no reason */
export async function startServer(input: ServerInput): Promise<RunningNode> {
  const clock = input.clock ?? systemClock
  const server = new Server(input, clock, await createBackend(input, clock))
  try {
    await server.start()
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}

/** @throws Error with one sentence when a file of redis.tls cannot be used */
async function createBackend({ config, registry, logger, node }: ServerInput, clock: Clock): Promise<Backend> {
  const wantsTransition = wantedTransitions(registry)
  const tellsCounts = (appId: string) => registry.byId(appId)?.subscriptionCount.enabled === true
  const { redis, cluster, presence } = config
  if (redis === undefined) return new MemoryBackend(clock, wantsTransition, tellsCounts)
  const tls = redis.tls === undefined ? undefined : readRedisTls(redis.tls, (file) => readFileSync(file, 'utf8'))
  // Loaded only here, because the Redis library takes memory and time at start.
  const { RedisBackend } = await import('./backend/redis/redis-backend.js')
  const { mode, url, nodes, sentinelName, sentinelPassword, prefix } = redis
  return new RedisBackend({
    redis: { mode, url, nodes, sentinelName, sentinelPassword, tls, prefix },
    node,
    leaseMs: cluster.leaseMs,
    publishTimeoutMs: cluster.publishTimeoutMs,
    subscribeTimeoutMs: cluster.subscribeTimeoutMs,
    queryTimeoutMs: cluster.queryTimeoutMs,
    handoverMs: presence.handoverMs,
    clock,
    logger,
    wantsTransition,
    tellsCounts,
  })
}

class Server implements RunningNode {
  readonly #input: ServerInput
  readonly #clock: Clock
  readonly #node: Node
  readonly #backend: Backend
  readonly #poster: HttpPoster
  readonly #webhooks: Webhooks
  readonly #webhookDurations = new LatencyCounter()
  readonly #restTraffic = new RestTraffic()
  readonly #fanout = new UwsFanout()
  readonly #memory: ProcessMemory
  #metrics: Metrics | undefined
  readonly #http: UwsHttp<Admitted>
  readonly #messageBytesMax: number
  #listener: UwsListener | undefined
  #metricsServer: MetricsServer | undefined
  #draining = false

  constructor(input: ServerInput, clock: Clock, backend: Backend) {
    const { config, registry, logger, node } = input
    this.#input = input
    this.#clock = clock
    this.#memory = new ProcessMemory(undefined, input.workers)
    this.#messageBytesMax = messageBytesMax(config)
    this.#backend = backend
    const filesMax = openFilesMax()
    this.#poster = new HttpPoster({ clock, openMax: webhookRequestsFromOpenFiles(filesMax) })
    this.#webhooks = new Webhooks({
      outbox: backend.outbox,
      registry,
      poster: this.#poster,
      clock,
      logger,
      node,
      countersOf: (appId) => this.#countersOf(appId)?.webhooks,
      durations: this.#webhookDurations,
    })
    this.#node = new Node({
      backend,
      registry,
      fanout: this.#fanout,
      webhooks: this.#webhooks,
      clock,
      logger,
      capacity: {
        ...config.capacity,
        connections: config.capacity.connections || connectionsFromOpenFiles(filesMax),
      },
      requireVersion: config.protocol.requireVersion,
      messageBytesMax: this.#messageBytesMax,
      backpressureBytesMax: config.websocket.backpressureBytes,
      memoryPercent: () => this.#memory.percent(),
    })
    this.#http = new UwsHttp(this.#entrance(), config.pathPrefix, clock, logger)
  }

  get port(): number {
    return this.#listener?.port ?? 0
  }

  get metricsPort(): number | undefined {
    return this.#metricsServer?.port
  }

  async start(): Promise<void> {
    const { config, logger } = this.#input
    const { gateway, admissions, capacity } = this.#node
    this.#webhooks.start()
    await this.#node.start()
    if (config.metrics.enabled) await this.#startMetrics()
    this.#listener = await UwsListener.start(
      {
        host: config.host,
        port: config.port,
        isShared: this.#input.workers !== undefined,
        pathPrefix: config.pathPrefix,
        tls: config.tls,
        headerBytesMax: config.http.headerBytes,
        messageBytesMax: this.#messageBytesMax,
        backpressureBytesMax: config.websocket.backpressureBytes,
        compression: config.websocket.compression,
      },
      {
        gateway,
        admissions,
        addresses: new ClientAddresses(config.trustedProxies, capacity.countsAddresses),
        http: this.#http,
        fanout: this.#fanout,
        clock: this.#clock,
        logger,
      },
    )
  }

  /** Loaded only here, because the metrics library takes 12 MB. */
  async #startMetrics(): Promise<void> {
    const { config, registry, logger, version, node } = this.#input
    const { createMetrics } = await import('./observability/metrics.js')
    this.#metrics = createMetrics({
      source: nodeMetricsSource({
        node: this.#node,
        backend: this.#backend,
        registry,
        hasBus: config.redis !== undefined,
        webhooks: { queued: () => this.#webhooks.queued, durations: this.#webhookDurations },
        draining: () => this.#draining,
        rest: this.#restTraffic,
      }),
      build: { version, node },
      ...(config.metrics.soketiNames ? { soketiNames: { port: () => this.port } } : {}),
    })
    if (this.#input.workers !== undefined) return
    this.#metricsServer = await startMetricsServer({
      host: config.metrics.host,
      port: config.metrics.port,
      metrics: this.#metrics,
      health: (path) => healthReply(path, this.readiness(), 'metrics') ?? internalErrorReply,
      memory: () => this.#memory.figures(),
      clock: this.#clock,
      log: logger,
    })
  }

  async reloadCertificates(): Promise<void> {
    await this.#listener?.reloadCertificates()
  }

  async metricsJson(): Promise<string> {
    return (await this.#metrics?.json()) ?? ''
  }

  async drainAndStop(drain = this.#input.config.drain): Promise<void> {
    this.#draining = true
    await sleep(this.#clock, drain.preStopDelayMs)
    this.#listener?.stopListening()
    await this.#node.drain(drain)
    await this.#finishRequests()
    await this.#stop(finishWebhooksMs)
  }

  stop(): Promise<void> {
    return this.#stop(0)
  }

  /** Each step needs what the next one ends. Works whatever a start has got to. */
  async #stop(webhooksLimitMs: number): Promise<void> {
    this.#draining = true
    this.#listener?.stopListening()
    this.#listener?.close()
    await this.#node.stop()
    await this.#webhooks.stop(webhooksLimitMs)
    await this.#backend.close()
    this.#poster.close()
    await this.#metricsServer?.close()
  }

  async #finishRequests(): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + finishRequestsMs
    while (this.#http.inFlight > 0 && this.#clock.monotonicMs() < deadlineMs) await sleep(this.#clock, 20)
  }

  readiness(): Readiness {
    if (this.#draining) return { ready: false, reason: 'draining' }
    const full = this.#node.capacity.reasonFull()
    if (full !== undefined) return { ready: false, reason: full }
    const downSinceMs = this.#backend.downSinceMs()
    const downMs = downSinceMs === undefined ? undefined : this.#clock.monotonicMs() - downSinceMs
    return busReadiness(downMs, this.#input.config.cluster.readyWithoutBusAfterMs)
  }

  #entrance(): HttpEntrance<Admitted> {
    const { config, registry } = this.#input
    const router = new Router({
      registry,
      core: this.#node.api,
      clock: this.#clock,
      counting: {
        authFailed: (appId) => {
          const counters = this.#countersOf(appId)
          if (counters !== undefined) counters.authFailures.rest += 1
        },
        rateLimited: (appId, kind) => {
          const counters = this.#countersOf(appId)
          if (counters !== undefined) counters.rateLimited[kind] += 1
        },
      },
      bodyBytesMax: requestBodyBytesMax(config),
    })
    const entrance = httpEntrance({
      router,
      origins: config.http.cors.origins,
      readiness: () => this.readiness(),
      observe: (route, status, seconds) => this.#metrics?.httpObserver(route, status, seconds),
    })
    return config.metrics.soketiNames ? this.#restTraffic.counting(entrance) : entrance
  }

  #countersOf(appId: string): AppCounters | undefined {
    const app = this.#input.registry.byId(appId)
    return app === undefined ? undefined : this.#node.hub.localApp(app).counters
  }
}

function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve)
  })
}
