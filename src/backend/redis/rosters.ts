import type { Topic } from '../../core/ports/broker.js'
import { AnnouncedRoster, type Announce } from './announced-roster.js'
import { orUnexpected, type Partition, type Surroundings } from './partition.js'
import { listOf, membersOf, textOf } from './replies.js'
import { scripts } from './truth-scripts.js'
import { wholeNumber } from './wire.js'

/** How often a roster is read again because it changed while it was read. */
const readAttemptsMax = 5

/** The rosters that this node shows in one partition, and how they get the store's state. */
export class Rosters {
  readonly #partition: Partition
  readonly #around: Surroundings
  readonly #announce: Announce
  readonly #heldHere: (topic: Topic, userId: string) => boolean
  readonly #rosters = new Map<Topic, AnnouncedRoster>()

  /** @param heldHere whether a user has a connection of this node in the topic */
  constructor(
    partition: Partition,
    around: Surroundings,
    announce: Announce,
    heldHere: (topic: Topic, userId: string) => boolean,
  ) {
    this.#partition = partition
    this.#around = around
    this.#announce = announce
    this.#heldHere = heldHere
  }

  get(topic: Topic): AnnouncedRoster | undefined {
    return this.#rosters.get(topic)
  }

  /** The roster of a topic; made when it is new. */
  of(topic: Topic): AnnouncedRoster {
    let roster = this.#rosters.get(topic)
    if (roster === undefined) {
      roster = new AnnouncedRoster(topic, this.#announce)
      this.#rosters.set(topic, roster)
    }
    return roster
  }

  all(): readonly AnnouncedRoster[] {
    return [...this.#rosters.values()]
  }

  forget(topic: Topic): void {
    this.#rosters.get(topic)?.release()
    this.#rosters.delete(topic)
  }

  /** Reads without anybody waiting; what fails is done again when the partition is compared. */
  readSoon(roster: AnnouncedRoster): void {
    this.read(roster, this.#around.queryTimeoutMs).catch((error: unknown) => {
      orUnexpected(error)
      this.#partition.markDirty()
    })
  }

  /** Waits for the bus to bring the state of a version; when it does not, the store is asked. */
  async reach(roster: AnnouncedRoster, version: number): Promise<void> {
    const reached = roster.reached(version)
    if (reached === undefined) return
    const { clock, subscribeTimeoutMs } = this.#around
    const inTime = await new Promise<boolean>((resolve) => {
      const timer = clock.after(subscribeTimeoutMs, () => resolve(false))
      void reached.then(() => {
        timer.stop()
        resolve(true)
      })
    })
    if (inTime) return
    try {
      await this.read(roster, subscribeTimeoutMs)
    } catch (error) {
      orUnexpected(error)
      this.#partition.markDirty()
    }
  }

  /** Brings a roster to the store's state. @throws NotDone, LinkError */
  async read(roster: AnnouncedRoster, timeoutMs: number): Promise<void> {
    const { keys, node } = this.#around
    const { number } = this.#partition
    const heldHere = (userId: string) => this.#heldHere(roster.topic, userId)
    for (let attempt = 0; attempt < readAttemptsMax; attempt += 1) {
      const askedAt = roster.version
      const known = roster.state === 'current' ? String(askedAt) : ''
      const rosterKeys = [keys.nodes(number), keys.awaited(number), keys.changed(number, roster.topic)]
      rosterKeys.push(keys.roster(number, roster.topic))
      const reply = await this.#partition.ask(scripts.roster, rosterKeys, [node, known], timeoutMs)
      const [versionText, members] = listOf(reply)
      const version = wholeNumber(textOf(versionText))
      // Changes that came meanwhile are newer than this, unless the server has gone back in time.
      if (roster.version !== askedAt && version < roster.version) continue
      if (roster.load(version, members === undefined ? undefined : membersOf(members), heldHere))
        this.#partition.markDirty()
      return
    }
  }
}
