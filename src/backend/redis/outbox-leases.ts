import type { OutboxListener, OutboxProgress } from '../../core/ports/outbox.js'
import { isAfter, isEntryId } from '../../core/entry-id.js'
import { partitionCount } from './keys.js'
import type { Surroundings } from './partition.js'
import { numberOf, pairsOf, textOf } from './replies.js'
import { decodeMessage } from './wire.js'

/** Begins the field of a receiver in the stored progress. */
const receiverMark = ':'

/** Up to where this node has read a partition. */
export interface Seen {
  id: string
}

/** One partition of the outbox, as far as sending is concerned. */
interface Lease {
  /** 0 = not this node's, as far as it knows. Also while it cannot be renewed: only another node's term ends it. */
  term: number
  /** The data was lost since: what is stored of it is no longer true. */
  stale: boolean
  /** Nobody was sending at the last beat. */
  free: boolean
  /** Another one for each term, so that a read of what was there before says nothing. */
  seen: Seen
}

/**
 * Which partitions of the outbox this node sends from. The leases ride on the beat (scripts/beat.lua, Membership): each answer says
 * whose the partition is. New entries are heard of on the bus, and by each beat, in case that a message was missed.
 */
export class OutboxLeases {
  readonly #around: Surroundings
  readonly #leases: readonly Lease[]
  #listener: OutboxListener | undefined

  constructor(around: Surroundings) {
    this.#around = around
    this.#leases = Array.from({ length: partitionCount }, () => ({
      term: 0,
      stale: false,
      free: false,
      seen: { id: '' },
    }))
  }

  watch(listener: OutboxListener): void {
    this.#listener = listener
  }

  /** From now on nothing is taken, and nobody is called. */
  stop(): void {
    this.#listener = undefined
    for (let partition = 0; partition < partitionCount; partition += 1) this.#drop(partition)
  }

  /** The term in which this node may change what is stored; undefined while it may not. */
  termOf(partition: number): number | undefined {
    const lease = this.#leases[partition]
    return lease === undefined || lease.term === 0 || lease.stale ? undefined : lease.term
  }

  /** What a beat is given: ARGV 10 and 11 of the script. */
  asked(partition: number): readonly [number | '', 0 | 1] {
    const lease = this.#leases[partition]
    if (lease === undefined || this.#listener === undefined) return ['', 0]
    return [lease.stale ? -1 : lease.term, lease.free ? 1 : 0]
  }

  /** What a beat answered, as the script tells it. */
  answered(partition: number, [whose, termText, newest, stored]: readonly unknown[]): void {
    const lease = this.#leases[partition]
    if (lease === undefined || this.#listener === undefined) return
    lease.free = whose === 'nobody'
    if (whose === 'this') this.#held(partition, lease, numberOf(termText), textOf(newest), stored)
    else this.lost(partition)
  }

  /** Another node sends from the partition. */
  lost(partition: number): void {
    if (this.#drop(partition)) this.#listener?.lost(partition)
  }

  /** The data of a partition is gone. Whether another node sends from it now is told by the next beat that finds it written again. */
  dataLost(partition: number): void {
    const lease = this.#leases[partition]
    if (lease !== undefined && lease.term > 0) lease.stale = true
  }

  /** A message on the outbox's bus channel. */
  heard(partition: number, payload: string): void {
    const message = decodeMessage(payload)
    if (message?.type !== 'appended') this.#around.counters.droppedJunk += 1
    else this.#tell(partition, message.id)
  }

  /** Where a read that begins now says how far it came. */
  seenOf(partition: number): Seen {
    return this.#leases[partition]?.seen ?? { id: '' }
  }

  #held(partition: number, lease: Lease, term: number, newest: string, stored: unknown): void {
    if (lease.stale && term === 1) {
      // The first term of the new data: nobody else has sent any of it.
      lease.term = term
      lease.stale = false
      lease.seen = { id: '' }
      this.#listener?.emptied(partition)
    } else if (lease.term !== term || lease.stale) {
      this.lost(partition)
      lease.term = term
      lease.seen = { id: '' }
      this.#listener?.gained(partition, progressOf(stored))
      void this.#listen(partition, term)
    }
    this.#tell(partition, newest)
  }

  async #listen(partition: number, term: number): Promise<void> {
    const { links, keys } = this.#around
    const confirmed = await links.want(partition, keys.outboxBus(partition))
    // What was appended until now was not heard.
    if (confirmed && this.termOf(partition) === term) this.#listener?.appended(partition)
  }

  #tell(partition: number, id: string): void {
    const lease = this.#leases[partition]
    if (lease === undefined || lease.term === 0 || !isEntryId(id)) return
    if (isAfter(id, lease.seen.id)) this.#listener?.appended(partition)
  }

  /** @returns whether it was held */
  #drop(partition: number): boolean {
    const lease = this.#leases[partition]
    if (lease === undefined || lease.term === 0) return false
    lease.term = 0
    lease.stale = false
    const { links, keys } = this.#around
    links.unwant(partition, keys.outboxBus(partition))
    return true
  }
}

/** What noteProgress stores. */
export function progressFields({ behind }: OutboxProgress): string[] {
  return [...behind].flatMap(([receiver, id]) => [receiverMark + receiver, id])
}

/** What was stored; what is no id reads as the beginning. */
function progressOf(stored: unknown): OutboxProgress {
  const behind = new Map<string, string>()
  const fields = pairsOf(stored)
  for (const [field, value] of fields) if (field.startsWith(receiverMark)) behind.set(field.slice(1), idOf(value))
  return { doneTo: idOf(fields.get('done')), readTo: idOf(fields.get('read')), behind }
}

function idOf(value: string | undefined): string {
  return value !== undefined && isEntryId(value) ? value : ''
}
