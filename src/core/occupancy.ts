import type { Clock, Timer } from '../base/clock.js'
import { subscriptionCountFrame } from '../protocol/outbound.js'
import type { Delivery } from './delivery.js'
import type { Hub } from './hub.js'
import type { LocalChannel } from './local-state.js'
import type { PendingWrites } from './pending-writes.js'
import type { Topic } from './ports/broker.js'
import type { Logger } from './ports/logger.js'
import type { OccupancyStore } from './ports/occupancy-store.js'

/** Above this many subscribers a count is told at most once per `throttleMs` (2.10). */
const throttledAbove = 100
const throttleMs = 5000

/** A channel whose count was told less than `throttleMs` ago. */
interface Throttled {
  readonly timer: Timer
  latest: number
}

/**
 * Reports this node's share of every channel to the occupancy store, and brings the counts that the store tells to this node's
 * subscribers where the app wants it.
 */
export class Occupancy {
  readonly #store: Pick<OccupancyStore, 'set'>
  readonly #hub: Pick<Hub, 'topics'>
  readonly #delivery: Pick<Delivery, 'deliver'>
  readonly #clock: Clock
  readonly #writes: PendingWrites
  readonly #logger: Logger
  /** Each entry owns a timer that removes it. */
  readonly #throttled = new Map<Topic, Throttled>()
  #stopped = false

  constructor(
    store: Pick<OccupancyStore, 'set'>,
    hub: Pick<Hub, 'topics'>,
    delivery: Pick<Delivery, 'deliver'>,
    clock: Clock,
    writes: PendingWrites,
    logger: Logger,
  ) {
    this.#store = store
    this.#hub = hub
    this.#delivery = delivery
    this.#clock = clock
    this.#writes = writes
    this.#logger = logger
  }

  /** The number of joined subscriptions of a channel changed on this node. */
  changed(channel: LocalChannel): void {
    if (!channel.traits.listed) return
    const set = this.#store.set(channel.topic, channel.joined)
    this.#writes.watch(set, (error) => {
      this.#logger.warn({ app_id: channel.local.id, err: error }, 'The count of a channel could not be stored')
    })
  }

  /** See BrokerSink.counted. */
  counted(topic: Topic, total: number): void {
    const channel = this.#hub.topics.get(topic)
    if (this.#stopped || channel === undefined || !isCounted(channel)) return
    const throttled = this.#throttled.get(topic)
    if (throttled !== undefined) throttled.latest = total
    if (total > throttledAbove) {
      if (throttled !== undefined || total === channel.toldCount) return
      this.#throttle(topic, total)
    }
    this.#tell(channel, total)
  }

  /** Ends the timers; counts that come in later are told to nobody. */
  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#throttled.values()) timer.stop()
    this.#throttled.clear()
  }

  #throttle(topic: Topic, total: number): void {
    const timer = this.#clock.after(throttleMs, () => {
      const latest = this.#throttled.get(topic)?.latest ?? 0
      this.#throttled.delete(topic)
      const channel = this.#hub.topics.get(topic)
      if (channel === undefined || latest === channel.toldCount) return
      if (latest > throttledAbove) this.#throttle(topic, latest)
      this.#tell(channel, latest)
    })
    this.#throttled.set(topic, { timer, latest: total })
  }

  /** Count 0 goes to nobody. */
  #tell(channel: LocalChannel, total: number): void {
    if (total === 0) return
    channel.toldCount = total
    try {
      this.#delivery.deliver(channel.topic, subscriptionCountFrame(channel.name, total), undefined, 'none', 0)
    } catch (error) {
      this.#logger.error({ app_id: channel.local.id, err: error }, 'A fault of the server while it told a count')
    }
  }
}

function isCounted({ traits, local }: LocalChannel): boolean {
  return traits.listed && !traits.presence && local.app.subscriptionCount.enabled
}
