/** One channel of one app, see `topicOf`. */
export type Topic = string

export type SocketId = string

/** What is published to a topic. The frame is encoded once and never parsed again. */
export interface TopicMessage {
  /** A complete WebSocket text frame. */
  readonly frame: string
  /** The connection that must not get it, wherever it is connected. */
  readonly except?: SocketId | undefined
  /** Keep the frame as the topic's last event for this long, in the same step (cache channels). */
  readonly cacheTtlMs?: number | undefined
}

/** Told to every node, the sender included. */
export type ControlMessage = { readonly type: 'terminate-user'; readonly appId: string; readonly userId: string }

/**
 * What stored truth a message changed: none, the topic's members (or a user's status), or its cached event. Each of the two has
 * a version of its own that grows with every change.
 */
export type TruthKind = 'none' | 'members' | 'cache'

/** The node's side of the broker: called synchronously, in order per topic; never throws. */
export interface BrokerSink {
  /**
   * A message of a topic this node subscribed to.
   * @param version the version of the changed truth after this message; 0 when `kind` is `none`
   */
  deliver(topic: Topic, frame: string, except: SocketId | undefined, kind: TruthKind, version: number): void
  /**
   * The number of subscriptions of a channel changed, for the whole cluster; in the order of the changes. Told for apps that want
   * it (`TellsCounts`), and never of presence channels. A change of this node's own is told here also while the bus is down, with the
   * number as far as this node knows it (D4), and what was missed then is told afterwards. The same number again is for whoever is new:
   * changes of this node that cancelled each other out.
   */
  counted(topic: Topic, total: number): void
  control(message: ControlMessage): void
}

/** Moves messages between nodes; ordered per publishing node and topic. */
export interface Broker {
  /**
   * First local subscriber of a topic; resolves once delivery is guaranteed, or when a client must not wait for it any longer
   * because the bus is down or slow (D4): then the topic is taken as soon as the bus is back. Undefined where it is delivered already.
   */
  subscribe(topic: Topic): Promise<void> | undefined
  /** Last local subscriber left; the broker may give the topic up later. */
  unsubscribe(topic: Topic): void
  /**
   * Publishes to every subscribed node, this one included (through the sink).
   * @throws BrokerError when the bus did not confirm
   */
  publish(topic: Topic, message: TopicMessage): Promise<void>
  /** Client events: to the *other* nodes only, without confirmation (D3); this node has delivered already. */
  relay(topic: Topic, message: TopicMessage): void
  /** @throws BrokerError when the bus did not confirm */
  control(message: ControlMessage): Promise<void>
}

/** Why a publish was not confirmed: nothing was published (`late`, `down`), or nobody can know (`unsure`). */
export class BrokerError extends Error {
  readonly kind: 'late' | 'unsure' | 'down'

  constructor(kind: 'late' | 'unsure' | 'down') {
    super(`the bus did not confirm the message (${kind})`)
    this.kind = kind
  }
}
