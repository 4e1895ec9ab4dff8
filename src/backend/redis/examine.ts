/**
 * Looks once at the Redis of a configuration, the way a node would use it, and tells what it found as plain data; `belfry doctor`
 * judges it. Writes two keys that expire or are removed at once, and changes nothing else.
 */
import { BusCounters } from '../../core/counters.js'
import type { Logger } from '../../core/ports/logger.js'
import { ownersOf, partitionsByServer } from './cluster-slots.js'
import { examineServer, type ServerFacts } from './examine-server.js'
import {
  addressText,
  parseAddress,
  parseRedisUrl,
  serverOptions,
  type Address,
  type LinksOptions,
  type RedisTarget,
} from './redis-options.js'
import { textsOf } from './replies.js'
import { failureOf, Visit, type VisitFailure } from './visit.js'

export type ExamineOptions = Pick<
  LinksOptions,
  'mode' | 'url' | 'nodes' | 'sentinelName' | 'sentinelPassword' | 'tls' | 'prefix' | 'nodeId' | 'clock'
>

/** One server that should be there, and what it says. */
export interface Examined {
  /** `host:port`. */
  readonly name: string
  /** What it is to us: a sentinel and a cluster's seed are only asked for the way. */
  readonly is: 'server' | 'sentinel' | 'seed'
  /** Set when nothing could be asked. */
  readonly failure: VisitFailure | undefined
  /** Of a `server` that answers. */
  readonly facts: ServerFacts | undefined
}

export interface Examination {
  readonly servers: readonly Examined[]
  /** The options make no sense: one sentence. */
  readonly problem: string | undefined
  /** Of a Redis Cluster: partitions whose slot no server has. */
  readonly partitionsMissing: number
}

/** Never rejects. */
export async function examineRedis(options: ExamineOptions): Promise<Examination> {
  const found: Examined[] = []
  try {
    const target = parseRedisUrl(options.url)
    const partitionsMissing = await examineAll(complete(options), target, found)
    return { servers: found, problem: undefined, partitionsMissing }
  } catch (error) {
    return { servers: found, problem: error instanceof Error ? error.message : String(error), partitionsMissing: 0 }
  }
}

/** @returns the number of partitions nobody serves */
async function examineAll(options: LinksOptions, target: RedisTarget, found: Examined[]): Promise<number> {
  switch (options.mode) {
    case 'standalone':
      found.push(await examineAt(options, target, target.address, 0))
      return 0
    case 'sentinel': {
      const master = await masterBySentinels(options, target, found)
      if (master !== undefined) found.push(await examineAt(options, target, master, 0))
      return 0
    }
    case 'cluster': {
      const owners = await ownersBySeeds(options, target, found)
      for (const { address, partitions } of partitionsByServer(owners).values()) {
        found.push(await examineAt(options, target, address, partitions[0] ?? 0))
      }
      return owners.filter((owner) => owner === undefined).length
    }
  }
}

async function examineAt(
  options: LinksOptions,
  target: RedisTarget,
  address: Address,
  partition: number,
): Promise<Examined> {
  const result = await examineServer(options, serverOptions(options, target, address), partition)
  const name = addressText(address)
  return 'kind' in result
    ? { name, is: 'server', failure: result, facts: undefined }
    : { name, is: 'server', failure: undefined, facts: result }
}

/** Asks every sentinel: one that is gone or knows no such master would only be missed in a failover. */
async function masterBySentinels(
  options: LinksOptions,
  target: RedisTarget,
  found: Examined[],
): Promise<Address | undefined> {
  const { sentinelName = '', sentinelPassword } = options
  let master: Address | undefined
  for (const address of options.nodes.map(parseAddress)) {
    // User, password and database of the URL are those of the master.
    const nobody = { ...target, username: undefined, password: sentinelPassword, db: 0 }
    const answer = await ask('sentinel', serverOptions(options, nobody, address), (visit) =>
      visit.call('SENTINEL', ['GET-MASTER-ADDR-BY-NAME', sentinelName]),
    )
    const [host, port] = textsOf(answer.reply)
    if (host !== undefined && port !== undefined) master ??= { host, port: Number(port) }
    else answer.failure ??= { kind: 'refused', text: `it knows no master named ${sentinelName}` }
    found.push({ name: addressText(address), is: 'sentinel', failure: answer.failure, facts: undefined })
  }
  return master
}

/** Partition → its master's address, by the first seed that knows. */
async function ownersBySeeds(
  options: LinksOptions,
  target: RedisTarget,
  found: Examined[],
): Promise<readonly (Address | undefined)[]> {
  let owners: readonly (Address | undefined)[] = []
  for (const address of options.nodes.map(parseAddress)) {
    const answer = await ask('server', serverOptions(options, target, address), (visit) =>
      visit.call('CLUSTER', ['SLOTS']),
    )
    const known = ownersOf(answer.reply, address)
    if (known?.some((owner) => owner !== undefined) === true) {
      if (owners.length === 0) owners = known
    } else answer.failure ??= { kind: 'refused', text: 'it knows of no slots' }
    if (answer.failure !== undefined)
      found.push({ name: addressText(address), is: 'seed', failure: answer.failure, facts: undefined })
  }
  return owners
}

interface Answer {
  reply: unknown
  failure: VisitFailure | undefined
}

/** One question on a connection of its own. */
async function ask(
  is: 'server' | 'sentinel',
  redis: ReturnType<typeof serverOptions>,
  question: (visit: Visit) => Promise<unknown>,
): Promise<Answer> {
  const visit = new Visit(redis)
  try {
    const failure = await visit.open(is)
    return failure === undefined ? { reply: await question(visit), failure } : { reply: undefined, failure }
  } catch (error) {
    return { reply: undefined, failure: failureOf(error) }
  } finally {
    visit.close()
  }
}

/** What the options of links have besides, and a look does not use. */
function complete(options: ExamineOptions): LinksOptions {
  return { ...options, scripts: [], timeouts: { subscribeMs: 0 }, logger: silent, counters: new BusCounters() }
}

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
