import { setTimeout as wait } from 'node:timers/promises'
import { RedisServer } from '../../test/harness/redis-server.js'
import { belfryCluster } from './belfry-cluster.js'
import { belfryVersion, startBelfry } from './belfry.js'
import type { RunningServer, ServerKind } from './server.js'

const workers = 2
const servingMs = 15_000

/** One Belfry with two workers on one port, and the Redis they share: its cost is that of the parent, the workers and Redis. */
export const belfryWorkers: ServerKind = {
  name: 'belfry-workers',
  usesRedis: true,
  sendsWebhooks: true,
  version: () => `${belfryVersion()} with ${workers} workers, ${belfryCluster.version().split(', ').at(-1) ?? ''}`,
  async start(options) {
    const redis = await RedisServer.start()
    try {
      // The one line at this level says that all workers serve; the first that does answers for all before.
      const log = { level: 'info', format: 'json' }
      const server = await startBelfry(options, { redis: { url: redis.url }, workers, log })
      try {
        await untilAllServe(server)
      } catch (error) {
        await server.stop(false)
        throw error
      }
      return {
        ...server,
        parts: [...server.parts.map(({ pid }) => ({ name: 'workers', pid })), { name: 'redis', pid: redis.pid }],
        redis,
        async stop(gently) {
          await server.stop(gently)
          await redis.close()
        },
      }
    } catch (error) {
      await redis.close()
      throw error
    }
  },
}

async function untilAllServe(server: RunningServer): Promise<void> {
  const deadline = performance.now() + servingMs
  while (!server.output().includes(' is ready: ')) {
    if (performance.now() > deadline) throw new Error(`not all workers serve after ${servingMs / 1000} s`)
    await wait(25)
  }
}
