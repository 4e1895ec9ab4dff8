/**
 * Faults in random order for the length of an epoch; at the end everything runs again. Nodes and Redis have a turn each of their
 * own, so that a node may come back to a Redis that is gone, or be frozen while Redis loses its data.
 */
import { sleep } from '../black-box/waiting.js'
import type { Random } from '../harness/random.js'
import type { Cluster } from './cluster.js'

const ofNodes = ['crash', 'freeze', 'freeze'] as const
const ofRedis = ['restart', 'restart', 'freeze', 'flush', 'cut'] as const
type NodeFault = (typeof ofNodes)[number]
type RedisFault = (typeof ofRedis)[number]
const pauseMsMax = 3000
const shortestMs = 200
const longestMs = 4500

export class Faults {
  /** What happened, in order. */
  readonly log: string[] = []
  readonly #cluster: Cluster
  readonly #random: Random
  readonly #startedAtMs = performance.now()

  constructor(cluster: Cluster, random: Random) {
    this.#cluster = cluster
    this.#random = random
  }

  /** Resolves when the time is over and the last fault is repaired. */
  async play(durationMs: number): Promise<void> {
    await Promise.all([
      this.#turn(durationMs, this.#random.fork(), (random) => this.#hurtNode(random)),
      this.#turn(durationMs, this.#random.fork(), (random) => this.#hurtRedis(random)),
    ])
  }

  async #turn(durationMs: number, random: Random, cause: (random: Random) => Promise<void>): Promise<void> {
    for (;;) {
      await sleep(random.below(pauseMsMax))
      if (performance.now() > this.#startedAtMs + durationMs) return
      await cause(random)
    }
  }

  async #hurtNode(random: Random): Promise<void> {
    const index = random.below(this.#cluster.nodes.length)
    const kind: NodeFault = random.pick(ofNodes)
    const lengthMs = lengthOf(random)
    this.#note(`node ${index} ${kind}, ${lengthMs} ms`)
    const node = this.#cluster.node(index)
    if (kind === 'freeze') {
      node.freeze()
      await sleep(lengthMs)
      node.thaw()
    } else {
      await node.kill()
      await sleep(lengthMs)
      await this.#cluster.restart(index)
    }
  }

  async #hurtRedis(random: Random): Promise<void> {
    const { redis } = this.#cluster
    const kind: RedisFault = random.pick(ofRedis)
    const lengthMs = lengthOf(random)
    this.#note(`redis ${kind}, ${lengthMs} ms`)
    switch (kind) {
      case 'restart':
        await redis.kill()
        await sleep(lengthMs)
        await redis.restart()
        return
      case 'freeze':
        redis.freeze()
        await sleep(lengthMs)
        redis.thaw()
        return
      case 'flush':
        await redis.command('FLUSHALL')
        return
      case 'cut':
        await redis.command('CLIENT', 'KILL', 'TYPE', random.chance(2) ? 'pubsub' : 'normal')
    }
  }

  #note(what: string): void {
    this.log.push(`after ${((performance.now() - this.#startedAtMs) / 1000).toFixed(1)} s: ${what}`)
  }
}

function lengthOf(random: Random): number {
  return shortestMs + random.below(longestMs - shortestMs)
}
