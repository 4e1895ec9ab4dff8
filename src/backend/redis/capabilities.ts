/** What a Redis server must be able to do, asked at the first contact. */
import type { LinkError } from './link.js'
import { refusalKind } from './reply-errors.js'

/** The oldest version whose commands are used; sharded pub/sub needs more. */
const versionNeeded = '6.2'
const versionNeededByCluster = '7.0'

/** Runs one command; rejects with LinkError. */
export type Call = (command: string, args: readonly string[]) => Promise<unknown>

/** What was asked for and is not there: one sentence for the operator. Trying again helps only after a change of the server. */
export class UnfitError extends Error {}

/**
 * @param cluster whether a Redis Cluster is configured
 * @param channel that this node may publish to
 * @throws UnfitError
 * @throws LinkError when the server does not answer
 */
export async function checkServer(call: Call, cluster: boolean, channel: string): Promise<void> {
  const info = parseInfo(await allowed(call, 'INFO', ['server']))
  const problem = versionProblem(info, cluster)
  if (problem !== undefined) throw new UnfitError(problem)
  await allowed(call, 'EVAL', ['return 1', '0'])
  // Nobody listens to an empty proof.
  await allowed(call, cluster ? 'SPUBLISH' : 'PUBLISH', [channel, ''])
}

/** What INFO's section `server` says against this server, in one sentence. */
export function versionProblem(info: ReadonlyMap<string, string>, cluster: boolean): string | undefined {
  const version = info.get('redis_version') ?? 'unknown'
  const mode = info.get('redis_mode') ?? 'standalone'
  if (mode === 'sentinel') {
    return 'The Redis server is a sentinel: set redis.mode to sentinel and list it in redis.nodes.'
  }
  if (cluster && mode !== 'cluster') {
    return 'redis.mode is cluster, but the Redis server does not run as a cluster (cluster-enabled no).'
  }
  if (!cluster && mode === 'cluster') {
    return 'The Redis server runs as a cluster (cluster-enabled yes): set redis.mode to cluster.'
  }
  const needed = cluster ? versionNeededByCluster : versionNeeded
  if (!isAtLeast(version, needed)) {
    const why = cluster ? ' for sharded pub/sub in a cluster' : ''
    return `Redis ${version} is too old: Belfry needs ${needed} or newer${why}.`
  }
  return undefined
}

/** `NAME:VALUE` lines. */
export function parseInfo(text: unknown): Map<string, string> {
  const info = new Map<string, string>()
  for (const line of String(text).split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) info.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return info
}

/** What the user of Redis may not do, in one sentence. @param text the server's error */
export function permissionProblem(text: string, command: string): string {
  const named = /'([a-z|]+)' command/i.exec(text)?.[1]?.toUpperCase()
  if (/channels used as arguments/.test(text)) {
    return `The Redis user may not use Belfry's channels with ${command}: add &PREFIX:* to its ACL.`
  }
  if (/keys used as arguments/.test(text)) {
    return `The Redis user may not use Belfry's keys with ${command}: add ~PREFIX:* to its ACL.`
  }
  return `The Redis user may not run ${named ?? command}, which Belfry needs: allow it in its ACL.`
}

async function allowed(call: Call, command: string, args: readonly string[]): Promise<unknown> {
  try {
    return await call(command, args)
  } catch (error) {
    const text = (error as LinkError).message
    if (refusalKind(text) === 'noperm') throw new UnfitError(permissionProblem(text, command))
    throw error
  }
}

/** Compares `MAJOR.MINOR`. */
function isAtLeast(version: string, needed: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number)
  return major > neededMajor || (major === neededMajor && minor >= neededMinor)
}
