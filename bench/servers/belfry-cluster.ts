import { execFileSync } from 'node:child_process'
import { RedisServer } from '../../test/harness/redis-server.js'
import { belfryVersion, startBelfry } from './belfry.js'
import type { RunningServer, ServerKind } from './server.js'

/**
 * Two Belfry nodes and a Redis that saves nothing, as one server: its cost is that of all three. Each node is configured as the
 * single one is, with `redis` besides.
 */
export const belfryCluster: ServerKind = {
  name: 'belfry-cluster',
  usesRedis: true,
  sendsWebhooks: true,
  version: () => `2 × ${belfryVersion()}, Redis ${redisVersion()}`,
  async start(options) {
    const redis = await RedisServer.start()
    const nodes: RunningServer[] = []
    try {
      while (nodes.length < 2) nodes.push(await startBelfry(options, { redis: { url: redis.url } }))
    } catch (error) {
      await stopAll(nodes, redis, false)
      throw error
    }
    return together(nodes, redis)
  },
}

/** @throws Error in one sentence when redis-server is not installed */
function redisVersion(): string {
  try {
    const text = execFileSync('redis-server', ['--version'], { encoding: 'utf8' })
    return /v=(\S+)/.exec(text)?.[1] ?? 'of unknown version'
  } catch (error) {
    throw new Error('redis-server is not installed: apt-get install redis-server', { cause: error })
  }
}

function together([first, ...others]: readonly RunningServer[], redis: RedisServer): RunningServer {
  if (first === undefined) throw new Error('no node')
  const nodes = [first, ...others]
  const parts = nodes.flatMap(({ parts: own }, index) => own.map(({ pid }) => ({ name: `node ${index + 1}`, pid })))
  return {
    targets: [first.targets[0], ...others.map(({ targets }) => targets[0])],
    parts: [...parts, { name: 'redis', pid: redis.pid }],
    redis,
    output: () => nodes.map((node) => node.output()).join(''),
    stop: (gently) => stopAll(nodes, redis, gently),
  }
}

async function stopAll(nodes: readonly RunningServer[], redis: RedisServer, gently: boolean): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop(gently)))
  await redis.close()
}
