import type { Timer } from '../../base/clock.js'
import {
  BrokerError,
  type Broker,
  type BrokerSink,
  type ControlMessage,
  type Topic,
  type TopicMessage,
} from '../../core/ports/broker.js'
import { userOfStatusTopic } from '../../core/topic.js'
import type { Counts } from './counts.js'
import { partitionOf } from './keys.js'
import { LinkError, type Link } from './link.js'
import type { Members } from './members.js'
import { deadlineMarginMs, type Partition, type Surroundings } from './partition.js'
import { scripts } from './truth-scripts.js'
import { controlMessage, decodeMessage, eventHead, type BusMessage } from './wire.js'

/** How long a channel without local subscribers is kept, because many come back at once. */
const keptMs = 5000
const givingUpEveryMs = 1000
/** When the bus confirmed a channel late, what may have been missed is looked for after this long. */
const verifyAfterMs = 1000

/** Messages to all nodes travel here. */
const controlTopic = '#control'

/**
 * The bus: one Redis channel per occupied channel, so that a node gets only what its clients want. Every message, this node's own
 * included, is delivered when it comes back from Redis; only client events have been delivered here before (D3).
 */
export class RedisBroker implements Broker {
  readonly #around: Surroundings
  readonly #membersOf: (partition: number) => Members | undefined
  readonly #countsOf: (partition: number) => Counts | undefined
  readonly #stateOf: (partition: number) => Pick<Partition, 'gathering'> | undefined
  /** Topic → the last sequence number that came; 0 = none yet. */
  readonly #sequences = new Map<Topic, number>()
  /** Topics given up by the hub → when they are given up here. */
  readonly #leaving = new Map<Topic, number>()
  #sink: BrokerSink | undefined
  #timer: Timer | undefined

  constructor(
    around: Surroundings,
    membersOf: (partition: number) => Members | undefined,
    countsOf: (partition: number) => Counts | undefined,
    stateOf: (partition: number) => Pick<Partition, 'gathering'> | undefined,
  ) {
    this.#around = around
    this.#membersOf = membersOf
    this.#countsOf = countsOf
    this.#stateOf = stateOf
  }

  start(sink: BrokerSink): void {
    this.#sink = sink
    const partition = partitionOf(controlTopic)
    void this.#around.links.want(partition, this.#around.keys.bus(partition, controlTopic))
    this.#timer = this.#around.clock.every(givingUpEveryMs, () => this.#giveUp())
  }

  close(): void {
    this.#timer?.stop()
  }

  async subscribe(topic: Topic): Promise<void> {
    this.#leaving.delete(topic)
    if (!this.#sequences.has(topic)) this.#sequences.set(topic, 0)
    const { links, keys, counters, clock } = this.#around
    const partition = partitionOf(topic)
    const members = this.#membersOf(partition)
    if (!(await links.want(partition, keys.bus(partition, topic)))) {
      counters.subscribedUnconfirmed += 1
      clock.after(verifyAfterMs, () => {
        members?.verify(topic)
        this.#countsOf(partition)?.verify(topic)
      })
    }
    // Nobody joins a user's status, so that it is read here: changes are told against it.
    if (userOfStatusTopic(topic) !== undefined) await members?.known(topic)
  }

  unsubscribe(topic: Topic): void {
    this.#leaving.set(topic, this.#around.clock.monotonicMs() + keptMs)
  }

  async publish(topic: Topic, { frame, except, cacheTtlMs }: TopicMessage): Promise<void> {
    const partition = partitionOf(topic)
    const link = this.#linkOf(partition)
    const { keys, node, clock, counters } = this.#around
    const startedMs = clock.monotonicMs()
    const scriptKeys = [keys.bus(partition, topic), keys.sequence(partition, topic)]
    const sentMs = link.redisNowMs()
    // What came before came by a subscription: when nobody hears this, that is gone, and all nodes' may be (R9).
    const hears = (this.#sequences.get(topic) ?? 0) > 0 ? 1 : 0
    if (cacheTtlMs === undefined) {
      const args = [this.#deadline(link), eventHead('e', node, except, sentMs), `\n${frame}`, hears]
      await this.#confirmed(link.run(scripts.publish, scriptKeys, args, this.#around.publishTimeoutMs))
    } else {
      const args = [this.#deadline(link), eventHead('c', node, except, sentMs), `\n${frame}`, cacheTtlMs, hears]
      const cachedKeys = [...scriptKeys, keys.cached(partition, topic), keys.version(partition)]
      await this.#confirmed(link.run(scripts.publishCached, cachedKeys, args, this.#around.publishTimeoutMs))
    }
    counters.publishSeconds.observe((clock.monotonicMs() - startedMs) / 1000)
  }

  relay(topic: Topic, message: TopicMessage): void {
    this.#relay(topic, message).catch((error: unknown) => {
      if (error instanceof BrokerError) this.#around.counters.droppedNotBridged += 1
      else this.#around.logger.error({ err: error }, 'A fault of the server while a client event was passed on')
    })
  }

  async control(message: ControlMessage): Promise<void> {
    const partition = partitionOf(controlTopic)
    const link = this.#linkOf(partition)
    const { keys, node, publishTimeoutMs } = this.#around
    const args = [this.#deadline(link), controlMessage(node, link.redisNowMs(), message)]
    await this.#confirmed(link.run(scripts.control, [keys.bus(partition, controlTopic)], args, publishTimeoutMs))
  }

  /** A message of the bus. */
  receive(topic: Topic, payload: string): void {
    const message = decodeMessage(payload)
    if (message === undefined) {
      this.#around.counters.droppedJunk += 1
      return
    }
    switch (message.type) {
      case 'added':
      case 'removed':
        this.#membersOf(partitionOf(topic))?.apply(topic, message)
        return
      case 'counted':
        this.#countsOf(partitionOf(topic))?.heard(topic, message.total)
        return
      case 'appended':
        // Of a channel of its own, which does not lead here.
        this.#around.counters.droppedJunk += 1
        return
      case 'control':
        if (topic === controlTopic) this.#sink?.control(message.control)
        return
      case 'event':
      case 'relay':
      case 'cached':
        this.#deliver(topic, message)
    }
  }

  #deliver(topic: Topic, message: Extract<BusMessage, { frame: string }>): void {
    const { type, origin, except, sentMs, sequence, version, frame } = message
    const { counters, node } = this.#around
    this.#countGap(topic, sequence)
    if (type === 'relay' && origin === node) return
    const link = this.#around.links.of(partitionOf(topic))
    if (link !== undefined) counters.deliverySeconds.observe(Math.max(0, link.redisNowMs() - sentMs) / 1000)
    this.#sink?.deliver(topic, frame, except, type === 'cached' ? 'cache' : 'none', version)
  }

  /** A sequence that begins again (idle for long, or Redis lost its data) is no gap. */
  #countGap(topic: Topic, sequence: number): void {
    const last = this.#sequences.get(topic)
    if (last === undefined) return
    this.#sequences.set(topic, sequence)
    const missing = sequence - last - 1
    if (last === 0 || missing <= 0) return
    const { counters, logger } = this.#around
    counters.gaps += 1
    counters.lost += missing
    logger.warn({ lost: missing }, 'Messages of the bus were missed')
  }

  async #relay(topic: Topic, { frame, except }: TopicMessage): Promise<void> {
    const partition = partitionOf(topic)
    const link = this.#linkOf(partition)
    const { keys, node, publishTimeoutMs } = this.#around
    const scriptKeys = [keys.bus(partition, topic), keys.sequence(partition, topic)]
    const args = [this.#deadline(link), eventHead('r', node, except, link.redisNowMs()), `\n${frame}`, 0]
    await this.#confirmed(link.run(scripts.publish, scriptKeys, args, publishTimeoutMs))
  }

  #linkOf(partition: number): Link {
    const link = this.#around.links.of(partition)
    if (link?.up !== true || this.#stateOf(partition)?.gathering === true) throw new BrokerError('down')
    return link
  }

  #deadline(link: Link): number {
    const { publishTimeoutMs } = this.#around
    return Math.floor(link.redisNowMs() + publishTimeoutMs - deadlineMarginMs(publishTimeoutMs))
  }

  /** @throws BrokerError when the script was not run in time, or nobody knows */
  async #confirmed(reply: Promise<unknown>): Promise<void> {
    let outcome: unknown
    try {
      outcome = await reply
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      if (error.kind === 'unsure') this.#around.counters.unsure += 1
      throw new BrokerError(error.kind === 'unsure' ? 'unsure' : 'down')
    }
    if (outcome === 'late' || outcome === 'unheard') throw new BrokerError('late')
  }

  #giveUp(): void {
    const nowMs = this.#around.clock.monotonicMs()
    for (const [topic, dueMs] of this.#leaving) {
      if (dueMs > nowMs) return
      this.#leaving.delete(topic)
      this.#sequences.delete(topic)
      const partition = partitionOf(topic)
      this.#around.links.unwant(partition, this.#around.keys.bus(partition, topic))
      this.#membersOf(partition)?.forget(topic)
    }
  }
}
