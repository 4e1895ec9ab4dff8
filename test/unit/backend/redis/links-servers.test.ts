import { describe, expect, test } from 'vitest'
import { parseInfo, permissionProblem, versionProblem } from '../../../../src/backend/redis/capabilities.js'
import { ownersOf, partitionsByServer, slotOf } from '../../../../src/backend/redis/cluster-slots.js'
import { partitionCount, tagOf } from '../../../../src/backend/redis/keys.js'
import { refusalKind } from '../../../../src/backend/redis/reply-errors.js'
import { loadScript, PreparedScripts } from '../../../../src/backend/redis/scripts.js'

describe('slots of a cluster', () => {
  const asked = { host: 'asked', port: 7 }

  test('as CLUSTER KEYSLOT gives them', () => {
    expect(slotOf('123456789')).toBe(0x31c3)
    expect(slotOf('foo')).toBe(12_182)
    expect(slotOf('')).toBe(0)
  })

  test.each([2, 3, 4, 5, 6, 8, 16, 32])('partitions are spread over %i masters with even slot ranges', (masters) => {
    const partitions = new Array<number>(masters).fill(0)
    for (let partition = 0; partition < partitionCount; partition += 1) {
      const master = Math.floor((slotOf(tagOf(partition)) * masters) / 16_384)
      partitions[master] = (partitions[master] ?? 0) + 1
    }
    expect(Math.max(...partitions) - Math.min(...partitions)).toBeLessThanOrEqual(1)
  })

  test('each partition has the master of its slot', () => {
    const owners = ownersOf(
      [
        [0, 8191, ['10.0.0.1', 6379, 'id', []], ['10.0.0.9', 6379, 'replica']],
        [8192, 16_383, ['10.0.0.2', 6380, 'id']],
      ],
      asked,
    )
    expect(owners).toHaveLength(partitionCount)
    for (const [partition, owner] of owners!.entries()) {
      const first = slotOf(tagOf(partition)) <= 8191
      expect(owner).toEqual(first ? { host: '10.0.0.1', port: 6379 } : { host: '10.0.0.2', port: 6380 })
    }
    const servers = partitionsByServer(owners!)
    expect([...servers.keys()].sort()).toEqual(['10.0.0.1:6379', '10.0.0.2:6380'])
    expect([...servers.values()].flatMap(({ partitions }) => partitions)).toHaveLength(partitionCount)
  })

  test('an address that the server does not know is the one asked', () => {
    for (const address of [
      ['', 6379],
      [null, 6379],
      ['?', 6379],
    ]) {
      expect(ownersOf([[0, 16_383, address]], asked)?.[0]).toEqual({ host: 'asked', port: 6379 })
    }
    expect(ownersOf([[0, 16_383, ['', 0]]], asked)?.[0]).toEqual(asked)
  })

  test('slots that nobody has leave their partitions without a server', () => {
    expect(ownersOf([], asked)).toEqual(new Array(partitionCount).fill(undefined))
  })

  test('junk is no topology', () => {
    for (const junk of [undefined, null, 'OK', 5, [5], [[0, 1]], [['0', 1, ['h', 1]]], [[0, 1, 'h']]]) {
      expect(ownersOf(junk, asked)).toBeUndefined()
    }
  })
})

describe('what a server must be', () => {
  function problem(version: string, mode: string, cluster: boolean): string | undefined {
    return versionProblem(parseInfo(`# Server\r\nredis_version:${version}\r\nredis_mode:${mode}\r\n`), cluster)
  }

  test('6.2 for one server, 7.0 for a cluster', () => {
    expect(problem('6.2.0', 'standalone', false)).toBeUndefined()
    expect(problem('7.0.15', 'standalone', false)).toBeUndefined()
    expect(problem('10.0.0', 'standalone', false)).toBeUndefined()
    expect(problem('6.0.16', 'standalone', false)).toBe('Redis 6.0.16 is too old: Belfry needs 6.2 or newer.')
    expect(problem('5.0.7', 'standalone', false)).toContain('5.0.7')
    expect(problem('7.0.0', 'cluster', true)).toBeUndefined()
    expect(problem('6.2.7', 'cluster', true)).toBe(
      'Redis 6.2.7 is too old: Belfry needs 7.0 or newer for sharded pub/sub in a cluster.',
    )
    expect(versionProblem(parseInfo('junk'), false)).toContain('unknown')
  })

  test('the mode must be the one configured', () => {
    expect(problem('7.0.0', 'cluster', false)).toContain('set redis.mode to cluster')
    expect(problem('7.0.0', 'standalone', true)).toContain('does not run as a cluster')
    expect(problem('7.0.0', 'sentinel', false)).toContain('is a sentinel')
  })

  test('a missing right is named', () => {
    const command = "NOPERM this user has no permissions to run the 'script|load' command"
    expect(permissionProblem(command, 'SCRIPT LOAD')).toContain('may not run SCRIPT|LOAD,')
    const old = "NOPERM this user has no permissions to run the 'publish' command or its subcommand"
    expect(permissionProblem(old, 'PUBLISH')).toContain('may not run PUBLISH,')
    expect(permissionProblem('NOPERM something new', 'EVAL')).toContain('may not run EVAL,')
  })
})

describe('errors of a server', () => {
  test.each([
    ["READONLY You can't write against a read only replica. script: abc, on @user_script:3.", 'readonly'],
    [
      "ERR Error running script (call to f_abc): @user_script:3: @user_script: 3: -READONLY You can't write against a read only replica. ",
      'readonly',
    ],
    ['MOVED 3999 127.0.0.1:6381', 'moved'],
    ['ASK 3999 127.0.0.1:6381', 'moved'],
    ['LOADING Redis is loading the dataset in memory', 'not executed'],
    ['CLUSTERDOWN The cluster is down', 'not executed'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'not executed'],
    ['NOREPLICAS Not enough good replicas to write.', 'not executed'],
    ['NOSCRIPT No matching script. Please use EVAL.', 'noscript'],
    ["NOPERM this user has no permissions to run the 'get' command", 'noperm'],
    ["ERR ACL failure in script: this user has no permissions to run the 'get' command", 'noperm'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'refused'],
    ['ERR unknown command MOVED ', 'refused'],
    ['ERR Error running script (call to f_abc): @user_script:3: user text says READONLY now', 'refused'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'refused'],
  ])('%s', (text, kind) => {
    expect(refusalKind(text)).toBe(kind)
  })
})

describe('scripts', () => {
  test('publish what a server of their kind knows, and differ by it', () => {
    const proof = loadScript('proof')
    const plain = new PreparedScripts(false).of(proof)
    const sharded = new PreparedScripts(true).of(proof)
    expect(plain.body).toContain("redis.call('PUBLISH', channel, message)")
    expect(sharded.body).toContain("redis.call('SPUBLISH', channel, message)")
    expect(plain.sha).toMatch(/^[0-9a-f]{40}$/)
    expect(plain.sha).not.toBe(sharded.sha)
  })

  test('parts go in front, in their order', () => {
    const { source } = loadScript('publish', ['lib-clock', 'proof'])
    expect(source.indexOf('nowMs')).toBeLessThan(source.indexOf('The proof of the bus'))
    expect(source.indexOf('The proof of the bus')).toBeLessThan(source.indexOf('Publishes a message, with'))
    expect(() => loadScript('no-such-script')).toThrow()
  })
})
