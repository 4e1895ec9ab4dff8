import type { ChannelTraits } from '../protocol/channel-name.js'
import type { LocalApp } from './local-app.js'
import type { Topic } from './ports/broker.js'
import type { Subscription } from './subscription.js'

/** What this node knows of a channel that has local subscribers. */
export class LocalChannel {
  readonly name: string
  readonly topic: Topic
  readonly traits: ChannelTraits
  readonly local: LocalApp
  /** Subscriptions of this node that are not `left`. */
  subscriptions = 0
  /** Those that were told they are subscribed: `settling` or `active`. */
  joined = 0
  /** Those that are `joining` or `settling`; undefined when there are none, which is nearly always. */
  pending: Set<Subscription> | undefined
  /** Resolves when the broker delivers the topic; undefined from then on. */
  ready: Promise<void> | undefined
  /** Versions of the last delivered messages. */
  membersVersion = 0
  cacheVersion = 0

  constructor(name: string, topic: Topic, traits: ChannelTraits, local: LocalApp) {
    this.name = name
    this.topic = topic
    this.traits = traits
    this.local = local
  }
}
