import type { Topic } from '../../core/ports/broker.js'
import { BrokerError } from '../../core/ports/broker.js'
import type { CachedEvent, CacheStore } from '../../core/ports/cache-store.js'
import { partitionOf } from './keys.js'
import { LinkError } from './link.js'
import type { Surroundings } from './partition.js'
import { listOf, numberOf, textOf } from './replies.js'
import { scripts } from './truth-scripts.js'
import { wholeNumber } from './wire.js'

/** The last event of each cache channel, written by the script that publishes it. */
export class RedisCache implements CacheStore {
  readonly #around: Surroundings

  constructor(around: Surroundings) {
    this.#around = around
  }

  async get(topic: Topic): Promise<CachedEvent | undefined> {
    const { links, keys, subscribeTimeoutMs } = this.#around
    const partition = partitionOf(topic)
    const link = links.of(partition)
    // A subscription waits for this.
    if (link?.up !== true || link.suspect) throw new BrokerError('down')
    let reply: unknown
    try {
      reply = await link.run(scripts.cached, [keys.cached(partition, topic)], [], subscribeTimeoutMs)
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      throw new BrokerError('down')
    }
    const [cached, expiresInMs] = listOf(reply)
    const text = textOf(cached)
    const lineEnd = text.indexOf('\n')
    const version = wholeNumber(text.slice(0, lineEnd))
    if (lineEnd === -1 || !(version > 0)) return undefined
    return { frame: text.slice(lineEnd + 1), version, expiresInMs: numberOf(expiresInMs) }
  }
}
