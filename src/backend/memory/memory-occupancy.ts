import type { Topic } from '../../core/ports/broker.js'
import type { OccupancyStore, TellsCounts } from '../../core/ports/occupancy-store.js'
import { splitTopic } from '../../core/topic.js'
import { parseChannelName } from '../../protocol/channel-name.js'
import type { MemoryBroker } from './memory-broker.js'
import type { MemoryOutbox } from './memory-outbox.js'

/** Subscription counts of one process, by app. */
export class MemoryOccupancy implements OccupancyStore {
  /** App id → channel → subscriptions. */
  readonly #apps = new Map<string, Map<string, number>>()
  readonly #broker: MemoryBroker
  readonly #outbox: MemoryOutbox
  readonly #tellsCounts: TellsCounts

  constructor(broker: MemoryBroker, outbox: MemoryOutbox, tellsCounts: TellsCounts) {
    this.#broker = broker
    this.#outbox = outbox
    this.#tellsCounts = tellsCounts
  }

  set(topic: Topic, localCount: number): Promise<{ total: number }> {
    const { appId, channel } = splitTopic(topic)
    const channels = this.#channelsOf(appId)
    const was = channels.get(channel) ?? 0
    if (localCount > 0) channels.set(channel, localCount)
    else channels.delete(channel)
    if (localCount !== was) this.#tell(topic, appId, channel, was, localCount)
    return Promise.resolve({ total: localCount })
  }

  total(topic: Topic): Promise<number> {
    const { appId, channel } = splitTopic(topic)
    return Promise.resolve(this.#apps.get(appId)?.get(channel) ?? 0)
  }

  list(appId: string, prefix: string): Promise<ReadonlyMap<string, number>> {
    const channels = this.#channelsOf(appId)
    if (prefix === '') return Promise.resolve(channels)
    return Promise.resolve(new Map([...channels].filter(([channel]) => channel.startsWith(prefix))))
  }

  #tell(topic: Topic, appId: string, channel: string, was: number, count: number): void {
    const counted = parseChannelName(channel)?.presence !== true
    if (was === 0) this.#outbox.append(appId, 'channel_occupied', channel)
    if (counted) this.#outbox.append(appId, 'subscription_count', channel, { count })
    if (count === 0) this.#outbox.append(appId, 'channel_vacated', channel)
    if (counted && this.#tellsCounts(appId)) this.#broker.counted(topic, count)
  }

  #channelsOf(appId: string): Map<string, number> {
    let channels = this.#apps.get(appId)
    if (channels === undefined) {
      channels = new Map()
      this.#apps.set(appId, channels)
    }
    return channels
  }
}
