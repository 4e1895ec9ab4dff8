import { inLanes } from '../../base/lanes.js'
import type { SocketId, Topic } from '../../core/ports/broker.js'
import type { Member } from '../../core/ports/presence-store.js'
import { AnnouncedRoster, type Announce, type MemberEvent } from './announced-roster.js'
import { LinkError } from './link.js'
import { TopicHolds, type Hold } from './member-holds.js'
import { orUnexpected, type Partition, type Surroundings } from './partition.js'
import { listOf, membersOf, pairsOf, textOf, textsOf } from './replies.js'
import { Rosters } from './rosters.js'
import { askMembers } from './script-calls.js'
import { storedInfo, wholeNumber } from './wire.js'

export type Joined =
  | { readonly outcome: 'joined'; readonly first: boolean; readonly roster: AnnouncedRoster }
  | { readonly outcome: 'full' }

/** Connections in one call of a script. */
const restoredPerCall = 100

/**
 * Who is in the topics of one partition: this node's connections, the store's truth about all of them, and what this node's
 * subscribers have been told. Presence channels and the status of signed-in users are the same thing here.
 */
export class Members {
  readonly #partition: Partition
  readonly #around: Surroundings
  readonly #rosters: Rosters
  readonly #holds = new Map<Topic, TopicHolds>()
  /** Topics whose roster comes with the answer to a join that is under way. */
  readonly #reading = new Set<Topic>()

  constructor(partition: Partition, around: Surroundings, announce: Announce) {
    this.#partition = partition
    this.#around = around
    this.#rosters = new Rosters(partition, around, announce, (topic, userId) => this.#holdsUser(topic, userId))
  }

  /**
   * Adds a connection. `first` says whether its user is new.
   * @param show whether the roster is wanted: then everything up to the join has been told when this resolves
   */
  async join(topic: Topic, socketId: SocketId, member: Member, membersMax: number, show: boolean): Promise<Joined> {
    const roster = show ? this.#rosters.of(topic) : this.#rosters.get(topic)
    const holds = this.#holdsOf(topic)
    const hold = holds.add(socketId, member)
    if (this.#partition.writable) {
      hold.joining = true
      try {
        const stored = await this.#storeJoin(topic, socketId, hold, membersMax, show ? roster : undefined)
        if (stored === 'full') {
          holds.delete(socketId, member.userId)
          this.#dropIfEmpty(topic, holds)
          return { outcome: 'full' }
        }
        return { outcome: 'joined', first: stored.first, roster: roster ?? this.#noRoster(topic) }
      } catch (error) {
        orUnexpected(error)
      } finally {
        hold.joining = false
      }
    }
    this.#partition.markDirty()
    return this.#joinUnstored(topic, socketId, member, membersMax, roster, holds)
  }

  /** Takes a connection away. @returns whether its user is gone */
  async leave(topic: Topic, socketId: SocketId, userId: string, holdMs: number): Promise<boolean> {
    const holds = this.#holds.get(topic)
    const hold = holds?.delete(socketId, userId)
    if (holds === undefined || hold === undefined) return false
    try {
      if (this.#partition.state === 'up') {
        const last = await this.#storeLeave(topic, socketId, userId, holdMs)
        if (!this.#holdsUser(topic, userId)) this.#rosters.get(topic)?.dropUnstored(userId)
        return last
      }
    } catch (error) {
      orUnexpected(error)
    } finally {
      this.#dropIfEmpty(topic, holds)
    }
    this.#partition.markDirty()
    // Asked for anew: others may have come and gone meanwhile.
    const now = this.#holdsOf(topic)
    now.rememberGone(socketId, hold)
    const last = !now.hasUser(userId)
    this.#dropIfEmpty(topic, now)
    if (last && holdMs === 0) this.#rosters.get(topic)?.removeUnstored(userId)
    return last
  }

  /** The roster, read if it is not known; while the store cannot be asked, what this node holds. */
  async known(topic: Topic): Promise<AnnouncedRoster> {
    const roster = this.#rosters.of(topic)
    if (roster.state !== 'current' && this.#partition.writable) {
      try {
        await this.#rosters.read(roster, this.#around.subscribeTimeoutMs)
      } catch (error) {
        orUnexpected(error)
      }
    }
    if (roster.state !== 'current') this.#showHeld(roster)
    return roster
  }

  /** Nobody on this node is subscribed to the topic any more. */
  forget(topic: Topic): void {
    this.#rosters.forget(topic)
  }

  /** Messages of the topic may have been missed. */
  verify(topic: Topic): void {
    const roster = this.#rosters.get(topic)
    if (roster !== undefined && this.#partition.state === 'up') this.#rosters.readSoon(roster)
  }

  /** A change from the bus. */
  apply(topic: Topic, event: MemberEvent): void {
    const roster = this.#rosters.get(topic)
    if (roster === undefined) return
    const holds = this.#holds.get(topic)
    const outcome = roster.apply(event, (userId, version) => holds?.storedBefore(userId, version) === true)
    if (outcome === 'contradicted') this.#partition.suspectLoss()
    else if (outcome === 'missed' && this.#partition.state === 'up') this.#rosters.readSoon(roster)
  }

  /** Distinct users held here, summed over the presence channels of an app. */
  localMembers(appId: string): number {
    let members = 0
    for (const [topic, holds] of this.#holds) {
      if (topic.startsWith(`${appId}/presence-`)) members += holds.users
    }
    return members
  }

  /**
   * Writes again what the store had of this node before its data was lost. Only nodes that had given a user up tell that he is back.
   * @throws NotDone, LinkError
   */
  async restore(): Promise<void> {
    const calls: Promise<unknown>[] = []
    for (const [topic, holds] of this.#holds) {
      this.#restore(topic, 1, holds.stored(), calls)
      this.#restore(topic, 0, holds.gone, calls)
    }
    await Promise.all(calls)
  }

  /**
   * Makes the store agree with what this node holds, then this node's subscribers with the store.
   * @throws NotDone, LinkError when that could not be finished
   */
  async audit(): Promise<void> {
    const { keys, node, queryTimeoutMs } = this.#around
    const { number, link } = this.#partition
    if (link === undefined) throw new LinkError('down', 'not connected')
    const stored = textsOf(await link.call('SMEMBERS', [keys.topics(number, node)], queryTimeoutMs))
    await inLanes([...new Set([...stored, ...this.#holds.keys()])], (topic) => this.#auditTopic(topic))
    await inLanes(this.#rosters.all(), (roster) => this.#rosters.read(roster, queryTimeoutMs))
  }

  async #storeJoin(
    topic: Topic,
    socketId: SocketId,
    hold: Hold,
    membersMax: number,
    roster: AnnouncedRoster | undefined,
  ): Promise<{ readonly first: boolean } | 'full'> {
    const reads = roster?.state === 'unread' && !this.#reading.has(topic)
    if (reads) this.#reading.add(topic)
    try {
      const { userId, userInfo } = hold.member
      const args = [socketId, userId, storedInfo(userInfo), membersMax, reads ? 1 : 0]
      const reply = await this.#ask('join', topic, args, this.#around.subscribeTimeoutMs)
      if (reply === 'full') return 'full'
      const [first, beforeText, versionText, members] = listOf(reply)
      const version = wholeNumber(textOf(versionText))
      hold.storedAt = Math.max(1, version)
      // As it was before: what has changed since, this user included, comes by the bus.
      const heldHere = (user: string) => this.#holdsUser(topic, user)
      if (reads && roster.begin(wholeNumber(textOf(beforeText)), membersOf(members), heldHere))
        this.#partition.markDirty()
      if (roster !== undefined) await this.#rosters.reach(roster, version)
      return { first: first === 1 }
    } finally {
      if (reads) this.#reading.delete(topic)
    }
  }

  async #storeLeave(topic: Topic, socketId: SocketId, userId: string, holdMs: number): Promise<boolean> {
    return (await this.#ask('leave', topic, [socketId, userId, holdMs])) === 1
  }

  #restore(topic: Topic, present: 1 | 0, entries: Iterable<[SocketId, Hold]>, calls: Promise<unknown>[]): void {
    let args: string[] = []
    for (const [socketId, { member }] of entries) {
      args.push(socketId, member.userId, storedInfo(member.userInfo))
      if (args.length < 3 * restoredPerCall) continue
      calls.push(this.#ask('restore', topic, [present, ...args]))
      args = []
    }
    if (args.length > 0) calls.push(this.#ask('restore', topic, [present, ...args]))
  }

  #joinUnstored(
    topic: Topic,
    socketId: SocketId,
    { userId, userInfo }: Member,
    membersMax: number,
    roster: AnnouncedRoster | undefined,
    holds: TopicHolds,
  ): Joined {
    if (!holds.has(socketId, userId))
      return { outcome: 'joined', first: false, roster: roster ?? this.#noRoster(topic) }
    if (roster !== undefined && membersMax > 0 && !roster.has(userId) && roster.count >= membersMax) {
      holds.delete(socketId, userId)
      this.#dropIfEmpty(topic, holds)
      return { outcome: 'full' }
    }
    const first = roster?.addUnstored(userId, userInfo) === true
    return { outcome: 'joined', first, roster: roster ?? this.#noRoster(topic) }
  }

  /** What this node can say of a topic that it could not read. */
  #showHeld(roster: AnnouncedRoster): void {
    for (const [, { member }] of this.#holds.get(roster.topic)?.live() ?? []) {
      roster.addUnstored(member.userId, member.userInfo)
    }
    this.#partition.markDirty()
  }

  async #auditTopic(topic: Topic): Promise<void> {
    const { keys, node, queryTimeoutMs } = this.#around
    const { number, link } = this.#partition
    if (link === undefined) throw new LinkError('down', 'not connected')
    const stored = pairsOf(await link.call('HGETALL', [keys.sockets(number, node, topic)], queryTimeoutMs))
    const calls: Promise<unknown>[] = []
    const holds = this.#holds.get(topic)
    // What is live is asked in the same turn as the call is made, so that no later change of it is overtaken.
    for (const [socketId, userId] of stored) {
      if (holds?.has(socketId, userId) !== true) calls.push(this.#storeLeave(topic, socketId, userId, 0))
    }
    for (const [socketId, hold] of holds?.live() ?? []) {
      if (stored.has(socketId)) hold.storedAt ||= 1
      else if (!hold.joining) calls.push(this.#storeJoin(topic, socketId, hold, 0, undefined))
    }
    await Promise.all(calls)
    holds?.gone.clear()
    if (holds !== undefined) this.#dropIfEmpty(topic, holds)
  }

  #ask(
    name: 'join' | 'leave' | 'restore',
    topic: Topic,
    args: readonly (string | number)[],
    timeoutMs?: number,
  ): Promise<unknown> {
    return askMembers(this.#around, this.#partition, name, this.#around.node, topic, args, timeoutMs)
  }

  #holdsUser(topic: Topic, userId: string): boolean {
    return this.#holds.get(topic)?.hasUser(userId) === true
  }

  #holdsOf(topic: Topic): TopicHolds {
    let holds = this.#holds.get(topic)
    if (holds === undefined) {
      holds = new TopicHolds()
      this.#holds.set(topic, holds)
    }
    return holds
  }

  #dropIfEmpty(topic: Topic, holds: TopicHolds): void {
    if (holds.isEmpty && this.#holds.get(topic) === holds) this.#holds.delete(topic)
  }

  /** For topics that this node does not show to anybody. */
  #noRoster(topic: Topic): AnnouncedRoster {
    return new AnnouncedRoster(topic, () => undefined)
  }
}
