import { memberRemovedFrame } from '../../protocol/outbound.js'
import { Roster } from '../../protocol/roster.js'
import type { SocketId, Topic } from '../../core/ports/broker.js'
import type { JoinResult, Member, PresenceStore } from '../../core/ports/presence-store.js'
import { splitTopic } from '../../core/topic.js'
import type { MemoryBroker } from './memory-broker.js'

interface Room {
  readonly appId: string
  readonly channel: string
  readonly roster: Roster
  /** User id → its connections. */
  readonly sockets: Map<string, Set<SocketId>>
}

/** Members of presence channels in one process. The version counts the changes of all channels, so that it outlives an empty room. */
export class MemoryPresence implements PresenceStore {
  readonly #broker: MemoryBroker
  readonly #rooms = new Map<Topic, Room>()
  /** App id → distinct users, summed over its channels. */
  readonly #membersOf = new Map<string, number>()
  #version = 0

  constructor(broker: MemoryBroker) {
    this.#broker = broker
  }

  join(topic: Topic, socketId: SocketId, member: Member, membersMax: number): Promise<JoinResult> {
    const { userId, userInfo } = member
    const room = this.#rooms.get(topic) ?? newRoom(topic)
    const sockets = room.sockets.get(userId)
    const first = sockets === undefined
    if (first && membersMax > 0 && room.roster.count >= membersMax) return Promise.resolve({ outcome: 'full' })
    if (first) {
      this.#rooms.set(topic, room)
      room.sockets.set(userId, new Set([socketId]))
      room.roster.add(userId, userInfo)
      this.#countMember(room, 1)
      this.#version += 1
      this.#broker.announce(topic, room.roster.addedFrame(room.channel, userId), this.#version)
    } else {
      sockets.add(socketId)
    }
    const roster = { count: room.roster.count, escapedJson: room.roster.escapedJson() }
    return Promise.resolve({ outcome: 'joined', first, roster, version: this.#version })
  }

  leave(topic: Topic, socketId: SocketId, userId: string): Promise<{ last: boolean; version: number }> {
    const room = this.#rooms.get(topic)
    const sockets = room?.sockets.get(userId)
    if (room === undefined || sockets === undefined || !sockets.delete(socketId) || sockets.size > 0) {
      return Promise.resolve({ last: false, version: this.#version })
    }
    room.sockets.delete(userId)
    room.roster.delete(userId)
    this.#countMember(room, -1)
    if (room.roster.count === 0) this.#rooms.delete(topic)
    this.#version += 1
    this.#broker.announce(topic, memberRemovedFrame(room.channel, userId), this.#version)
    return Promise.resolve({ last: true, version: this.#version })
  }

  userIds(topic: Topic): Promise<readonly string[]> {
    return Promise.resolve(this.#rooms.get(topic)?.roster.userIds() ?? [])
  }

  count(topic: Topic): Promise<number> {
    return Promise.resolve(this.#rooms.get(topic)?.roster.count ?? 0)
  }

  /** Members of all presence channels of an app, for the metric. */
  membersOf(appId: string): number {
    return this.#membersOf.get(appId) ?? 0
  }

  #countMember(room: Room, change: 1 | -1): void {
    this.#membersOf.set(room.appId, this.membersOf(room.appId) + change)
  }
}

function newRoom(topic: Topic): Room {
  return { ...splitTopic(topic), roster: new Roster(), sockets: new Map() }
}
