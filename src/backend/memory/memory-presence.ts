import { memberRemovedFrame } from '../../protocol/outbound.js'
import { Roster } from '../../protocol/roster.js'
import type { SocketId, Topic } from '../../core/ports/broker.js'
import type { JoinResult, Member, PresenceStore } from '../../core/ports/presence-store.js'
import { splitTopic } from '../../core/topic.js'
import type { MemoryBroker } from './memory-broker.js'
import type { MemoryOutbox } from './memory-outbox.js'

interface AppMembers {
  readonly id: string
  /** Distinct users, summed over the channels. */
  total: number
  /** Channel → distinct users. */
  readonly counts: Map<string, number>
}

interface Room {
  readonly app: AppMembers
  readonly channel: string
  readonly roster: Roster
  /** User id → its connections. */
  readonly sockets: Map<string, Set<SocketId>>
}

/** Members of presence channels in one process. The version counts the changes of all channels, so that it outlives an empty room. */
export class MemoryPresence implements PresenceStore {
  readonly #broker: MemoryBroker
  readonly #outbox: MemoryOutbox
  readonly #rooms = new Map<Topic, Room>()
  readonly #apps = new Map<string, AppMembers>()
  #version = 0

  constructor(broker: MemoryBroker, outbox: MemoryOutbox) {
    this.#broker = broker
    this.#outbox = outbox
  }

  join(topic: Topic, socketId: SocketId, member: Member, membersMax: number): Promise<JoinResult> {
    const { userId, userInfo } = member
    const room = this.#rooms.get(topic) ?? this.#newRoom(topic)
    const sockets = room.sockets.get(userId)
    const first = sockets === undefined
    if (first && membersMax > 0 && room.roster.count >= membersMax) return Promise.resolve({ outcome: 'full' })
    if (first) {
      this.#rooms.set(topic, room)
      room.sockets.set(userId, new Set([socketId]))
      room.roster.add(userId, userInfo)
      recount(room, 1)
      this.#version += 1
      this.#broker.announce(topic, room.roster.addedFrame(room.channel, userId), this.#version)
      this.#outbox.append(room.app.id, 'member_added', room.channel, { userId })
    } else {
      sockets.add(socketId)
    }
    const roster = { count: room.roster.count, escapedJson: room.roster.escapedJson() }
    return Promise.resolve({ outcome: 'joined', first, roster, version: this.#version })
  }

  /** Told at once, whatever the caller says of a handover: there is no other node that a client could come back to. */
  leave(topic: Topic, socketId: SocketId, userId: string): Promise<{ last: boolean }> {
    const room = this.#rooms.get(topic)
    const sockets = room?.sockets.get(userId)
    if (room === undefined || sockets === undefined || !sockets.delete(socketId) || sockets.size > 0) {
      return Promise.resolve({ last: false })
    }
    room.sockets.delete(userId)
    room.roster.delete(userId)
    recount(room, -1)
    if (room.roster.count === 0) this.#rooms.delete(topic)
    this.#version += 1
    this.#broker.announce(topic, memberRemovedFrame(room.channel, userId), this.#version)
    this.#outbox.append(room.app.id, 'member_removed', room.channel, { userId })
    return Promise.resolve({ last: true })
  }

  userIds(topic: Topic): Promise<readonly string[]> {
    return Promise.resolve(this.#rooms.get(topic)?.roster.userIds() ?? [])
  }

  count(topic: Topic): Promise<number> {
    return Promise.resolve(this.#rooms.get(topic)?.roster.count ?? 0)
  }

  counts(appId: string): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(this.#app(appId).counts)
  }

  localMembers(appId: string): number {
    return this.#apps.get(appId)?.total ?? 0
  }

  #newRoom(topic: Topic): Room {
    const { appId, channel } = splitTopic(topic)
    return { app: this.#app(appId), channel, roster: new Roster(), sockets: new Map() }
  }

  #app(appId: string): AppMembers {
    let app = this.#apps.get(appId)
    if (app === undefined) {
      app = { id: appId, total: 0, counts: new Map() }
      this.#apps.set(appId, app)
    }
    return app
  }
}

function recount({ app, channel, roster }: Room, change: 1 | -1): void {
  app.total += change
  if (roster.count > 0) app.counts.set(channel, roster.count)
  else app.counts.delete(channel)
}
