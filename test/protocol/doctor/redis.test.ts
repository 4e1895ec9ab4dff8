import { afterEach, expect, test } from 'vitest'
import { freePort } from '../../harness/free-port.js'
import { RedisCluster } from '../../harness/redis-cluster.js'
import { RedisServer, type RedisServerOptions } from '../../harness/redis-server.js'
import { describeWith } from '../../requirements.js'
import { examined } from './examined.js'

/** The line of docs/scaling.md. */
const documentedRights =
  '~belfry:* resetchannels &belfry:* -@all +info +select +client|setname +script|load +eval +evalsha +publish +subscribe +unsubscribe +time +del +exists +pexpire +pttl +get +set +incr +hset +hget +hmget +hgetall +hdel +hexists +hincrby +hlen +hscan +hsetnx +sadd +srem +smembers +scard +zadd +zrem +zscore +zrangebyscore +xadd +xrange +xrevrange +xtrim'

describeWith(['redis'], 'belfry doctor and Redis', () => {
  const servers: { close(): Promise<void> }[] = []

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })

  async function serve(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = await RedisServer.start(options)
    servers.push(server)
    return server
  }

  const redis = (url: string, more: Record<string, string> = {}) => examined([], { BELFRY_REDIS_URL: url, ...more })

  test('a healthy server: everything is said and nothing is wrong', async () => {
    const server = await serve({ password: 'a-password-of-redis' })
    const seen = await redis(server.url)
    const name = `Redis 127.0.0.1:${server.port}`
    expect(seen.failed).toEqual([])
    expect(seen.exitCode).toBe(0)
    expect(seen.of('redis.reachable')).toMatch(new RegExp(`^ok ${name} answers, version \\d+\\.\\d+\\.\\d+\\.$`))
    expect(seen.of('redis.rights')).toBe(`ok The user of ${name} may use every command that is needed.`)
    expect(seen.of('redis.bus')).toBe(`ok A message published through ${name} came back.`)
    expect(seen.of('redis.latency')).toMatch(/^ok A round trip .* takes [\d.]+ ms \(worst [\d.]+ ms of 20\)\.$/)
    expect(seen.of('redis.clock')).toMatch(/^ok The clock of this machine agrees with that of .* \(\d+ ms\)\.$/)
    expect(seen.of('redis.persistence')).toBe(
      `ok Persistence of ${name} is off for AOF and off for snapshots; Belfry needs none.`,
    )
    expect(seen.of('redis.eviction')).toContain(`note ${name} has no maxmemory`)
    expect(seen.output).not.toContain('a-password-of-redis')
    expect(await server.command('KEYS', '*d:doctor*')).toEqual([])
  })

  test('nobody listens', async () => {
    const port = await freePort()
    const seen = await redis(`redis://127.0.0.1:${port}/0`)
    expect(seen.exitCode).toBe(1)
    expect(seen.failed).toEqual([
      `Redis 127.0.0.1:${port} cannot be reached (connect ECONNREFUSED 127.0.0.1:${port}): start it, or correct redis.url.`,
    ])
  })

  test('no such host', async () => {
    const seen = await redis('redis://redis.invalid:6379/0')
    expect(seen.failed).toHaveLength(1)
    expect(seen.failed[0]).toMatch(
      /^Redis redis\.invalid:6379 has no address \(.*\): correct the host in redis\.url, or its DNS record\.$/,
    )
  })

  test('a wrong password, which is not printed', async () => {
    const server = await serve({ password: 'the-right-password' })
    const seen = await redis(`redis://:the-wrong-password@127.0.0.1:${server.port}/0`)
    expect(seen.failed).toHaveLength(1)
    expect(seen.failed[0]).toMatch(
      /refuses the user or its password \(WRONGPASS .*\): correct them in redis\.url \(special characters percent-encoded\)/,
    )
    expect(seen.output).not.toMatch(/the-(?:wrong|right)-password/)
  })

  test('no password where one is needed', async () => {
    const server = await serve({ password: 'the-right-password' })
    const seen = await redis(`redis://127.0.0.1:${server.port}/0`)
    expect(seen.failed).toHaveLength(1)
    expect(seen.failed[0]).toMatch(/refuses the user or its password \(NOAUTH .*\): correct them in redis\.url/)
  })

  test('TLS is spoken to a server without it', async () => {
    const server = await serve()
    const seen = await redis(`rediss://127.0.0.1:${server.port}/0`)
    expect(seen.failed).toHaveLength(1)
    expect(seen.failed[0]).toMatch(/use rediss:\/\/ if it serves TLS and redis:\/\/ if it does not/)
  })

  test('an eviction policy that may remove members', async () => {
    const server = await serve({ config: ['maxmemory 100mb', 'maxmemory-policy allkeys-lru'] })
    const seen = await redis(server.url)
    expect(seen.exitCode).toBe(0)
    expect(seen.of('redis.eviction')).toBe(
      `warning Redis 127.0.0.1:${server.port} has maxmemory-policy allkeys-lru and may remove members who are there once 100 MiB are used: set maxmemory-policy noeviction, or give Belfry a Redis of its own.`,
    )
  })

  test('a full server', async () => {
    const server = await serve({ config: ['maxmemory 1mb', 'maxmemory-policy noeviction'] })
    const seen = await redis(server.url)
    expect(seen.of('redis.writes')).toMatch(
      /^failed .* refuses writes \(OOM .*\): raise maxmemory, and see who fills it\.$/,
    )
    expect(seen.of('redis.memory')).toMatch(/^warning .* uses \d+ % of its maxmemory: raise maxmemory/)
  })

  test('a replica', async () => {
    const master = await serve()
    const replica = await serve({ config: [`replicaof 127.0.0.1 ${master.port}`] })
    const seen = await redis(replica.url)
    expect(seen.failed).toEqual([
      `Redis 127.0.0.1:${replica.port} is a replica of 127.0.0.1:${master.port} and takes no writes: name the master in redis.url, or use redis.mode sentinel.`,
    ])
  })

  test('the rights of the documented line are enough, and CONFIG GET is not among them', async () => {
    const server = await serve({ acl: [`belfry on >belfry-password resetkeys ${documentedRights}`] })
    const seen = await redis(`redis://belfry:belfry-password@127.0.0.1:${server.port}/0`)
    expect(seen.failed).toEqual([])
    expect(seen.of('redis.settings')).toBe(
      `note The settings of Redis 127.0.0.1:${server.port} could not be read (CONFIG GET is not allowed).`,
    )
    expect(seen.of('redis.persistence')).toContain('off for AOF and unknown for snapshots')
  })

  test('rights that only reads and webhooks need are missed', async () => {
    const server = await serve({ acl: [`belfry on >belfry-password resetkeys ${documentedRights} -hgetall -xadd`] })
    const seen = await redis(`redis://belfry:belfry-password@127.0.0.1:${server.port}/0`)
    expect(seen.of('redis.rights')).toBe(
      `failed The user of Redis 127.0.0.1:${server.port} may not use HGETALL, XADD: give it the ACL line of docs/scaling.md ("Password and rights").`,
    )
  })

  test('a right that the start needs is missing', async () => {
    const server = await serve({ acl: [`belfry on >belfry-password resetkeys ${documentedRights} -publish`] })
    const seen = await redis(`redis://belfry:belfry-password@127.0.0.1:${server.port}/0`)
    expect(seen.of('redis.fit')).toBe(
      `failed Redis 127.0.0.1:${server.port} cannot be used: The Redis user may not run PUBLISH, which Belfry needs: allow it in its ACL.`,
    )
  })

  test('a server of another mode', async () => {
    const server = await serve()
    const seen = await examined([], {
      BELFRY_REDIS_MODE: 'cluster',
      BELFRY_REDIS_NODES: `127.0.0.1:${server.port}`,
    })
    expect(seen.failed).toHaveLength(1)
    expect(seen.failed[0]).toMatch(
      /answers, but refuses \(ERR This instance has cluster support disabled\): see what it says/,
    )
  })

  test('a sentinel that knows no such master, and one that is gone', async () => {
    const sentinel = await serve({ arguments: ['--sentinel'] })
    const gone = await freePort()
    const seen = await examined([], {
      BELFRY_REDIS_MODE: 'sentinel',
      BELFRY_REDIS_NODES: `127.0.0.1:${sentinel.port},127.0.0.1:${gone}`,
      BELFRY_REDIS_SENTINEL_NAME: 'nobody',
    })
    expect(seen.failed).toEqual([
      `The sentinel 127.0.0.1:${sentinel.port} answers, but refuses (it knows no master named nobody): see what it says, its log, and redis.nodes.`,
      `The sentinel 127.0.0.1:${gone} cannot be reached (connect ECONNREFUSED 127.0.0.1:${gone}): start it, or correct redis.nodes.`,
      'No sentinel names a master, so Redis was not asked: see the lines about the sentinels, redis.nodes and redis.sentinelName.',
    ])
  })

  test('a master that a sentinel names', async () => {
    const master = await serve({ password: 'a-password-of-redis' })
    const sentinel = await serve({
      arguments: ['--sentinel'],
      config: [`sentinel monitor belfry 127.0.0.1 ${master.port} 1`, 'sentinel auth-pass belfry "a-password-of-redis"'],
    })
    const seen = await examined([], {
      BELFRY_REDIS_MODE: 'sentinel',
      BELFRY_REDIS_NODES: `127.0.0.1:${sentinel.port},127.0.0.1:${await freePort()}`,
      BELFRY_REDIS_SENTINEL_NAME: 'belfry',
      BELFRY_REDIS_URL: 'redis://:a-password-of-redis@ignored/0',
    })
    expect(seen.failed).toEqual([])
    expect(seen.of('redis.sentinel')).toBe(`ok The sentinel 127.0.0.1:${sentinel.port} answers and knows the master.`)
    expect(seen.of('redis.nodes')).toMatch(
      /^warning The sentinel .* cannot be used \(.*\), though others can: start it again/,
    )
    expect(seen.of('redis.bus')).toBe(`ok A message published through Redis 127.0.0.1:${master.port} came back.`)
  })

  test('every master of a Redis Cluster', async () => {
    const cluster = await RedisCluster.start()
    servers.push(cluster)
    const seen = await examined([], {
      BELFRY_REDIS_MODE: 'cluster',
      BELFRY_REDIS_NODES: cluster.nodes[0]!,
      BELFRY_REDIS_URL: 'redis://ignored',
    })
    expect(seen.failed).toEqual([])
    const proven = seen.findings.filter(({ check }) => check === 'redis.bus').map(({ text }) => text)
    expect(proven.sort()).toEqual(
      cluster.nodes.map((node) => `A message published through Redis ${node} came back`).sort(),
    )
  })
})
