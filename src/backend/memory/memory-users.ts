import { watchlistFrame } from '../../protocol/outbound.js'
import type { SocketId, Topic } from '../../core/ports/broker.js'
import type { UserStatus, UserStore } from '../../core/ports/user-store.js'
import { userStatusTopic } from '../../core/topic.js'
import type { MemoryBroker } from './memory-broker.js'

/** Signed-in users of one process. The version counts the changes of all users, so that it outlives a user's absence. */
export class MemoryUsers implements UserStore {
  readonly #broker: MemoryBroker
  /** Status topic → connections signed in as the user. */
  readonly #online = new Map<Topic, Set<SocketId>>()
  #version = 0

  constructor(broker: MemoryBroker) {
    this.#broker = broker
  }

  signIn(appId: string, userId: string, socketId: SocketId): Promise<{ first: boolean }> {
    const topic = userStatusTopic(appId, userId)
    const sockets = this.#online.get(topic)
    if (sockets !== undefined) {
      sockets.add(socketId)
      return Promise.resolve({ first: false })
    }
    this.#online.set(topic, new Set([socketId]))
    this.#announce(topic, watchlistFrame([userId], []))
    return Promise.resolve({ first: true })
  }

  /** Told at once, as MemoryPresence.leave. */
  signOut(appId: string, userId: string, socketId: SocketId): Promise<{ last: boolean }> {
    const topic = userStatusTopic(appId, userId)
    const sockets = this.#online.get(topic)
    if (sockets === undefined || !sockets.delete(socketId) || sockets.size > 0) return Promise.resolve({ last: false })
    this.#online.delete(topic)
    this.#announce(topic, watchlistFrame([], [userId]))
    return Promise.resolve({ last: true })
  }

  status(appId: string, userIds: readonly string[]): Promise<readonly UserStatus[]> {
    const statuses = userIds.map((userId) => ({
      userId,
      online: this.#online.has(userStatusTopic(appId, userId)),
      version: this.#version,
    }))
    return Promise.resolve(statuses)
  }

  #announce(topic: Topic, frame: string | undefined): void {
    this.#version += 1
    if (frame !== undefined) this.#broker.announce(topic, frame, this.#version)
  }
}
