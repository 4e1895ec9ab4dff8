import type { Connection } from './connection.js'
import type { LocalChannel } from './local-channel.js'
import type { TruthKind } from './ports/broker.js'

/** Frames and bytes kept for one joining subscription; above, they are dropped and its snapshot is taken again. */
const heldFramesMax = 256
const heldBytesMax = 1_048_576

interface HeldFrame {
  readonly frame: string
  readonly kind: TruthKind
  readonly version: number
}

/** What the client has been told by its snapshot: later messages at or below these versions are old news. */
export interface SnapshotVersions {
  readonly members: number
  readonly cache: number
}

/**
 * One connection's subscription to one channel.
 *
 * `joining`  → the snapshot is on its way; messages are held back
 * `settling` → the client has its snapshot; messages are fed one by one until those up to the snapshot have passed
 * `active`   → the socket is on the native topic
 * `left`     → final
 */
export class Subscription {
  readonly connection: Connection
  readonly channel: LocalChannel
  state: 'joining' | 'settling' | 'active' | 'left' = 'joining'
  /** The user this subscription stands for in a presence channel. */
  userId: string | undefined
  /** Whether the presence store was asked to hold this subscription, so that leaving must tell it. */
  presenceAsked = false
  snapshot: SnapshotVersions = noSnapshot
  settlingSinceS = 0
  #held: HeldFrame[] | undefined
  #heldBytes = 0
  #overflowed = false

  constructor(connection: Connection, channel: LocalChannel) {
    this.connection = connection
    this.channel = channel
  }

  /** Takes a message that came before this subscription was active. Returns false when the hold-back ran over. */
  hold(frame: string, kind: TruthKind, version: number): boolean {
    this.#held ??= []
    if (this.#held.length >= heldFramesMax || this.#heldBytes + frame.length > heldBytesMax) {
      this.#overflowed = true
      this.#clear()
      return false
    }
    this.#held.push({ frame, kind, version })
    this.#heldBytes += frame.length
    return true
  }

  /** Whether messages were lost since the last call, so that the snapshot must be taken again. */
  takeOverflow(): boolean {
    const overflowed = this.#overflowed
    this.#overflowed = false
    return overflowed
  }

  /** Sends what was held back and is newer than the snapshot, in order. */
  releaseHeld(): void {
    const held = this.#held
    if (held === undefined) return
    this.#clear()
    for (const { frame, kind, version } of held) this.feed(frame, kind, version)
  }

  /** Sends one message unless the snapshot told it already. */
  feed(frame: string, kind: TruthKind, version: number): void {
    if (kind === 'members' && version <= this.snapshot.members) return
    if (kind === 'cache' && version <= this.snapshot.cache) return
    this.connection.send(frame)
  }

  #clear(): void {
    this.#held = undefined
    this.#heldBytes = 0
  }
}

const noSnapshot: SnapshotVersions = { members: 0, cache: 0 }
