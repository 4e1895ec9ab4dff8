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

/**
 * A transition and its place in the partition's outbox: `MS-NUMBER`, both parts decimal, growing. The place is also its stable id
 * within the partition.
 */
export interface OutboxEntry {
  readonly id: string
  readonly transition: Transition
}

/** Entries in order, and when they were read, by the store's clock: with fewer than were asked for, there was nothing else up to then. */
export interface OutboxPage {
  readonly entries: readonly OutboxEntry[]
  readonly nowMs: number
}

/** How far what is in a partition has been dealt with. Ids are those of entries; '' stands before the first. */
export interface OutboxProgress {
  /** Everything up to it is dealt with by every receiver, and may be dropped. */
  readonly doneTo: string
  /** A receiver that is not named in `behind` has dealt with everything up to it. */
  readonly readTo: string
  /** Receiver → up to where it has dealt with everything; only those that are behind `readTo`. */
  readonly behind: ReadonlyMap<string, string>
}

/** Who sends what is in the outbox. Its methods are synchronous and never throw. */
export interface OutboxListener {
  /** This node is the one that sends what is in the partition, from where its predecessor stopped: it is to be read now. */
  gained(partition: number, progress: OutboxProgress): void
  /**
   * The partition's data was lost: what is there now is to be read from the beginning, whatever a read that is under way brings; what
   * has been read stays to be sent. Ids may be smaller than those read before.
   */
  emptied(partition: number): void
  /** Another node sends what is in the partition. */
  lost(partition: number): void
  /**
   * There is something to read in a partition of this node. What is appended within 30 ms of another entry is not told (but noticed a
   * lease's beat later at the latest): so who was told reads, and reads again 40 ms after each answer, until a read that was sent so
   * long after the answer before it brings nothing. Not told of what has been read already.
   */
  appended(partition: number): void
}

/**
 * Transitions, appended in the same step as the change itself. Split into partitions: all of a channel are in one, in order.
 * Each partition has one node that sends what is in it. Bounded: above 100 000 entries of a partition the oldest are dropped.
 */
export interface Outbox {
  readonly partitions: number
  /** Whether entries outlive this process, and another node goes on with them. */
  readonly outlives: boolean
  /** This node takes part in sending. Called at most once, before the backend is started. */
  watch(listener: OutboxListener): void
  /**
   * The entries after an id ('' = from the oldest), at most `count`.
   * @throws BrokerError when the store cannot be asked
   */
  read(partition: number, after: string, count: number): Promise<OutboxPage>
  /**
   * Notes how far this node is; does nothing, and calls `lost`, when the partition is another node's by now.
   * @throws BrokerError when the store cannot be asked
   */
  done(partition: number, progress: OutboxProgress): Promise<void>
  /** Gives up the partitions of this node, so that others take them at once. Nobody is called after this. Never rejects. */
  release(): Promise<void>
}
