import type { RedisOptions } from 'ioredis'
import type { Clock } from '../../base/clock.js'
import { checkServer, parseInfo, permissionProblem, UnfitError } from './capabilities.js'
import { Keys } from './keys.js'
import { LinkError } from './link.js'
import { proofChannel, type LinksOptions } from './redis-options.js'
import { pairsOf, textsOf } from './replies.js'
import { reasonOf, refusalKind } from './reply-errors.js'
import { loadScript, PreparedScripts } from './scripts.js'
import { failureOf, Visit, type VisitFailure } from './visit.js'

const roundTrips = 20
const timeCount = 5
/** A message to oneself that takes longer is lost. */
const proofMs = 2000

const proofScript = loadScript('proof')
const rightsScript = loadScript('rights')

/** What one server says of itself. `undefined` stands for what it does not tell. */
export interface ServerFacts {
  /** What a node would end with at its start, in one sentence. */
  readonly unfit: string | undefined
  readonly version: string | undefined
  /** `master`, or `slave` for a replica. */
  readonly role: string | undefined
  /** Of a replica: `host:port`. */
  readonly masterAddress: string | undefined
  /** Of so many round trips, one after the other. By TIME, since a narrow ACL has no PING. */
  readonly latency: { readonly count: number; readonly medianMs: number; readonly worstMs: number }
  /** How far this machine's clock is ahead of the server's; true to within `errorMs`. */
  readonly clock: { readonly aheadMs: number; readonly errorMs: number } | undefined
  readonly memory: { readonly usedBytes: number; readonly maxBytes: number; readonly policy: string } | undefined
  readonly appendOnly: boolean | undefined
  /** The `save` lines; empty = no snapshots. From CONFIG GET, which many hosted servers forbid, as the next two. */
  readonly save: string | undefined
  readonly idleTimeoutSeconds: number | undefined
  /** Hard limit of `client-output-buffer-limit pubsub` in bytes; 0 = none. */
  readonly pubsubBufferBytes: number | undefined
  /** Commands that the user may not use, or the first thing that a write is refused with. */
  readonly forbidden: readonly string[]
  readonly writeRefusal: string | undefined
  /** Whether a message to ourselves came back, and why not. */
  readonly bus: 'proven' | 'silent' | { readonly refused: string }
}

type Ask = (command: string, args: readonly string[]) => Promise<unknown>

/** @param partition one that this server has */
export async function examineServer(
  options: LinksOptions,
  redis: RedisOptions,
  partition: number,
): Promise<ServerFacts | VisitFailure> {
  const visit = new Visit(redis)
  try {
    return (await visit.open()) ?? (await factsOf(visit, options, redis, partition))
  } catch (error) {
    // It went away in the middle of it.
    return failureOf(error)
  } finally {
    visit.close()
  }
}

async function factsOf(
  visit: Visit,
  options: LinksOptions,
  redis: RedisOptions,
  partition: number,
): Promise<ServerFacts> {
  const ask: Ask = visit.call.bind(visit)
  const cluster = options.mode === 'cluster'
  const { clock } = options
  const { channel } = proofChannel(options, partition)
  const unfit = await unfitness(ask, cluster, channel)
  const info = parseInfo((await optional(ask('INFO', []))) ?? '')
  const rights =
    unfit === undefined ? await triedRights(ask, options, partition) : { forbidden: [], refusal: undefined }
  return {
    unfit,
    version: info.get('redis_version'),
    role: info.get('role'),
    masterAddress: info.get('role') === 'slave' ? `${info.get('master_host')}:${info.get('master_port')}` : undefined,
    latency: await measuredLatency(ask, clock),
    clock: await comparedClocks(ask, clock),
    memory: memoryOf(info),
    appendOnly: info.has('aof_enabled') ? info.get('aof_enabled') === '1' : undefined,
    save: await setting(visit, 'save'),
    idleTimeoutSeconds: wholeOrNone(await setting(visit, 'timeout')),
    pubsubBufferBytes: pubsubLimit(await setting(visit, 'client-output-buffer-limit')),
    forbidden: rights.forbidden,
    writeRefusal: rights.refusal,
    bus: unfit === undefined ? await provenBus(ask, redis, channel, cluster, clock) : { refused: unfit },
  }
}

/** The same questions as at a node's start. */
async function unfitness(ask: Ask, cluster: boolean, channel: string): Promise<string | undefined> {
  const call: Ask = async (command, args) => {
    try {
      return await ask(command, args)
    } catch (error) {
      throw new LinkError('refused', reasonOf(error))
    }
  }
  try {
    await checkServer(call, cluster, channel)
    await call('SCRIPT', ['LOAD', new PreparedScripts(cluster).of(proofScript).body])
    return undefined
  } catch (error) {
    if (error instanceof UnfitError) return error.message
    const text = reasonOf(error)
    if (refusalKind(text) === 'noperm') return permissionProblem(text, 'SCRIPT LOAD')
    return `The Redis server refuses what Belfry begins with: ${text}.`
  }
}

/** Each command of the scripts, because a right that is missing would show only in use. */
async function triedRights(
  ask: Ask,
  options: LinksOptions,
  partition: number,
): Promise<{ forbidden: string[]; refusal: string | undefined }> {
  const key = new Keys(options.prefix).own(partition, `d:${options.nodeId}`)
  const forbidden: string[] = []
  let refusal: string | undefined
  try {
    for (const [command, text] of pairsOf(await ask('EVAL', [rightsScript.source, '1', key]))) {
      if (refusalKind(text) === 'noperm') forbidden.push(command)
      else refusal ??= text
    }
  } catch (error) {
    const text = reasonOf(error)
    if (refusalKind(text) === 'noperm') forbidden.push(permissionProblem(text, 'EVAL'))
    else refusal = text
  }
  return { forbidden, refusal }
}

async function measuredLatency(ask: Ask, clock: Clock): Promise<ServerFacts['latency']> {
  const tookMs: number[] = []
  for (let number = 0; number < roundTrips; number += 1) {
    const sentAtMs = clock.monotonicMs()
    await ask('TIME', [])
    tookMs.push(clock.monotonicMs() - sentAtMs)
  }
  tookMs.sort((a, b) => a - b)
  return { count: roundTrips, medianMs: tookMs[roundTrips / 2] ?? 0, worstMs: tookMs.at(-1) ?? 0 }
}

/** Of several answers the one with the shortest way tells most. */
async function comparedClocks(ask: Ask, clock: Clock): Promise<ServerFacts['clock']> {
  let best: { aheadMs: number; errorMs: number } | undefined
  for (let number = 0; number < timeCount; number += 1) {
    const [sentAtMs, sentNowMs] = [clock.monotonicMs(), clock.nowMs()]
    const [seconds, microseconds] = textsOf(await optional(ask('TIME', [])))
    if (seconds === undefined || microseconds === undefined) return undefined
    const errorMs = (clock.monotonicMs() - sentAtMs) / 2
    const serverMs = Number(seconds) * 1000 + Number(microseconds) / 1000
    if (best === undefined || errorMs < best.errorMs) best = { aheadMs: sentNowMs + errorMs - serverMs, errorMs }
  }
  return best
}

/** Publishes to a channel of our own by the script that a node proves the bus with, and waits for the message. */
async function provenBus(
  ask: Ask,
  redis: RedisOptions,
  channel: string,
  cluster: boolean,
  clock: Clock,
): Promise<ServerFacts['bus']> {
  const subscriber = new Visit(redis)
  try {
    const failure = await subscriber.open()
    if (failure !== undefined) return { refused: failure.text }
    const heard = await subscriber.hears(channel, cluster, proofMs, clock)
    await ask('EVAL', [new PreparedScripts(cluster).of(proofScript).body, '1', channel, 'doctor'])
    return (await heard()) ? 'proven' : 'silent'
  } catch (error) {
    const text = reasonOf(error)
    const isForbidden = refusalKind(text) === 'noperm'
    return { refused: isForbidden ? permissionProblem(text, cluster ? 'SSUBSCRIBE' : 'SUBSCRIBE') : text }
  } finally {
    subscriber.close()
  }
}

function memoryOf(info: ReadonlyMap<string, string>): ServerFacts['memory'] {
  const [used, max, policy] = [info.get('used_memory'), info.get('maxmemory'), info.get('maxmemory_policy')]
  if (used === undefined || max === undefined || policy === undefined) return undefined
  return { usedBytes: Number(used), maxBytes: Number(max), policy }
}

/** One setting by CONFIG GET; undefined where that is forbidden or renamed. */
async function setting(visit: Visit, name: string): Promise<string | undefined> {
  return pairsOf(await optional(visit.call('CONFIG', ['GET', name]))).get(name)
}

/** `normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60` */
function pubsubLimit(text: string | undefined): number | undefined {
  return wholeOrNone(/\bpubsub (\d+)/.exec(text ?? '')?.[1])
}

function wholeOrNone(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** What the server refuses to tell is not known, which is an answer too. A connection that is gone is told by the next question. */
async function optional(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply
  } catch (_refused) {
    return undefined
  }
}
