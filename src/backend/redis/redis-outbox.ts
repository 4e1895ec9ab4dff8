import type { Outbox, OutboxEntry, Transition, TransitionType } from '../../core/ports/outbox.js'
import { partitionCount } from './keys.js'
import type { Share } from './membership.js'
import type { Surroundings } from './partition.js'
import { listOf, numberOf, pairsOf, textOf } from './replies.js'

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
  readonly #around: Surroundings
  readonly #shares: readonly Share[]

  constructor(around: Surroundings, shares: readonly Share[]) {
    this.#around = around
    this.#shares = shares
  }

  async read(partition: number, after: string, count: number): Promise<readonly OutboxEntry[]> {
    const from = after === '' ? '-' : `(${after}`
    const reply = await this.#read(partition, 'XRANGE', [from, '+', 'COUNT', count])
    const entries: OutboxEntry[] = []
    for (const item of listOf(reply)) {
      const [id, fields] = listOf(item)
      const transition = transitionOf(pairsOf(fields))
      if (transition !== undefined) entries.push({ id: textOf(id), transition })
    }
    return entries
  }

  async done(partition: number, upTo: string): Promise<void> {
    await this.#read(partition, 'XTRIM', ['MINID', nextId(upTo)])
  }

  async #read(partition: number, command: string, args: readonly (string | number)[]): Promise<unknown> {
    const key = this.#around.keys.outbox(partition)
    return this.#shares[partition]?.partition.read(command, [key, ...args])
  }
}

/** The smallest id after this one. */
function nextId(id: string): string {
  const [ms = '0', number = '0'] = id.split('-')
  return `${ms}-${Number(number) + 1}`
}

function transitionOf(fields: ReadonlyMap<string, string>): Transition | undefined {
  const type = fields.get('type') ?? ''
  const appId = fields.get('app')
  const channel = fields.get('channel')
  if (!types.has(type) || appId === undefined || channel === undefined) return undefined
  const userId = fields.get('user')
  const count = fields.get('count')
  return {
    type: type as TransitionType,
    appId,
    channel,
    ...(userId === undefined ? {} : { userId }),
    ...(count === undefined ? {} : { count: numberOf(count) }),
    timeMs: numberOf(fields.get('time')),
  }
}
