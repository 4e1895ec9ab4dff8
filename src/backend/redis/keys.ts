/**
 * Key layout, version 1 (ADR 7). Everything of a channel lives in one of a fixed number of partitions; the partition's number is
 * the hash tag of its keys and bus channels, so that every script touches one slot of a Redis Cluster, and lists are a bounded
 * number of reads.
 */
import type { Topic } from '../../core/ports/broker.js'

/**
 * The hash tags of the partitions, a constant of the layout: changing it is a new version. The letters put the slots at even
 * distances, so that masters of a Redis Cluster with even slot ranges get even numbers of partitions.
 */
const tags = (
  '00kx 01yy 02lf 03as 04gu 05ut 06oj 07rj 08sb 09ac 10db 11iw 12zs 13hr 14ho 15ez ' +
  '16fd 17te 18bt 19pu 20xl 21jm 22og 23ms 24ec 25wb 26rh 27oh 28pc 29rw 30hb 31zc'
).split(' ')

export const partitionCount = tags.length

/** No topic of an app has this name, for lack of a slash. */
export const outboxTopic = '#outbox'

/** Begins every key after the prefix; a node reads its own version. */
const layoutVersion = '1'

/** FNV-1a over UTF-16 units: stable over versions, since nodes must agree. */
export function partitionOf(topic: Topic): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < topic.length; index += 1) {
    hash ^= topic.charCodeAt(index)
    hash = Math.imul(hash, 0x01000193)
  }
  return (hash >>> 0) % partitionCount
}

/** The parts of an entry of `Keys.handovers`. A user id may hold line breaks; a topic only the one of a user's status, with the id at its end. */
export function splitHandover(entry: string): { topic: Topic; userId: string } {
  const status = entry.indexOf('/#watch-')
  const idAt = status + '/#watch-'.length
  const topicEnd = status === -1 ? entry.indexOf('\n') : idAt + (entry.length - idAt - 1) / 2
  return { topic: entry.slice(0, topicEnd), userId: entry.slice(topicEnd + 1) }
}

/** The hash tag of a partition, without braces. */
export function tagOf(partition: number): string {
  return tags[partition] ?? ''
}

/** The names of one deployment's keys and bus channels. */
export class Keys {
  /** Partition → `PREFIX:1:{TAG}:`. */
  readonly #starts: readonly string[]
  readonly #topicAt: number

  constructor(prefix: string) {
    this.#starts = tags.map((tag) => `${prefix}:${layoutVersion}:{${tag}}:`)
    this.#topicAt = (this.#starts[0]?.length ?? 0) + 2
  }

  /**
   * Hash: node → the end of its lease in ms, then `s` when it takes part in sending webhooks, then `r` when it has written its truth
   * or `w` while it still writes.
   */
  nodes(partition: number): string {
    return `${this.#of(partition)}nodes`
  }

  /** String: the id of this partition's data; gone when the data is gone. */
  generation(partition: number): string {
    return `${this.#of(partition)}generation`
  }

  /** Set: nodes that must write their truth again before anybody is told a change; expires. */
  awaited(partition: number): string {
    return `${this.#of(partition)}awaited`
  }

  /** String that expires: while it is there nobody is declared dead, because leases could not be renewed. */
  grace(partition: number): string {
    return `${this.#of(partition)}grace`
  }

  /** String that expires: the node that is sweeping. */
  reaper(partition: number): string {
    return `${this.#of(partition)}reaper`
  }

  /** Number: the version of the last change of the partition's truth; starts at the server's time in µs, so that it never repeats. */
  version(partition: number): string {
    return `${this.#of(partition)}version`
  }

  /** Stream: the outbox. */
  outbox(partition: number): string {
    return `${this.#of(partition)}outbox`
  }

  /**
   * String: `TERM END_MS NODE`, the node that sends what is in the outbox, and until when it need not renew that. NODE is `-` when it
   * gave that up. Each node that takes it gets the next term. Kept when it is over, to know who was the last.
   */
  sender(partition: number): string {
    return `${this.#of(partition)}sender`
  }

  /** Hash: how far the outbox has been dealt with: `done`, `read`, and `:RECEIVER` for each that is behind. */
  progress(partition: number): string {
    return `${this.#of(partition)}progress`
  }

  /** Sorted set: `TOPIC\nUSER` held for a handover, by the time it ends. */
  handovers(partition: number): string {
    return `${this.#of(partition)}handovers`
  }

  /** String: the version of the topic's last change; there while it has users. */
  changed(partition: number, topic: Topic): string {
    return `${this.#of(partition)}v:${topic}`
  }

  /** Hash: user → `ORDER:USER_INFO`; without the colon when the user gave none. */
  roster(partition: number, topic: Topic): string {
    return `${this.#of(partition)}r:${topic}`
  }

  /** Hash: user → number of connections. */
  users(partition: number, topic: Topic): string {
    return `${this.#of(partition)}u:${topic}`
  }

  /** Hash: socket → user, of one node. */
  sockets(partition: number, node: string, topic: Topic): string {
    return `${this.#of(partition)}s:${node}:${topic}`
  }

  /** Set: topics in which a node has sockets. */
  topics(partition: number, node: string): string {
    return `${this.#of(partition)}t:${node}`
  }

  /** Hash: topic → a node's subscriptions. */
  counts(partition: number, node: string): string {
    return `${this.#of(partition)}c:${node}`
  }

  /** Hash: channel → subscriptions of all nodes. */
  occupied(partition: number, appId: string): string {
    return `${this.#of(partition)}o:${appId}`
  }

  /** Hash: channel → users. */
  userCounts(partition: number, appId: string): string {
    return `${this.#of(partition)}m:${appId}`
  }

  /** Number that expires: messages published to a topic. */
  sequence(partition: number, topic: Topic): string {
    return `${this.#of(partition)}q:${topic}`
  }

  /** String that expires: `VERSION\nFRAME`. */
  cached(partition: number, topic: Topic): string {
    return `${this.#of(partition)}e:${topic}`
  }

  /** String that expires: somebody has told the topic's app of a cache miss. */
  missed(partition: number, topic: Topic): string {
    return `${this.#of(partition)}x:${topic}`
  }

  /** A key of a part that keeps its own layout (budgets). */
  own(partition: number, name: string): string {
    return `${this.#of(partition)}${name}`
  }

  /** The bus channel of a topic. */
  bus(partition: number, topic: Topic): string {
    return `${this.#of(partition)}b:${topic}`
  }

  /** The bus channel on which the node that sends hears of new entries of the outbox. */
  outboxBus(partition: number): string {
    return this.bus(partition, outboxTopic)
  }

  /** The partition of a bus channel of this deployment. */
  partitionOfBus(channel: string): number {
    const numberAt = this.#topicAt - 'NNxx}:b:'.length
    return Number(channel.slice(numberAt, numberAt + 2))
  }

  /** What `bus` was given, from a channel of this deployment. */
  topicOfBus(channel: string): Topic {
    return channel.slice(this.#topicAt)
  }

  #of(partition: number): string {
    return this.#starts[partition] ?? ''
  }
}
