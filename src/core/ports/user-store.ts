import type { SocketId } from './broker.js'

/**
 * Who is signed in, cluster-wide. A user's first sign-in and last sign-out are published, with the next version of that user, to
 * the topic `userStatusTopic(appId, userId)` as a watchlist frame, in the same step. A node is told of them while it is subscribed to
 * that topic, from its first question for the user's status on.
 */
export interface UserStore {
  signIn(appId: string, userId: string, socketId: SocketId): Promise<{ readonly first: boolean }>
  /** @param handover see PresenceStore.leave */
  signOut(appId: string, userId: string, socketId: SocketId, handover: boolean): Promise<{ readonly last: boolean }>
  /** The state of each user asked for, in the order asked; everything up to its version has been delivered to the sink. */
  status(appId: string, userIds: readonly string[]): Promise<readonly UserStatus[]>
}

export interface UserStatus {
  readonly userId: string
  readonly online: boolean
  readonly version: number
}
