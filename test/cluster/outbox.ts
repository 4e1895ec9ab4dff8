/** The outbox as it stands in Redis: what webhooks are sent for. Needs an app with webhooks. */
import { Keys, partitionCount } from '../../src/backend/redis/keys.js'
import type { RedisServer } from '../harness/redis-server.js'

/** Fields as they are stored; '' where a field is missing. */
export interface OutboxRecord {
  readonly partition: number
  /** Of the stream. */
  readonly id: string
  readonly type: string
  readonly app: string
  readonly channel: string
  readonly user: string
  readonly count: string
}

export async function readOutbox(redis: RedisServer, prefix: string): Promise<OutboxRecord[]> {
  const records: OutboxRecord[] = []
  const keys = new Keys(prefix)
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const key = keys.outbox(partition)
    const entries = (await redis.command('XRANGE', key, '-', '+')) as [string, string[]][]
    for (const [id, fields] of entries) records.push({ partition, id, ...recordOf(fields) })
  }
  return records
}

/** Those that were not there before. */
export function newOnes(before: readonly OutboxRecord[], now: readonly OutboxRecord[]): OutboxRecord[] {
  const known = new Set(before.map(({ partition, id }) => `${partition} ${id}`))
  return now.filter(({ partition, id }) => !known.has(`${partition} ${id}`))
}

/** How many there are of each type, as a table shows it. */
export function typesText(records: readonly OutboxRecord[]): string {
  const counts = new Map<string, number>()
  for (const { type } of records) counts.set(type, (counts.get(type) ?? 0) + 1)
  return counts.size === 0 ? 'none' : [...counts].map(([type, count]) => `${count} × ${type}`).join(', ')
}

function recordOf(flat: readonly string[]): Omit<OutboxRecord, 'partition' | 'id'> {
  const field = (name: string) => {
    const at = flat.findIndex((value, index) => index % 2 === 0 && value === name)
    return at < 0 ? '' : (flat[at + 1] ?? '')
  }
  return {
    type: field('type'),
    app: field('app'),
    channel: field('channel'),
    user: field('user'),
    count: field('count'),
  }
}
