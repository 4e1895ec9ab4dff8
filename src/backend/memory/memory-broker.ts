import type { Broker, BrokerSink, ControlMessage, Topic, TopicMessage } from '../../core/ports/broker.js'
import type { MemoryCache } from './memory-cache.js'

const done = Promise.resolve()

/** The bus of a single node: a publish is a call of the sink. */
export class MemoryBroker implements Broker {
  readonly #cache: MemoryCache
  #sink: BrokerSink | undefined

  constructor(cache: MemoryCache) {
    this.#cache = cache
  }

  start(sink: BrokerSink): void {
    this.#sink = sink
  }

  /** There is nobody to wait for. */
  subscribe(): undefined {
    return undefined
  }

  /** Nothing is held per topic. */
  unsubscribe(): void {
    return
  }

  publish(topic: Topic, message: TopicMessage): Promise<void> {
    const { frame, except, cacheTtlMs } = message
    if (cacheTtlMs === undefined) {
      this.#sink?.deliver(topic, frame, except, 'none', 0)
    } else {
      const version = this.#cache.set(topic, frame, cacheTtlMs)
      this.#sink?.deliver(topic, frame, except, 'cache', version)
    }
    return done
  }

  /** There are no other nodes. */
  relay(): void {
    return
  }

  control(message: ControlMessage): Promise<void> {
    this.#sink?.control(message)
    return done
  }

  /** A change of a channel's subscriptions, told in the same step. */
  counted(topic: Topic, total: number): void {
    this.#sink?.counted(topic, total)
  }

  /** A change of stored truth, told in the same step as the change. */
  announce(topic: Topic, frame: string, version: number): void {
    this.#sink?.deliver(topic, frame, undefined, 'members', version)
  }
}
