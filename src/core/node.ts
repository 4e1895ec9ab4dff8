import type { Clock, Timer } from '../base/clock.js'
import { Admissions } from './admission.js'
import { applyAppChange } from './app-changes.js'
import { Capacity, type CapacityMarks } from './capacity.js'
import { createCoreApi } from './core-api.js'
import { NodeCounters } from './counters.js'
import { Delivery } from './delivery.js'
import { closeAllNow, closeAllPaced, type Drain } from './drain.js'
import { Gateway } from './gateway.js'
import { Heartbeat } from './heartbeat.js'
import { Hub } from './hub.js'
import { Occupancy } from './occupancy.js'
import { PendingWrites } from './pending-writes.js'
import type { CoreApi } from './ports/api.js'
import type { AppRegistry } from './ports/app-registry.js'
import type { Backend } from './ports/backend.js'
import type { BrokerSink } from './ports/broker.js'
import type { Logger } from './ports/logger.js'
import type { Fanout } from './ports/socket.js'
import type { WebhookSink } from './ports/webhook-sink.js'
import { RateLimits } from './rate-limits.js'
import { Session } from './session.js'
import { SlowConsumers } from './slow-consumers.js'
import { Subscriptions } from './subscriptions.js'
import { Ticker } from './ticker.js'
import { Users } from './users.js'

export interface NodeOptions {
  /** Started by the node, and closed by whoever made it: webhooks need it for longer. */
  readonly backend: Backend
  readonly registry: AppRegistry
  readonly fanout: Fanout
  readonly webhooks: WebhookSink
  readonly clock: Clock
  readonly logger: Logger
  readonly capacity: CapacityMarks
  readonly requireVersion: boolean
  readonly messageBytesMax: number
  readonly backpressureBytesMax: number
  /** Memory in use, in percent of the limit; asked every few seconds. */
  readonly memoryPercent: () => number
}

/** Between two sweeps while something is sent. */
const sweepMs = 1000
/** How often the memory in use is read, and so the longest rest: waking up for nothing is most of what an idle node costs. */
const memoryEveryS = 5
/** Longer than a cached event can be under way on the bus. */
const settlingMaxS = 2

/** How long an end waits for what the stores are still being told. */
const lastWritesMs = 2000

/** A node's core, put together: what the transport, the REST API and the metrics talk to. */
export class Node {
  readonly gateway: Gateway
  readonly admissions: Admissions
  readonly api: CoreApi
  readonly hub: Hub
  readonly capacity: Capacity
  readonly counters = new NodeCounters()
  readonly slowConsumers: SlowConsumers
  readonly #options: NodeOptions
  readonly #ticker: Ticker
  readonly #heartbeat: Heartbeat
  readonly #delivery: Delivery
  readonly #occupancy: Occupancy
  readonly #users: Users
  readonly #writes = new PendingWrites()
  #sweepTimer: Timer | undefined
  #memoryReadAtS = 0
  #stopWatching: (() => void) | undefined

  constructor(options: NodeOptions) {
    const { backend, registry, fanout, webhooks, clock, logger, messageBytesMax } = options
    this.#options = options
    this.#ticker = new Ticker(clock)
    this.hub = new Hub(backend.broker, logger)
    this.capacity = new Capacity(options.capacity, clock)
    this.admissions = new Admissions(registry, backend.budget, this.capacity, options.requireVersion)
    this.api = createCoreApi(backend)
    this.slowConsumers = new SlowConsumers(this.hub, options.backpressureBytesMax)
    this.#heartbeat = new Heartbeat(this.hub, this.#ticker)
    this.#delivery = new Delivery(this.hub, fanout, this.counters, this.#ticker, logger)
    this.#occupancy = new Occupancy(backend.occupancy, this.hub, this.#delivery, clock, this.#writes, logger)
    this.#users = new Users(this.hub, backend, this.#writes, logger)
    const subscriptions = new Subscriptions({
      hub: this.hub,
      backend,
      occupancy: this.#occupancy,
      ticker: this.#ticker,
      writes: this.#writes,
      webhooks,
      logger,
    })
    const session = new Session({
      hub: this.hub,
      subscriptions,
      users: this.#users,
      delivery: this.#delivery,
      broker: backend.broker,
      rates: new RateLimits(clock, this.#ticker),
      webhooks,
    })
    this.gateway = new Gateway({
      hub: this.hub,
      session,
      subscriptions,
      users: this.#users,
      admissions: this.admissions,
      ticker: this.#ticker,
      counters: this.counters,
      logger,
      messageBytesMax,
    })
  }

  async start(): Promise<void> {
    const { backend, registry, clock } = this.#options
    await backend.start(this.#sink())
    this.#stopWatching = registry.onChange((change) => applyAppChange(this.hub, change))
    this.#sweepTimer = clock.after(sweepMs, () => this.#sweep())
  }

  /** Closes every connection; resolves when the last one has been. */
  async drain(drain: Drain): Promise<void> {
    this.capacity.close()
    await closeAllPaced(this.hub, this.#options.clock, drain)
    closeAllNow(this.hub, drain)
  }

  /** Stops timers, and waits until the backend has been told of the last leaves; it is not closed. Works also after a failed start. */
  async stop(): Promise<void> {
    this.#sweepTimer?.stop()
    this.#stopWatching?.()
    this.#occupancy.stop()
    await this.#writes.settled(this.#options.clock, lastWritesMs)
  }

  /** Each part on its own: one that fails is logged and tried again in a second, and stops neither the others nor the process. */
  #sweep(): void {
    const { clock, backend, memoryPercent } = this.#options
    const { nowS } = this.#ticker
    if (nowS - this.#memoryReadAtS >= memoryEveryS) {
      this.#memoryReadAtS = nowS
      this.#guarded(() => this.capacity.setMemory(memoryPercent()))
    }
    const nextDueS = this.#guarded(() => this.#heartbeat.sweep()) ?? nowS
    const sending = this.#guarded(() => this.slowConsumers.sweep()) ?? true
    if (!backend.answersInOrder) this.#guarded(() => this.#delivery.settleOverdue(settlingMaxS))
    const quiet = !sending && backend.answersInOrder
    const restS = Math.min(nextDueS, this.#memoryReadAtS + memoryEveryS) - nowS
    const restMs = quiet ? Math.max(sweepMs, restS * 1000) : sweepMs
    this.#sweepTimer = clock.after(restMs, () => this.#sweep())
  }

  #guarded<Result>(part: () => Result): Result | undefined {
    try {
      return part()
    } catch (error) {
      this.#options.logger.error({ err: error }, 'A fault of the server in its sweep')
      return undefined
    }
  }

  #sink(): BrokerSink {
    return {
      deliver: (topic, frame, except, kind, version) => this.#delivery.deliver(topic, frame, except, kind, version),
      counted: (topic, total) => this.#occupancy.counted(topic, total),
      control: (message) => this.#users.terminate(message.appId, message.userId),
    }
  }
}
