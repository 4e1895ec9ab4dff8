import type { Clock, Timer } from '../base/clock.js'
import { subscriptionCountFrame } from '../protocol/outbound.js'
import type { Broker, Topic } from './ports/broker.js'
import type { Logger } from './ports/logger.js'
import type { OccupancyStore } from './ports/occupancy-store.js'
import type { LocalChannel } from './local-state.js'

/** Above this many subscribers a count is told at most once per `throttleMs` (2.10). */
const throttledAbove = 100
const throttleMs = 5000

interface Throttled {
  readonly timer: Timer
  latest: number
  told: number
}

/** Reports this node's share of every channel to the occupancy store, and tells subscribers the count where the app wants it. */
export class Occupancy {
  readonly #store: OccupancyStore
  readonly #broker: Pick<Broker, 'publish'>
  readonly #clock: Clock
  readonly #logger: Logger
  /** Channels whose count was told less than `throttleMs` ago; each entry owns a timer that removes it. */
  readonly #throttled = new Map<Topic, Throttled>()
  #stopped = false

  constructor(store: OccupancyStore, broker: Pick<Broker, 'publish'>, clock: Clock, logger: Logger) {
    this.#store = store
    this.#broker = broker
    this.#clock = clock
    this.#logger = logger
  }

  /** The number of joined subscriptions of a channel changed on this node. */
  changed(channel: LocalChannel): void {
    if (!channel.traits.listed) return
    this.#report(channel).catch((error: unknown) => {
      this.#logger.warn({ app_id: channel.local.id, err: error }, 'The occupancy of a channel could not be stored')
    })
  }

  /** Ends the timers; counts that come in later are told to nobody. */
  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#throttled.values()) timer.stop()
    this.#throttled.clear()
  }

  async #report(channel: LocalChannel): Promise<void> {
    const { total } = await this.#store.set(channel.topic, channel.joined)
    const { app } = channel.local
    if (app.subscriptionCount.enabled && !channel.traits.presence && !this.#stopped) await this.#tell(channel, total)
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
      this.#publish(channel, entry.latest).catch((error: unknown) => {
        this.#logger.warn({ app_id: channel.local.id, err: error }, 'A subscription count could not be published')
      })
    })
    this.#throttled.set(channel.topic, { timer, latest: total, told: total })
  }

  /** Count 0 goes to nobody. */
  async #publish(channel: LocalChannel, total: number): Promise<void> {
    if (total === 0) return
    await this.#broker.publish(channel.topic, { frame: subscriptionCountFrame(channel.name, total) })
  }
}
