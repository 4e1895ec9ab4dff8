/** Redis 6.2 is the oldest that is supported, and tested by reading: every command used, with the version that introduced it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = join(import.meta.dirname, '../../../../src/backend/redis')

const oldest = 6.2

/** The version that introduced the command, or the newest form of it that is used. */
const introduced = new Map<string, number>([
  ['CLUSTER', 3.0],
  ['CONFIG', 2.0],
  ['DEL', 1.0],
  ['EVAL', 2.6],
  ['EVALSHA', 2.6],
  ['EXISTS', 1.0],
  ['EXPIRE', 1.0],
  ['GET', 1.0],
  ['HDEL', 2.0],
  ['HEXISTS', 2.0],
  ['HGET', 2.0],
  ['HGETALL', 2.0],
  ['HINCRBY', 2.0],
  ['HKEYS', 2.0],
  ['HLEN', 2.0],
  ['HMGET', 2.0],
  ['HSCAN', 2.8],
  ['HSET', 4.0],
  ['HSETNX', 2.0],
  ['HVALS', 2.0],
  ['INCR', 1.0],
  ['INCRBY', 1.0],
  ['INFO', 1.0],
  ['MGET', 1.0],
  ['PERSIST', 2.2],
  ['PEXPIRE', 2.6],
  ['PEXPIREAT', 2.6],
  ['PING', 1.0],
  ['PSETEX', 2.6],
  ['PTTL', 2.6],
  ['PUBLISH', 2.0],
  ['SADD', 1.0],
  ['SCARD', 1.0],
  ['SCRIPT', 2.6],
  ['SENTINEL', 2.8],
  ['SET', 1.0],
  ['SISMEMBER', 1.0],
  ['SMEMBERS', 1.0],
  ['SRANDMEMBER', 1.0],
  ['SREM', 1.0],
  ['SSCAN', 2.8],
  ['SUBSCRIBE', 2.0],
  ['TIME', 2.6],
  ['UNLINK', 4.0],
  ['UNSUBSCRIBE', 2.0],
  ['XADD', 5.0],
  ['XDEL', 5.0],
  ['XLEN', 5.0],
  ['XRANGE', 6.2],
  ['XREVRANGE', 5.0],
  ['XTRIM', 6.2],
  ['ZADD', 1.2],
  ['ZCARD', 1.2],
  ['ZRANGE', 6.2],
  ['ZRANGEBYSCORE', 1.0],
  ['ZREM', 1.2],
  ['ZREMRANGEBYSCORE', 1.2],
  ['ZSCORE', 1.2],
  // Only of a cluster, which is refused below 7.0 at the first contact (capabilities.ts).
  ['SPUBLISH', 7.0],
  ['SSUBSCRIBE', 7.0],
  ['SUNSUBSCRIBE', 7.0],
])

/** A newer command stands behind one of these on its line. */
const clusterOnly = /\b(?:cluster|sharded)\b.*\?|const call = sharded \?/

/** Options that came after their command: in a call of it they need more than 6.2. */
const newerOptions: readonly [string, RegExp][] = [
  ['EXPIRE', /'(?:NX|XX|GT|LT)'/],
  ['PEXPIRE', /'(?:NX|XX|GT|LT)'/],
  ['PEXPIREAT', /'(?:NX|XX|GT|LT)'/],
]

interface Use {
  readonly command: string
  readonly where: string
  readonly line: string
}

const uses = [...filesOf('.ts', folder), ...filesOf('.lua', join(folder, 'scripts'))].flatMap(usesIn)

test('the commands are found', () => {
  const commands = new Set(uses.map(({ command }) => command))
  for (const command of [
    'TIME',
    'DEL',
    'PUBLISH',
    'EVALSHA',
    'SCRIPT',
    'SUBSCRIBE',
    'SSUBSCRIBE',
    'SPUBLISH',
    'CLUSTER',
  ]) {
    expect(commands).toContain(command)
  }
})

test('every command is known to the table', () => {
  expect(uses.filter(({ command }) => !introduced.has(command))).toEqual([])
})

test('no command is newer than 6.2, save those of a cluster behind its flag', () => {
  const newer = uses.filter(({ command }) => (introduced.get(command) ?? 0) > oldest)
  expect(newer.length).toBeGreaterThan(0)
  expect(newer.filter(({ line }) => !clusterOnly.test(line))).toEqual([])
})

test('no option of a command is newer than 6.2', () => {
  for (const [command, option] of newerOptions) {
    expect(uses.filter((use) => use.command === command && option.test(use.line))).toEqual([])
  }
})

test('scripts name their commands literally', () => {
  for (const file of filesOf('.lua', join(folder, 'scripts'))) {
    const calls = readFileSync(file, 'utf8').match(/redis\.p?call\s*\([^,)]*/g) ?? []
    expect(calls.filter((call) => !/^redis\.p?call\('[A-Z]+'$/.test(call))).toEqual([])
  }
})

test('and so does TypeScript, where it asks a link', () => {
  const passedOn = ['server-link.ts', 'partition.ts']
  for (const file of filesOf('.ts', folder).filter((path) => !passedOn.some((name) => path.endsWith(name)))) {
    const calls =
      readFileSync(file, 'utf8').match(/\.(?:call|partition\([^)]*\)\.read|at\([^)]*\)\.read)\(\s*[^\s]/g) ?? []
    expect(calls.filter((call) => !call.endsWith("'"))).toEqual([])
  }
})

function filesOf(ending: string, path: string): string[] {
  return readdirSync(path)
    .filter((file) => file.endsWith(ending))
    .map((file) => join(path, file))
}

/** `redis.call('X'` in Lua and in TypeScript, and what TypeScript sends: `.call('X'`, `.send('x'`, and the choices in front of it. */
function usesIn(file: string): Use[] {
  const text = readFileSync(file, 'utf8').replace(/^\s*(?:\*|\/\/|--).*$/gm, '')
  const patterns = [
    /\.(?:p?call|read)\(\s*['"`]([A-Za-z]+)['"`]/g,
    /\.send\(\s*['"`]([A-Za-z]+)['"`]/g,
    /\bcall, (?:\w+ \? )?'([A-Z]+)'/g,
    /'(s?(?:un)?subscribe|evalsha|eval|S?PUBLISH)'/g,
  ]
  return patterns.flatMap((pattern) => {
    return [...text.matchAll(pattern)].map(({ 1: command = '', index }) => {
      const before = text.slice(0, index).split('\n')
      return {
        command: command.toUpperCase(),
        where: `${file.slice(folder.length + 1)}:${before.length}`,
        line: (before.at(-1) ?? '') + text.slice(index).split('\n', 1).join(),
      }
    })
  })
}
