import type { SocketId } from '../../core/ports/broker.js'
import type { UserStatus, UserStore } from '../../core/ports/user-store.js'
import { userStatusTopic } from '../../core/topic.js'
import type { Share } from './membership.js'
import type { Surroundings } from './partition.js'
import { shareOf } from './shares.js'

/** Signed-in users in the whole cluster: each is the only member of a topic of its own. */
export class RedisUsers implements UserStore {
  readonly #around: Surroundings
  readonly #shares: readonly Share[]
  readonly #toldUpTo: () => number

  constructor(around: Surroundings, shares: readonly Share[], toldUpTo: () => number) {
    this.#around = around
    this.#shares = shares
    this.#toldUpTo = toldUpTo
  }

  async signIn(appId: string, userId: string, socketId: SocketId): Promise<{ first: boolean }> {
    const topic = userStatusTopic(appId, userId)
    const member = { userId, userInfo: undefined }
    const joined = await shareOf(this.#shares, topic).members.join(topic, socketId, member, 0, false)
    return { first: joined.outcome === 'joined' && joined.first }
  }

  async signOut(appId: string, userId: string, socketId: SocketId, handover: boolean): Promise<{ last: boolean }> {
    const topic = userStatusTopic(appId, userId)
    const holdMs = handover ? this.#around.handoverMs : 0
    return { last: await shareOf(this.#shares, topic).members.leave(topic, socketId, userId, holdMs) }
  }

  async status(appId: string, userIds: readonly string[]): Promise<readonly UserStatus[]> {
    const rosters = await Promise.all(
      userIds.map((userId) => {
        const topic = userStatusTopic(appId, userId)
        return shareOf(this.#shares, topic).members.known(topic)
      }),
    )
    // All at one moment, after the last await.
    const version = this.#toldUpTo()
    return userIds.map((userId, index) => {
      const roster = rosters[index]
      roster?.snapshot()
      return { userId, online: roster?.has(userId) === true, version }
    })
  }
}
