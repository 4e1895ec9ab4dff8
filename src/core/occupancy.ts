import type { Clock, Timer } from '../base/clock.js'
import { subscriptionCountFrame } from '../protocol/outbound.js'
import type { PendingWrites } from './pending-writes.js'
import { BrokerError, type Broker, type Topic } from './ports/broker.js'
import type { Logger } from './ports/logger.js'
import type { OccupancyStore } from './ports/occupancy-store.js'
import type { LocalChannel } from './local-state.js'

/** Above this many subscribers a count is told at most once per `throttleMs` (2.10). */
const throttledAbove = 100
const throttleMs = 5000
/** How often a count is told anew because another node changed it meanwhile; that node tells it as well. */
const tellAttemptsMax = 3

interface Throttled {
  readonly channel: LocalChannel
  readonly timer: Timer
  latest: number
  told: number
}

/** Reports of one channel of which each began before the one before it had ended. */
interface Series {
  newest: object
  /** What this node has told in it last. */
  told: number | undefined
}

/** Reports this node's share of every channel to the occupancy store, and tells subscribers the count where the app wants it. */
export class Occupancy {
  readonly #store: OccupancyStore
  readonly #broker: Pick<Broker, 'publish'>
  readonly #clock: Clock
  readonly #writes: PendingWrites
  readonly #logger: Logger
  /** Channels whose count was told less than `throttleMs` ago; each entry owns a timer that removes it. */
  readonly #throttled = new Map<Topic, Throttled>()
  /** Channels whose count is being told. */
  readonly #underWay = new Map<Topic, Series>()
  #stopped = false

  constructor(
    store: OccupancyStore,
    broker: Pick<Broker, 'publish'>,
    clock: Clock,
    writes: PendingWrites,
    logger: Logger,
  ) {
    this.#writes = writes
    this.#store = store
    this.#broker = broker
    this.#clock = clock
    this.#logger = logger
  }

  /** The number of joined subscriptions of a channel changed on this node. */
  changed(channel: LocalChannel): void {
    if (!channel.traits.listed) return
    this.#watch(channel, this.#report(channel))
  }

  /** Tells what is held back, because this node ends: the subscribers of other nodes stay. */
  flush(): void {
    for (const [topic, { channel, timer, latest, told }] of this.#throttled) {
      timer.stop()
      this.#throttled.delete(topic)
      if (latest !== told) this.#watch(channel, this.#publish(channel, latest))
    }
  }

  /** Ends the timers; counts that come in later are told to nobody. */
  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#throttled.values()) timer.stop()
    this.#throttled.clear()
  }

  /** While the bus is down this fails with every change and is known already. */
  #watch(channel: LocalChannel, work: Promise<void>): void {
    const handled = work.catch((error: unknown) => {
      const level = error instanceof BrokerError ? 'debug' : 'warn'
      this.#logger[level](
        { app_id: channel.local.id, err: error },
        'The count of a channel could not be stored or told',
      )
    })
    this.#writes.watch(handled)
  }

  async #report(channel: LocalChannel): Promise<void> {
    const { app } = channel.local
    if (!app.subscriptionCount.enabled || channel.traits.presence) {
      await this.#store.set(channel.topic, channel.joined)
      return
    }
    const report = {}
    const series = this.#underWay.get(channel.topic) ?? { newest: report, told: undefined }
    series.newest = report
    this.#underWay.set(channel.topic, series)
    try {
      const { total } = await this.#store.set(channel.topic, channel.joined)
      await this.#tellUntilTrue(channel, total, () => series.newest === report, series)
    } finally {
      if (series.newest === report) this.#underWay.delete(channel.topic)
    }
  }

  /**
   * Counts of two nodes can reach the subscribers in the wrong order. Each node therefore looks again after its last word, so
   * that the last word of all is the truth. Several changes that the store takes as one are told once.
   */
  async #tellUntilTrue(channel: LocalChannel, total: number, isNewest: () => boolean, series: Series): Promise<void> {
    let now = total
    for (let attempt = 1; attempt <= tellAttemptsMax && !this.#stopped; attempt += 1) {
      if (now === series.told) return
      series.told = now
      await this.#tell(channel, now)
      if (!isNewest()) return
      now = await this.#store.total(channel.topic)
    }
  }

  async #tell(channel: LocalChannel, total: number): Promise<void> {
    const throttled = this.#throttled.get(channel.topic)
    if (throttled !== undefined) {
      throttled.latest = total
      if (total > throttledAbove) return
      throttled.told = total
    } else if (total > throttledAbove) {
      this.#throttle(channel, total)
    }
    await this.#publish(channel, total)
  }

  #throttle(channel: LocalChannel, total: number): void {
    const timer = this.#clock.after(throttleMs, () => {
      const entry = this.#throttled.get(channel.topic)
      this.#throttled.delete(channel.topic)
      if (entry === undefined || entry.latest === entry.told) return
      if (entry.latest > throttledAbove) this.#throttle(channel, entry.latest)
      this.#watch(channel, this.#publish(channel, entry.latest))
    })
    this.#throttled.set(channel.topic, { channel, timer, latest: total, told: total })
  }

  /** Count 0 goes to nobody. */
  async #publish(channel: LocalChannel, total: number): Promise<void> {
    if (total === 0) return
    await this.#broker.publish(channel.topic, { frame: subscriptionCountFrame(channel.name, total) })
  }
}
