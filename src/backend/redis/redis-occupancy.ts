import type { Topic } from '../../core/ports/broker.js'
import type { OccupancyStore } from '../../core/ports/occupancy-store.js'
import { splitTopic } from '../../core/topic.js'
import type { Told } from './counts.js'
import type { Share } from './membership.js'
import type { Surroundings } from './partition.js'
import { numberOf } from './replies.js'
import { shareOf, sumOfAll } from './shares.js'

/** Subscription counts of the whole cluster. */
export class RedisOccupancy implements OccupancyStore {
  readonly #around: Surroundings
  readonly #shares: readonly Share[]

  constructor(around: Surroundings, shares: readonly Share[]) {
    this.#around = around
    this.#shares = shares
  }

  set(topic: Topic, localCount: number): Promise<Told> {
    return shareOf(this.#shares, topic).counts.set(topic, localCount)
  }

  async total(topic: Topic): Promise<number> {
    const { partition } = shareOf(this.#shares, topic)
    const { appId, channel } = splitTopic(topic)
    return numberOf(await partition.read('HGET', [this.#around.keys.occupied(partition.number, appId), channel]))
  }

  async list(appId: string, prefix: string): Promise<ReadonlyMap<string, number>> {
    const all = await sumOfAll(this.#shares, (partition) => this.#around.keys.occupied(partition, appId))
    if (prefix === '') return all
    for (const channel of all.keys()) if (!channel.startsWith(prefix)) all.delete(channel)
    return all
  }
}
