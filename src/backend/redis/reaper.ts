import { inLanes } from '../../base/lanes.js'
import type { Topic } from '../../core/ports/broker.js'
import { splitTopic } from '../../core/topic.js'
import { splitHandover } from './keys.js'
import { LinkError } from './link.js'
import type { Partition, Surroundings } from './partition.js'
import { pairsOf, textsOf } from './replies.js'
import { askCounts, askMembers, batchesByApp } from './script-calls.js'
import { scripts } from './truth-scripts.js'

/** Connections given up in one call of the script, so that Redis is never held for long. */
const sweptPerCall = 100

/**
 * Gives up what dead nodes held. Each call of a script changes, versions, tells and notes in one step, and checks again whether the
 * node is dead: a reaper that dies half-way is continued by another, and two at once do no harm.
 */
export class Reaper {
  readonly #around: Surroundings

  constructor(around: Surroundings) {
    this.#around = around
  }

  /**
   * Gives up everything of a dead node in one partition.
   * @returns whether anything was left of it; false when it is alive again
   * @throws NotDone, LinkError when it could not be finished
   */
  async sweep(partition: Partition, dead: string): Promise<boolean> {
    const { keys, queryTimeoutMs } = this.#around
    const { number, link } = partition
    if (link === undefined) throw new LinkError('down', 'not connected')
    const topics = textsOf(await link.call('SMEMBERS', [keys.topics(number, dead)], queryTimeoutMs))
    const counts = pairsOf(await link.call('HGETALL', [keys.counts(number, dead)], queryTimeoutMs))
    const found = { alive: false }
    await inLanes(topics, async (topic) => {
      if (!found.alive && (await this.#sweepTopic(partition, dead, topic))) found.alive = true
    })
    if (found.alive) return false
    await this.#sweepCounts(partition, dead, [...counts.keys()])
    return this.bury(partition, dead, false)
  }

  /** Forgets a node of which nothing is left. */
  async bury(partition: Partition, node: string, itself: boolean): Promise<boolean> {
    const { keys, publishTimeoutMs } = this.#around
    const { number } = partition
    const buryKeys = [keys.nodes(number), keys.topics(number, node), keys.counts(number, node), keys.awaited(number)]
    return (await partition.ask(scripts.bury, buryKeys, [node, itself ? 1 : 0], publishTimeoutMs)) === 1
  }

  /** A user held for a handover is not back in time. @param entry as the store keeps it */
  async endHandover(partition: Partition, entry: string): Promise<void> {
    const { topic, userId } = splitHandover(entry)
    await askMembers(this.#around, partition, 'endHandover', this.#around.node, topic, [userId])
  }

  /** @returns whether the node is alive */
  async #sweepTopic(partition: Partition, dead: string, topic: Topic): Promise<boolean> {
    for (;;) {
      const reply = await askMembers(this.#around, partition, 'sweep', dead, topic, [sweptPerCall])
      if (reply !== 1) return reply === 'alive'
    }
  }

  async #sweepCounts(partition: Partition, dead: string, topics: readonly Topic[]): Promise<void> {
    for (const { appId, batch } of batchesByApp(topics, sweptPerCall)) {
      const args = batch.flatMap((topic) => [topic, splitTopic(topic).channel])
      await askCounts(this.#around, partition, 'sweepCounts', dead, appId, batch, args)
    }
  }
}
