import { BrokerError } from '../../core/ports/broker.js'
import type {
  Outbox,
  OutboxEntry,
  OutboxListener,
  OutboxPage,
  OutboxProgress,
  Transition,
  TransitionType,
} from '../../core/ports/outbox.js'
import { isAfter, isEntryId, nextId } from '../../core/entry-id.js'
import { partitionCount } from './keys.js'
import { LinkError } from './link.js'
import type { Share } from './membership.js'
import { progressFields, type OutboxLeases } from './outbox-leases.js'
import { NotDone, orUnexpected, type Partition, type Surroundings } from './partition.js'
import { listOf, numberOf, pairsOf, textOf } from './replies.js'
import { scripts } from './truth-scripts.js'
import { wholeNumber } from './wire.js'

/** More is not stored: then everything that is not done is told again after a takeover. */
const receiversMax = 10_000
const receiverLengthMax = 64

const types: ReadonlySet<string> = new Set<TransitionType>([
  'channel_occupied',
  'channel_vacated',
  'member_added',
  'member_removed',
  'subscription_count',
])

/** Transitions of the whole cluster: a stream per partition, appended by the scripts that change the truth. */
export class RedisOutbox implements Outbox {
  readonly partitions = partitionCount
  readonly outlives = true
  readonly #around: Surroundings
  readonly #shares: readonly Share[]
  readonly #leases: OutboxLeases

  constructor(around: Surroundings, shares: readonly Share[], leases: OutboxLeases) {
    this.#around = around
    this.#shares = shares
    this.#leases = leases
  }

  watch(listener: OutboxListener): void {
    this.#leases.watch(listener)
  }

  /** Works whenever the server is connected, also while lost data is being written again. */
  async read(partition: number, after: string, count: number): Promise<OutboxPage> {
    const seen = this.#leases.seenOf(partition)
    const entries: OutboxEntry[] = []
    for (let from = after; ;) {
      const { items, nowMs } = await this.#range(partition, from, count)
      for (const item of items) {
        const [id, fields] = listOf(item)
        from = textOf(id)
        const transition = transitionOf(pairsOf(fields))
        // Somebody else's: what follows it is read all the same.
        if (transition === undefined || !isEntryId(from)) this.#around.counters.droppedJunk += 1
        else if (entries.push({ id: from, transition }) === count) break
      }
      if (entries.length < count && items.length >= count && from !== '') continue
      if (isAfter(from, seen.id)) seen.id = from
      return { entries, nowMs }
    }
  }

  async done(partition: number, progress: OutboxProgress): Promise<void> {
    const { keys, node, publishTimeoutMs } = this.#around
    const term = this.#leases.termOf(partition)
    if (term === undefined) return
    const { doneTo, readTo } = progress
    const read = isStorable(progress) ? [readTo, ...progressFields(progress)] : [doneTo]
    const outcome = await this.#confirmed(
      this.#partition(partition).ask(
        scripts.noteProgress,
        [keys.sender(partition), keys.progress(partition), keys.outbox(partition)],
        [node, term, doneTo === '' ? '' : nextId(doneTo), 'done', doneTo, 'read', ...read],
        publishTimeoutMs,
      ),
    )
    if (outcome === 'another' && this.#leases.termOf(partition) === term) this.#leases.lost(partition)
  }

  async release(): Promise<void> {
    this.#leases.stop()
    await Promise.all(this.#shares.map(({ partition }) => this.#release(partition)))
  }

  async #release(partition: Partition): Promise<void> {
    const { keys, node, logger, publishTimeoutMs } = this.#around
    const { number } = partition
    try {
      await partition.ask(scripts.releaseSender, [keys.nodes(number), keys.sender(number)], [node], publishTimeoutMs)
    } catch (error) {
      // Then others wait for the end of the lease.
      try {
        orUnexpected(error)
      } catch (fault) {
        logger.error({ err: fault }, 'The outbox could not be released: a fault of the server')
      }
    }
  }

  /** The time comes first: everything up to then is among the entries. */
  async #range(partition: number, after: string, count: number): Promise<{ items: readonly unknown[]; nowMs: number }> {
    const { keys, queryTimeoutMs } = this.#around
    const { link } = this.#partition(partition)
    if (link === undefined) throw new BrokerError('down')
    const range = [keys.outbox(partition), after === '' ? '-' : `(${after}`, '+', 'COUNT', count]
    const asked = Promise.all([link.call('TIME', [], queryTimeoutMs), link.call('XRANGE', range, queryTimeoutMs)])
    const [time, items] = await this.#confirmed(asked)
    const [seconds, microseconds] = listOf(time).map(numberOf)
    return { items: listOf(items), nowMs: (seconds ?? 0) * 1000 + Math.floor((microseconds ?? 0) / 1000) }
  }

  /** @throws BrokerError */
  async #confirmed<Reply>(reply: Promise<Reply>): Promise<Reply> {
    try {
      return await reply
    } catch (error) {
      if (error instanceof NotDone) throw new BrokerError('late')
      if (!(error instanceof LinkError)) throw error
      throw new BrokerError(error.kind === 'unsure' ? 'unsure' : 'down')
    }
  }

  #partition(number: number): Partition {
    const share = this.#shares[number]
    if (share === undefined) throw new Error('there is no such partition')
    return share.partition
  }
}

function isStorable({ behind }: OutboxProgress): boolean {
  if (behind.size > receiversMax) return false
  for (const receiver of behind.keys()) if (receiver.length > receiverLengthMax) return false
  return true
}

function transitionOf(fields: ReadonlyMap<string, string>): Transition | undefined {
  const type = fields.get('type') ?? ''
  const appId = fields.get('app')
  const channel = fields.get('channel')
  const timeMs = wholeNumber(fields.get('time') ?? '')
  if (!types.has(type) || appId === undefined || channel === undefined || !(timeMs >= 0)) return undefined
  const userId = fields.get('user')
  const count = fields.has('count') ? wholeNumber(fields.get('count') ?? '') : undefined
  if (type.startsWith('member_') && userId === undefined) return undefined
  if (type === 'subscription_count' && !((count ?? -1) >= 0)) return undefined
  return {
    type: type as TransitionType,
    appId,
    channel,
    ...(userId === undefined ? {} : { userId }),
    ...(count === undefined ? {} : { count }),
    timeMs,
  }
}
