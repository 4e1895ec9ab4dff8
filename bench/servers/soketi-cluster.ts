import { RedisServer } from '../../test/harness/redis-server.js'
import type { Peer } from './peer.js'
import type { RunningServer } from './server.js'
import { installSoketi, soketiLacks, soketiVersion, startSoketi } from './soketi.js'

/** Two soketi nodes and a Redis that saves nothing, as one server: its cost is that of all three. */
export const soketiCluster: Peer = {
  name: 'soketi-cluster',
  // Its Redis holds neither channels nor members: what scenarios look for there it does not have.
  usesRedis: false,
  sendsWebhooks: false,
  costIsKnown: true,
  lacks: (scenario) =>
    scenario.needsRedis === true ? 'it has neither channels nor members in its Redis' : soketiLacks(scenario),
  install: installSoketi,
  version: () => `2 × ${soketiVersion()}, Redis`,
  async start(options) {
    const redis = await RedisServer.start()
    const nodes: RunningServer[] = []
    const stop = async (gently: boolean) => {
      await Promise.all(nodes.map((node) => node.stop(gently)))
      await redis.close()
    }
    try {
      const first = await startSoketi(options, redis.port)
      nodes.push(first)
      const second = await startSoketi(options, redis.port)
      nodes.push(second)
      const parts = nodes.flatMap(({ parts: own }, index) => own.map(({ pid }) => ({ name: `node ${index + 1}`, pid })))
      return {
        targets: [first.targets[0], second.targets[0]],
        parts: [...parts, { name: 'redis', pid: redis.pid }],
        output: () => nodes.map((node) => node.output()).join(''),
        stop,
      }
    } catch (error) {
      await stop(false)
      throw error
    }
  },
}
