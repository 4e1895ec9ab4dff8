import type { Topic } from '../../core/ports/broker.js'
import { BrokerError } from '../../core/ports/broker.js'
import type { CachedEvent, CacheStore } from '../../core/ports/cache-store.js'
import { partitionOf } from './keys.js'
import { LinkError, type Link } from './link.js'
import type { Surroundings } from './partition.js'
import { listOf, numberOf, textOf } from './replies.js'
import { scripts } from './truth-scripts.js'
import { wholeNumber } from './wire.js'

/** How long one miss of a topic is the only one that is told. */
const missMs = 1000

/** The last event of each cache channel, written by the script that publishes it. */
export class RedisCache implements CacheStore {
  readonly #around: Surroundings

  constructor(around: Surroundings) {
    this.#around = around
  }

  async get(topic: Topic): Promise<CachedEvent | undefined> {
    const { keys, subscribeTimeoutMs } = this.#around
    const partition = partitionOf(topic)
    const reply = await this.#ask(partition, (link) =>
      link.run(scripts.cached, [keys.cached(partition, topic)], [], subscribeTimeoutMs),
    )
    const [cached, expiresInMs] = listOf(reply)
    const text = textOf(cached)
    const lineEnd = text.indexOf('\n')
    const version = wholeNumber(text.slice(0, lineEnd))
    if (lineEnd === -1 || !(version > 0)) return undefined
    return { frame: text.slice(lineEnd + 1), version, expiresInMs: numberOf(expiresInMs) }
  }

  async claimMiss(topic: Topic): Promise<boolean> {
    const { keys, publishTimeoutMs } = this.#around
    const partition = partitionOf(topic)
    const args = [keys.missed(partition, topic), '1', 'NX', 'PX', missMs]
    const reply = await this.#ask(partition, (link) => link.call('SET', args, publishTimeoutMs))
    return reply === 'OK'
  }

  /** A subscription waits for the event. @throws BrokerError */
  async #ask(partition: number, call: (link: Link) => Promise<unknown>): Promise<unknown> {
    const link = this.#around.links.of(partition)
    if (link?.up !== true || link.suspect) throw new BrokerError('down')
    try {
      return await call(link)
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      throw new BrokerError('down')
    }
  }
}
