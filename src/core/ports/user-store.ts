import type { SocketId } from './broker.js'

/**
 * Who is signed in, cluster-wide. A user's first sign-in and last sign-out are published, with the next version of that user, to
 * the topic `userStatusTopic(appId, userId)` as a watchlist frame, in the same step.
 */
export interface UserStore {
  signIn(appId: string, userId: string, socketId: SocketId): Promise<{ readonly first: boolean }>
  signOut(appId: string, userId: string, socketId: SocketId): Promise<{ readonly last: boolean }>
  /** The state of each user asked for, in the order asked. */
  status(appId: string, userIds: readonly string[]): Promise<readonly UserStatus[]>
}

export interface UserStatus {
  readonly userId: string
  readonly online: boolean
  readonly version: number
}
