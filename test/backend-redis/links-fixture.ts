import { systemClock } from '../../src/base/clock.js'
import { BusCounters } from '../../src/core/counters.js'
import { Keys, partitionCount } from '../../src/backend/redis/keys.js'
import type { Link, Links, Script } from '../../src/backend/redis/link.js'
import { createLinks } from '../../src/backend/redis/links.js'
import type { LinksOptions } from '../../src/backend/redis/redis-options.js'
import { RecordingLogger } from '../fakes/recording-logger.js'
import { eventually } from '../harness/eventually.js'

export const prefix = 'belfry-test'
export const keys = new Keys(prefix)

/** Publishes ARGV[1] to KEYS[1] and counts it in KEYS[2]. */
export const say: Script = {
  name: 'say',
  source: `local said = redis.call('INCR', KEYS[2])\npublish(KEYS[1], ARGV[1])\nreturn said`,
}

/** Links of one node with everything they told their listener. */
export class NodeLinks {
  readonly links: Links
  readonly logger = new RecordingLogger()
  readonly counters = new BusCounters()
  readonly messages: { readonly channel: string; readonly payload: string }[] = []
  readonly up = new Set<number>()
  /** What the listener must never see: up while up, down while down. */
  readonly mistakes: string[] = []
  /** Monotonic, of the last change. */
  upAtMs = 0
  downAtMs = 0
  downs = 0

  constructor(options: Partial<LinksOptions>) {
    this.links = createLinks({
      mode: 'standalone',
      url: 'redis://127.0.0.1:6379/0',
      nodes: [],
      sentinelName: undefined,
      sentinelPassword: undefined,
      tls: undefined,
      prefix,
      nodeId: 'node-a',
      scripts: [say],
      timeouts: { subscribeMs: 300 },
      clock: systemClock,
      logger: this.logger,
      counters: this.counters,
      ...options,
    })
  }

  /** Starts and waits until every partition is up. */
  static async connect(options: Partial<LinksOptions>): Promise<NodeLinks> {
    const node = new NodeLinks(options)
    await node.start()
    await node.allUp()
    return node
  }

  start(): Promise<void> {
    return this.links.start({
      message: (channel, payload) => void this.messages.push({ channel, payload }),
      partitionUp: (partition) => {
        if (this.up.has(partition)) this.mistakes.push(`partition ${partition} up twice`)
        this.up.add(partition)
        this.upAtMs = performance.now()
      },
      partitionDown: (partition) => {
        if (!this.up.delete(partition)) this.mistakes.push(`partition ${partition} down twice`)
        this.downAtMs = performance.now()
        this.downs += 1
      },
    })
  }

  allUp(deadlineMs = 10_000): Promise<true> {
    return eventually('all partitions are up', () => this.up.size === partitionCount && true, deadlineMs)
  }

  allDown(deadlineMs = 10_000): Promise<true> {
    return eventually('all partitions are down', () => this.up.size === 0 && true, deadlineMs)
  }

  link(partition = 0): Link {
    const link = this.links.of(partition)
    if (link === undefined) throw new Error(`partition ${partition} has no link`)
    return link
  }

  channel(partition: number, name: string): string {
    return keys.own(partition, `b:${name}`)
  }

  /** Publishes on a channel of a partition. */
  async say(partition: number, name: string, text: string, timeoutMs = 1000): Promise<unknown> {
    const said = [this.channel(partition, name), keys.own(partition, `said:${name}`)]
    return this.link(partition).run(say, said, [text], timeoutMs)
  }

  async received(text: string, deadlineMs = 5000): Promise<void> {
    await eventually(`message ${text}`, () => this.messages.some(({ payload }) => payload === text), deadlineMs)
  }

  /** Everything that was logged, errors included. */
  get logText(): string {
    return JSON.stringify(this.logger.lines, (_key, value: unknown) =>
      value instanceof Error ? { own: Object.entries(value), text: `${value.message} ${value.stack ?? ''}` } : value,
    )
  }

  close(): Promise<void> {
    return this.links.close()
  }
}
