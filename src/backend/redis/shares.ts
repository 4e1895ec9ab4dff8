import type { Topic } from '../../core/ports/broker.js'
import { partitionOf } from './keys.js'
import type { Share } from './membership.js'
import { numberOf, pairsOf } from './replies.js'

/** What this node holds in the partition of a topic. */
export function shareOf(shares: readonly Share[], topic: Topic): Share {
  const share = shares[partitionOf(topic)]
  if (share === undefined) throw new Error('a partition is missing')
  return share
}

/** A hash of numbers that every partition has a part of. @throws BrokerError unless all of it could be read */
export async function sumOfAll(
  shares: readonly Share[],
  keyOf: (partition: number) => string,
): Promise<Map<string, number>> {
  const parts = await Promise.all(shares.map(({ partition }) => partition.read('HGETALL', [keyOf(partition.number)])))
  const all = new Map<string, number>()
  for (const part of parts) for (const [name, value] of pairsOf(part)) all.set(name, numberOf(value))
  return all
}
