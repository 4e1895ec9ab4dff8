import { Roster } from '../../protocol/roster.js'
import type { Topic } from '../../core/ports/broker.js'
import type { RosterSnapshot } from '../../core/ports/presence-store.js'
import type { BusMessage } from './wire.js'

/** A user of a topic, as the store keeps it: `order` grows with arrival. */
export interface StoredMember {
  readonly userId: string
  readonly userInfo: string | undefined
  readonly order: number
}

/** A change of a topic's members, as the bus brings it. */
export type MemberEvent = Extract<BusMessage, { readonly type: 'added' | 'removed' }>

/** Tells this node's subscribers that a user came or is gone. */
export type Announce = (topic: Topic, change: 'added' | 'removed', userId: string, userInfo: string | undefined) => void

/** Whether a user has a connection of this node in the topic that the store must have at this version. */
export type HeldHere = (userId: string, version: number) => boolean

/** Changes kept until the roster is read; above, it is read again. */
const earlyMax = 1000

/**
 * Who this node's subscribers of one topic believe is in it (D4): what their snapshots and the changes told since add up to. Every
 * change goes through here, so each user is told added and removed in turn, whatever happens to the store or the bus.
 */
export class AnnouncedRoster {
  readonly topic: Topic
  /** The store's version that this is the state of; changes made while the store could not be asked do not count. */
  version = 0
  /** Whether it was read from the store, or changes missing in between are known. */
  state: 'unread' | 'current' | 'stale' = 'unread'
  /** Whether any subscriber has been told a snapshot. */
  shown = false
  readonly #roster = new Roster()
  /** Users shown because this node holds them, although the store does not have them at `version`. */
  readonly #unstored = new Set<string>()
  readonly #announce: Announce
  /** Changes that came before the roster was read. */
  readonly #early: MemberEvent[] = []
  #earlyLost = false
  readonly #waiting: { readonly version: number; readonly resolve: () => void }[] = []

  constructor(topic: Topic, announce: Announce) {
    this.topic = topic
    this.#announce = announce
  }

  get count(): number {
    return this.#roster.count
  }

  has(userId: string): boolean {
    return this.#roster.has(userId)
  }

  snapshot(): RosterSnapshot {
    this.shown = true
    return { count: this.#roster.count, escapedJson: this.#roster.escapedJson() }
  }

  /** A user came to this node while the store could not be asked. Returns whether anybody had to be told. */
  addUnstored(userId: string, userInfo: string | undefined): boolean {
    if (this.state === 'current') this.state = 'stale'
    const added = this.#add(userId, userInfo)
    if (added) this.#unstored.add(userId)
    return added
  }

  /** A user left this node while the store could not be asked. */
  removeUnstored(userId: string): boolean {
    if (this.state === 'current') this.state = 'stale'
    return this.#remove(userId)
  }

  /** A user whom this node no longer holds: the store cannot tell that somebody left whom it did not have. */
  dropUnstored(userId: string): void {
    if (this.#unstored.has(userId)) this.#remove(userId)
  }

  /**
   * A change from the bus.
   * @returns `missed` when changes before it did not arrive: the roster must be read again; `contradicted` when the store has
   *   forgotten a connection of this node: it must be written again
   */
  apply(event: MemberEvent, heldHere: HeldHere): 'applied' | 'missed' | 'contradicted' {
    if (this.state === 'unread') {
      this.#keepEarly(event)
      return 'applied'
    }
    const { type, userId, userInfo, before, version } = event
    if (version <= this.version) return 'applied'
    const missed = this.state === 'current' && before !== this.version && !(before === 0 && this.count === 0)
    const contradicted = type === 'removed' && heldHere(userId, version)
    if (type === 'added') this.#addStored(userId, userInfo)
    else if (!contradicted) this.#remove(userId)
    else if (this.#roster.has(userId)) this.#unstored.add(userId)
    this.version = version
    if (missed) this.state = 'stale'
    this.#wake()
    return contradicted ? 'contradicted' : missed ? 'missed' : 'applied'
  }

  /**
   * The store's roster at a version. Tells the difference, except to nobody.
   * @param members undefined when nothing has changed since `version`
   * @returns whether it shows users whom this node holds and the store does not have: they must be stored
   */
  load(version: number, members: readonly StoredMember[] | undefined, heldHere: (userId: string) => boolean): boolean {
    if (this.state === 'current' && version === this.version) return this.#unstored.size > 0
    if (members !== undefined)
      this.#become(
        [...members].sort((one, other) => one.order - other.order),
        heldHere,
      )
    this.version = version
    this.state = this.#earlyLost ? 'stale' : 'current'
    this.#earlyLost = false
    for (const event of this.#early.splice(0)) this.apply(event, heldHere)
    this.#wake()
    return this.#unstored.size > 0
  }

  /** The store's roster, if it has not been read yet. @returns as load() does */
  begin(version: number, members: readonly StoredMember[], heldHere: (userId: string) => boolean): boolean {
    return this.state === 'unread' && this.load(version, members, heldHere)
  }

  /** Resolves when the store's state of this version has been applied. */
  reached(version: number): Promise<void> | undefined {
    if (this.state === 'current' && this.version >= version) return undefined
    return new Promise((resolve) => {
      this.#waiting.push({ version, resolve })
    })
  }

  /** Ends every wait: nothing more will come. */
  release(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  #keepEarly(event: MemberEvent): void {
    if (this.#early.length < earlyMax) this.#early.push(event)
    else this.#earlyLost = true
  }

  #add(userId: string, userInfo: string | undefined): boolean {
    if (this.#roster.has(userId)) return false
    this.#roster.add(userId, userInfo)
    this.#announce(this.topic, 'added', userId, userInfo)
    return true
  }

  #addStored(userId: string, userInfo: string | undefined): void {
    this.#unstored.delete(userId)
    this.#add(userId, userInfo)
  }

  #remove(userId: string): boolean {
    this.#unstored.delete(userId)
    if (!this.#roster.has(userId)) return false
    this.#roster.delete(userId)
    this.#announce(this.topic, 'removed', userId, undefined)
    return true
  }

  #become(members: readonly StoredMember[], heldHere: (userId: string) => boolean): void {
    const stored = new Map(members.map((member) => [member.userId, member.userInfo]))
    for (const userId of this.#roster.userIds()) {
      if (stored.has(userId)) this.#unstored.delete(userId)
      else if (heldHere(userId)) this.#unstored.add(userId)
      else if (this.shown) this.#remove(userId)
      else this.#forget(userId)
    }
    for (const [userId, userInfo] of stored) {
      if (this.shown) this.#add(userId, userInfo)
      else if (!this.#roster.has(userId)) this.#roster.add(userId, userInfo)
    }
  }

  #forget(userId: string): void {
    this.#unstored.delete(userId)
    this.#roster.delete(userId)
  }

  #wake(): void {
    if (this.#waiting.length === 0 || this.state !== 'current') return
    const due = this.#waiting.filter(({ version }) => version <= this.version)
    if (due.length === 0) return
    const later = this.#waiting.filter(({ version }) => version > this.version)
    this.#waiting.splice(0, this.#waiting.length, ...later)
    for (const { resolve } of due) resolve()
  }
}
