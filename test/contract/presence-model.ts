/** A change that the subscribers of a channel are told. */
export type Change =
  | { readonly type: 'added'; readonly userId: string; readonly userInfo: unknown }
  | { readonly type: 'removed'; readonly userId: string }

/** Presence (2.5) in its plainest form: what a store must answer and announce. */
export class PresenceModel {
  /** Topic → user → connections. */
  readonly #rooms = new Map<string, Map<string, Set<string>>>()
  readonly #changes = new Map<string, Change[]>()

  join(
    topic: string,
    socketId: string,
    userId: string,
    info: unknown,
    membersMax: number,
  ): 'full' | { first: boolean } {
    const room = this.#room(topic)
    const present = room.get(userId)
    if (present === undefined && membersMax > 0 && room.size >= membersMax) return 'full'
    if (present === undefined) {
      room.set(userId, new Set([socketId]))
      this.#change(topic, { type: 'added', userId, userInfo: info })
    } else {
      present.add(socketId)
    }
    return { first: present === undefined }
  }

  leave(topic: string, socketId: string, userId: string): boolean {
    const room = this.#room(topic)
    const present = room.get(userId)
    if (present === undefined || !present.delete(socketId) || present.size > 0) return false
    room.delete(userId)
    this.#change(topic, { type: 'removed', userId })
    return true
  }

  changes(topic: string): readonly Change[] {
    return this.#changes.get(topic) ?? []
  }

  userIds(topic: string): string[] {
    return [...this.#room(topic).keys()]
  }

  #room(topic: string): Map<string, Set<string>> {
    const room = this.#rooms.get(topic) ?? new Map<string, Set<string>>()
    this.#rooms.set(topic, room)
    return room
  }

  #change(topic: string, change: Change): void {
    this.#changes.set(topic, [...this.changes(topic), change])
  }
}
