import type { Topic } from '../../core/ports/broker.js'
import type { OccupancyStore } from '../../core/ports/occupancy-store.js'
import { splitTopic } from '../../core/topic.js'

/** Subscription counts of one process, by app. */
export class MemoryOccupancy implements OccupancyStore {
  /** App id → channel → subscriptions. */
  readonly #apps = new Map<string, Map<string, number>>()

  set(topic: Topic, localCount: number): Promise<{ total: number; became: 'occupied' | 'vacated' | 'same' }> {
    const { appId, channel } = splitTopic(topic)
    const channels = this.#channelsOf(appId)
    const was = channels.get(channel) ?? 0
    if (localCount > 0) channels.set(channel, localCount)
    else channels.delete(channel)
    const became = was > 0 === localCount > 0 ? 'same' : localCount > 0 ? 'occupied' : 'vacated'
    return Promise.resolve({ total: localCount, became })
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

  #channelsOf(appId: string): Map<string, number> {
    let channels = this.#apps.get(appId)
    if (channels === undefined) {
      channels = new Map()
      this.#apps.set(appId, channels)
    }
    return channels
  }
}
