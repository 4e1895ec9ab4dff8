/** A change of stored truth that an app wants to hear of (webhooks, section 5 of the protocol), in the order it happened. */
export interface Transition {
  readonly type: TransitionType
  readonly appId: string
  readonly channel: string
  /** Of member_added and member_removed. */
  readonly userId?: string
  /** Of subscription_count. */
  readonly count?: number
  /** When it happened, by the store's clock. */
  readonly timeMs: number
}

export type TransitionType =
  'channel_occupied' | 'channel_vacated' | 'member_added' | 'member_removed' | 'subscription_count'

/** Which transitions an app has a webhook for (transitions.ts). Asked for every change, so it answers from memory. */
export type WantsTransition = (appId: string, type: TransitionType) => boolean

/** A transition and its place in the partition's outbox; the place is also its stable id within the partition. */
export interface OutboxEntry {
  readonly id: string
  readonly transition: Transition
}

/**
 * Transitions, appended in the same step as the change itself. Split into partitions: all of a channel are in one, in order.
 * Bounded: above `outboxEntriesMax` of a partition the oldest are dropped and counted.
 */
export interface Outbox {
  readonly partitions: number
  /** The entries after an id ('' = from the oldest), at most `count`. */
  read(partition: number, after: string, count: number): Promise<readonly OutboxEntry[]>
  /** Everything up to this id has been dealt with and is dropped. */
  done(partition: number, upTo: string): Promise<void>
}
