/** Fifty thousand channels of one node whose subscriber connection is cut. */
import { setTimeout as wait } from 'node:timers/promises'
import { perUnit } from '../../measure/meter.js'
import { median } from '../../measure/statistics.js'
import type { Load } from '../../load/load.js'
import type { Scenario } from '../../scenario.js'
import { answers } from '../../servers/child.js'
import type { RedisCommands } from '../../servers/server.js'
import { PublishedChannel, restLanes } from '../published-channel.js'
import { openChannels } from './open-channels.js'
import { subscribedChannels } from './redis-figures.js'

const channels = 50_000
const cuts = 3
const pollMs = 5
/** After which a cut is not got over at all. */
const cutMaxMs = 30_000

export const clusterResubscribe: Scenario = {
  name: 'cluster-resubscribe',
  rows: ['cluster-resubscribe'],
  quick: false,
  needsRedis: true,
  async run({ load, meter, redis }) {
    if (redis === undefined) throw new Error('no Redis')
    const probe = new PublishedChannel(load, { channel: 'probe', publishers: 1, ringSize: 64, dataBytes: 100 })
    await openChannels(load, channels, () => 1)
    await probe.subscribe(load, 1, () => 1)
    const send = restLanes(load, 1)(0)
    const timesMs: number[] = []
    const { parts } = await meter.cpu(async () => {
      while (timesMs.length < cuts) {
        await wait(500)
        const before = await subscribedChannels(redis)
        const cutAt = performance.now()
        await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
        await healed(load, redis, before, cutAt + cutMaxMs)
        await probe.trigger(0, send)
        timesMs.push(performance.now() - cutAt)
      }
    })
    // Of the processor, while the value is time.
    const inMs = perUnit(parts, 1000 * cuts)
    return [{ row: 'cluster-resubscribe', value: median(timesMs), operations: cuts * channels, parts: inMs }]
  },
}

/** Resolves when Redis has every subscription again and each node says that its bus is proven. */
async function healed(load: Load, redis: RedisCommands, subscriptions: number, deadline: number): Promise<void> {
  const ports = Array.from({ length: load.nodes }, (_, node) => load.targetOf(node).port)
  while ((await subscribedChannels(redis)) < subscriptions || !(await allReady(ports))) {
    if (performance.now() > deadline) throw new Error(`not subscribed again within ${cutMaxMs / 1000} s`)
    await wait(pollMs)
  }
}

async function allReady(ports: readonly number[]): Promise<boolean> {
  return (await Promise.all(ports.map((port) => answers(port, '/ready')))).every(Boolean)
}
