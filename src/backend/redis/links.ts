import { ClusterLinks } from './cluster-links.js'
import { FirstAttempt } from './first-attempt.js'
import { partitionCount } from './keys.js'
import type { Link, Links, LinksListener } from './link.js'
import {
  addressText,
  parseRedisUrl,
  proofChannel,
  sentinelOptions,
  serverOptions,
  type LinksOptions,
} from './redis-options.js'
import { ServerLink } from './server-link.js'

/** @throws Error with one sentence when the options make no sense */
export function createLinks(options: LinksOptions): Links {
  return options.mode === 'cluster' ? new ClusterLinks(options) : new SingleLinks(options)
}

/** One server for all partitions: standalone, or the master that sentinels name. */
class SingleLinks implements Links {
  readonly #link: ServerLink
  readonly #firstAttempt: FirstAttempt
  #listener: LinksListener | undefined

  constructor(options: LinksOptions) {
    this.#firstAttempt = new FirstAttempt(options.clock)
    const target = parseRedisUrl(options.url)
    const sentinel = options.mode === 'sentinel'
    this.#link = new ServerLink(
      {
        name: sentinel ? `master ${options.sentinelName ?? ''}` : addressText(target.address),
        redis: sentinel ? sentinelOptions(options, target) : serverOptions(options, target, target.address),
        cluster: false,
        oneAddress: sentinel,
        proofChannel: proofChannel(options, 0),
        scripts: options.scripts,
        subscribeTimeoutMs: options.timeouts.subscribeMs,
        clock: options.clock,
        logger: options.logger,
        counters: options.counters,
      },
      {
        message: (channel, payload) => this.#listener?.message(channel, payload),
        up: () => {
          this.#firstAttempt.over()
          for (let partition = 0; partition < partitionCount; partition += 1) this.#listener?.partitionUp(partition)
        },
        down: () => {
          for (let partition = 0; partition < partitionCount; partition += 1) this.#listener?.partitionDown(partition)
        },
        moved: () => undefined,
        failed: () => this.#firstAttempt.over(),
        unfit: (error) => this.#firstAttempt.over(error),
      },
    )
  }

  async start(listener: LinksListener): Promise<void> {
    this.#listener = listener
    const attempt = this.#firstAttempt.wait()
    this.#link.open()
    try {
      await attempt
    } catch (error) {
      await this.close()
      throw error
    }
  }

  of(_partition: number): Link | undefined {
    return this.#link.connected ? this.#link : undefined
  }

  want(partition: number, channel: string): Promise<boolean> {
    return this.#link.want(partition, channel)
  }

  unwant(_partition: number, channel: string): void {
    this.#link.unwant(channel)
  }

  close(): Promise<void> {
    return this.#link.close()
  }
}
