import type { SocketId, Topic } from './broker.js'

/** One user's entry in a presence channel. `userInfo` is JSON text, or undefined when the user gave none. */
export interface Member {
  readonly userId: string
  readonly userInfo: string | undefined
}

/** A channel's members at one version, already encoded for the subscription_succeeded frame. */
export interface RosterSnapshot {
  readonly count: number
  /** The JSON text of `{"presence":{"count":…,"ids":[…],"hash":{…}}}`, escaped to stand inside a JSON string. */
  readonly escapedJson: string
}

export type JoinResult =
  | { readonly outcome: 'joined'; readonly first: boolean; readonly roster: RosterSnapshot; readonly version: number }
  | { readonly outcome: 'full' }

/**
 * Who is in a presence channel, cluster-wide. Every change is one atomic step that also publishes member_added or
 * member_removed to the topic (architecture idea 3); callers publish nothing themselves.
 */
export interface PresenceStore {
  /**
   * Adds one connection of a user. The node is subscribed to the topic. Everything up to the version of the answer has been delivered to the sink when it resolves.
   * While the cluster cannot be asked, the answer is what this node knows (D4).
   * `first` says whether the user was not in the channel before; then member_added was published.
   * @param membersMax distinct users allowed, 0 = no limit; a user who is in already is never refused
   */
  join(topic: Topic, socketId: SocketId, member: Member, membersMax: number): Promise<JoinResult>
  /**
   * Takes one connection away. `last` says whether the user is gone; then member_removed was published.
   * @param handover the server closed the connection so that the client comes back elsewhere: the user's last connection is held
   *   for `presence.handoverMs` (D6), and counts as gone only if the user is not back by then
   */
  leave(topic: Topic, socketId: SocketId, userId: string, handover: boolean): Promise<{ readonly last: boolean }>
  /** Distinct user ids, in order of arrival. */
  userIds(topic: Topic): Promise<readonly string[]>
  /** Number of distinct users. */
  count(topic: Topic): Promise<number>
  /** The same of every presence channel of an app that has members, by channel name. */
  counts(appId: string): Promise<ReadonlyMap<string, number>>
  /** Distinct users of this node's connections, summed over the app's presence channels; for the metric. */
  localMembers(appId: string): number
}
