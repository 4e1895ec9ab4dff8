import type { NodeCounters } from './counters.js'
import type { Hub } from './hub.js'
import type { Logger } from './ports/logger.js'
import type { SocketId, Topic, TruthKind } from './ports/broker.js'
import type { Fanout } from './ports/socket.js'
import type { Ticker } from './ticker.js'
import type { LocalChannel, Subscription } from './local-state.js'

/** Brings a message to the sockets of this node: one native publish, and one by one only to those that are not yet active. */
export class Delivery {
  readonly #hub: Hub
  readonly #fanout: Fanout
  readonly #counters: NodeCounters
  readonly #ticker: Ticker
  readonly #logger: Logger

  constructor(hub: Hub, fanout: Fanout, counters: NodeCounters, ticker: Ticker, logger: Logger) {
    this.#hub = hub
    this.#fanout = fanout
    this.#counters = counters
    this.#ticker = ticker
    this.#logger = logger
  }

  /** See BrokerSink.deliver. */
  deliver(topic: Topic, frame: string, except: SocketId | undefined, kind: TruthKind, version: number): void {
    const channel = this.#hub.topics.get(topic)
    if (channel === undefined) return
    if (kind === 'cache') channel.cacheVersion = version
    this.#publish(channel, frame, except)
    if (channel.pending !== undefined) this.#feedPending(channel, frame, except, kind, version)
  }

  /** Activates subscriptions that have settled for longer than any message can be under way; called by the sweep. */
  settleOverdue(settlingMaxS: number): void {
    for (const channel of this.#hub.topics.values()) {
      if (channel.pending === undefined) continue
      for (const subscription of channel.pending) {
        if (subscription.state !== 'settling') continue
        if (this.#ticker.nowS - subscription.settlingSinceS > settlingMaxS) this.#hub.activate(subscription)
      }
    }
  }

  #publish(channel: LocalChannel, frame: string, except: SocketId | undefined): void {
    const { local } = channel
    const excluded = except === undefined ? undefined : local.connections.get(except)
    const excludedState = excluded?.subscriptions?.get(channel.name)?.state
    const pending = channel.pending === undefined ? 0 : settlingCount(channel)
    const receivers = channel.joined - pending - (excludedState === 'active' ? 1 : 0)
    if (receivers <= 0) return
    local.counters.countSent(receivers, frame)
    this.#fanout.publish(channel.topic, frame, excludedState === 'active' ? excluded?.socket : undefined)
  }

  #feedPending(
    channel: LocalChannel,
    frame: string,
    except: SocketId | undefined,
    kind: TruthKind,
    version: number,
  ): void {
    for (const subscription of channel.pending ?? []) {
      const { connection } = subscription
      if (connection.socketId === except) continue
      if (subscription.state === 'joining') {
        if (!subscription.hold(frame, kind, version)) this.#counters.holdBackOverflows += 1
        continue
      }
      try {
        subscription.feed(frame, kind, version)
        if (hasSettled(subscription)) this.#hub.activate(subscription)
      } catch (error) {
        // The publisher and the other subscribers must not suffer for one socket.
        this.#logger.error(
          { app_id: channel.local.id, socket_id: connection.socketId, err: error },
          'A fault of the server while it fed one client; the others are fed',
        )
      }
    }
  }
}

/** Whether the cached event that the snapshot told has been delivered to this node; members always have (PresenceStore.join). */
export function hasSettled({ snapshot, channel }: Subscription): boolean {
  return channel.cacheVersion >= snapshot.cache
}

function settlingCount(channel: LocalChannel): number {
  let count = 0
  for (const subscription of channel.pending ?? []) if (subscription.state === 'settling') count += 1
  return count
}
