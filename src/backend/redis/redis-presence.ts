import type { SocketId, Topic } from '../../core/ports/broker.js'
import type { JoinResult, Member, PresenceStore } from '../../core/ports/presence-store.js'
import type { Share } from './membership.js'
import type { Surroundings } from './partition.js'
import { membersOf, numberOf } from './replies.js'
import { shareOf, sumOfAll } from './shares.js'

/** Members of presence channels in the whole cluster. */
export class RedisPresence implements PresenceStore {
  readonly #around: Surroundings
  readonly #shares: readonly Share[]
  readonly #toldUpTo: () => number

  /** @param toldUpTo the version of the last change told to this node's subscribers */
  constructor(around: Surroundings, shares: readonly Share[], toldUpTo: () => number) {
    this.#around = around
    this.#shares = shares
    this.#toldUpTo = toldUpTo
  }

  async join(topic: Topic, socketId: SocketId, member: Member, membersMax: number): Promise<JoinResult> {
    const joined = await this.#shareOf(topic).members.join(topic, socketId, member, membersMax, true)
    if (joined.outcome === 'full') return joined
    const { first, roster } = joined
    return { outcome: 'joined', first, roster: roster.snapshot(), version: this.#toldUpTo() }
  }

  async leave(topic: Topic, socketId: SocketId, userId: string, handover: boolean): Promise<{ last: boolean }> {
    const holdMs = handover ? this.#around.handoverMs : 0
    return { last: await this.#shareOf(topic).members.leave(topic, socketId, userId, holdMs) }
  }

  async userIds(topic: Topic): Promise<readonly string[]> {
    const { partition } = this.#shareOf(topic)
    const key = this.#around.keys.roster(partition.number, topic)
    const members = membersOf(await partition.read('HGETALL', [key]))
    return members.sort((one, other) => one.order - other.order).map(({ userId }) => userId)
  }

  async count(topic: Topic): Promise<number> {
    const { partition } = this.#shareOf(topic)
    return numberOf(await partition.read('HLEN', [this.#around.keys.roster(partition.number, topic)]))
  }

  async counts(appId: string): Promise<ReadonlyMap<string, number>> {
    const { keys } = this.#around
    return sumOfAll(this.#shares, (partition) => keys.userCounts(partition, appId))
  }

  localMembers(appId: string): number {
    return this.#shares.reduce((sum, { members }) => sum + members.localMembers(appId), 0)
  }

  #shareOf(topic: Topic): Share {
    return shareOf(this.#shares, topic)
  }
}
