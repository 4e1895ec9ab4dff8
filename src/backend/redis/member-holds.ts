import type { SocketId } from '../../core/ports/broker.js'
import type { Member } from '../../core/ports/presence-store.js'

/** One connection of this node in a topic, and what the store knows of it. */
export interface Hold {
  readonly member: Member
  /** The topic's version when the store had it; 0 = it does not, as far as this node knows. */
  storedAt: number
  /** Its join has been sent and not been answered, so it may yet be refused: nobody else writes it meanwhile. */
  joining: boolean
}

/** Connections that left while the store could not be told, in one topic; above, the rest is only noticed by comparing. */
const goneMax = 10_000

/** This node's connections in one topic. */
export class TopicHolds {
  /** User → socket → hold. */
  readonly #live = new Map<string, Map<SocketId, Hold>>()
  /** Stored connections that have left since: written again after a loss of the data, so that their leaving can be told. */
  readonly gone = new Map<SocketId, Hold>()

  get users(): number {
    return this.#live.size
  }

  get isEmpty(): boolean {
    return this.#live.size === 0 && this.gone.size === 0
  }

  add(socketId: SocketId, member: Member): Hold {
    this.gone.delete(socketId)
    const sockets = this.#live.get(member.userId) ?? new Map<SocketId, Hold>()
    this.#live.set(member.userId, sockets)
    const hold = sockets.get(socketId) ?? { member, storedAt: 0, joining: false }
    sockets.set(socketId, hold)
    return hold
  }

  delete(socketId: SocketId, userId: string): Hold | undefined {
    const sockets = this.#live.get(userId)
    const hold = sockets?.get(socketId)
    sockets?.delete(socketId)
    if (sockets?.size === 0) this.#live.delete(userId)
    return hold
  }

  has(socketId: SocketId, userId: string): boolean {
    return this.#live.get(userId)?.has(socketId) === true
  }

  hasUser(userId: string): boolean {
    return this.#live.has(userId)
  }

  /** Whether a connection of the user was stored before this version. */
  storedBefore(userId: string, version: number): boolean {
    for (const { storedAt } of this.#live.get(userId)?.values() ?? []) {
      if (storedAt > 0 && storedAt < version) return true
    }
    return false
  }

  rememberGone(socketId: SocketId, hold: Hold): void {
    if (hold.storedAt > 0 && this.gone.size < goneMax) this.gone.set(socketId, hold)
  }

  *live(): Iterable<[SocketId, Hold]> {
    for (const sockets of this.#live.values()) yield* sockets
  }

  /** Of the live ones, what the store had when it was last heard of. */
  *stored(): Iterable<[SocketId, Hold]> {
    for (const entry of this.live()) if (entry[1].storedAt > 0) yield entry
  }
}
