/** Which server of a Redis Cluster has which partition: pure. */
import { partitionCount, tagOf } from './keys.js'
import { addressText, type Address } from './redis-options.js'

const slotCount = 16_384
const rangesMax = slotCount

/** The slot of a hash tag: CRC16 (XMODEM), as Redis Cluster defines it. */
export function slotOf(tag: string): number {
  let crc = 0
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff
  }
  return crc % slotCount
}

const slots: readonly number[] = Array.from({ length: partitionCount }, (_none, partition) => slotOf(tagOf(partition)))

/**
 * Reads the answer to CLUSTER SLOTS: `[[FROM, TO, [HOST, PORT, …], replicas …], …]`.
 * @param asked who answered: a server that does not know its own address gives an empty one
 * @returns partition → the address of its master; undefined for the whole when it is no such answer
 */
export function ownersOf(reply: unknown, asked: Address): (Address | undefined)[] | undefined {
  if (!Array.isArray(reply) || reply.length > rangesMax) return undefined
  const owners = new Array<Address | undefined>(partitionCount).fill(undefined)
  for (const range of reply as unknown[]) {
    if (!Array.isArray(range)) return undefined
    const [from, to, master] = range as unknown[]
    if (typeof from !== 'number' || typeof to !== 'number' || !Array.isArray(master)) return undefined
    const address = addressOf(master, asked)
    for (const [partition, slot] of slots.entries()) {
      if (slot >= from && slot <= to) owners[partition] = address
    }
  }
  return owners
}

/** Address → its partitions, lowest first. */
export function partitionsByServer(
  owners: readonly (Address | undefined)[],
): Map<string, { readonly address: Address; readonly partitions: number[] }> {
  const servers = new Map<string, { readonly address: Address; readonly partitions: number[] }>()
  for (const [partition, address] of owners.entries()) {
    if (address === undefined) continue
    const server = servers.get(addressText(address))
    if (server === undefined) servers.set(addressText(address), { address, partitions: [partition] })
    else server.partitions.push(partition)
  }
  return servers
}

function addressOf([host, port]: unknown[], asked: Address): Address {
  return {
    host: typeof host === 'string' && host !== '' && host !== '?' ? host : asked.host,
    port: typeof port === 'number' && port > 0 && port < 65_536 ? port : asked.port,
  }
}
