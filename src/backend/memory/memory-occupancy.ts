import type { Topic } from '../../core/ports/broker.js'
import type { OccupancyStore } from '../../core/ports/occupancy-store.js'
import { splitTopic } from '../../core/topic.js'
import { parseChannelName } from '../../protocol/channel-name.js'
import type { MemoryOutbox } from './memory-outbox.js'

/** Subscription counts of one process, by app. */
export class MemoryOccupancy implements OccupancyStore {
  /** App id → channel → subscriptions. */
  readonly #apps = new Map<string, Map<string, number>>()
  readonly #outbox: MemoryOutbox

  constructor(outbox: MemoryOutbox) {
    this.#outbox = outbox
  }

  set(topic: Topic, localCount: number): Promise<{ total: number }> {
    const { appId, channel } = splitTopic(topic)
    const channels = this.#channelsOf(appId)
    const was = channels.get(channel) ?? 0
    if (localCount > 0) channels.set(channel, localCount)
    else channels.delete(channel)
    if (localCount !== was) this.#append(appId, channel, was, localCount)
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

  #append(appId: string, channel: string, was: number, count: number): void {
    if (was === 0) this.#outbox.append(appId, 'channel_occupied', channel)
    if (parseChannelName(channel)?.presence !== true)
      this.#outbox.append(appId, 'subscription_count', channel, { count })
    if (count === 0) this.#outbox.append(appId, 'channel_vacated', channel)
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
