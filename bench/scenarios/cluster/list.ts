/** The list of a hundred thousand channels, and for how long it keeps Redis from serving anybody else. */
import { orStall } from '../../load/lanes.js'
import { spread } from '../../load/load.js'
import { signedRequest } from '../../load/target.js'
import { perUnit } from '../../measure/meter.js'
import { latencyOf, median } from '../../measure/statistics.js'
import type { Scenario } from '../../scenario.js'
import type { RedisCommands } from '../../servers/server.js'
import { restLanes } from '../published-channel.js'
import { openChannels } from './open-channels.js'

const channels = 100_000
const reads = 10

export const clusterList: Scenario = {
  name: 'cluster-list',
  rows: ['cluster-list', 'cluster-list-blocks'],
  quick: false,
  async run({ load, meter, redis }) {
    await openChannels(load, channels, spread)
    const request = signedRequest(load.target, 'GET', '/channels')
    const send = restLanes(load, 1)(0)
    const latenciesMs: number[] = []
    const read = async () => {
      const from = performance.now()
      const answer = await orStall(send(request), () => 0)
      latenciesMs.push(performance.now() - from)
      return answer
    }
    const { channels: listed } = JSON.parse((await read()).toString()) as { channels: object }
    const found = Object.keys(listed).length
    if (found !== channels) load.faults.add('lost', `a list of ${found} channels`, channels - found)
    await read()
    latenciesMs.length = 0
    const longestMs: number[] = []
    const { parts } = await meter.cpu(async () => {
      while (latenciesMs.length < reads) {
        if (redis !== undefined) await logLongCommands(redis)
        await read()
        if (redis !== undefined) longestMs.push(await longestCommandMs(redis))
      }
    })
    const latency = latencyOf(latenciesMs)
    const inMs = perUnit(parts, 1000 * reads)
    const reading = { row: 'cluster-list', value: latency.p50Ms, operations: reads, latency, parts: inMs }
    if (redis === undefined) return [reading]
    // Time, not CPU: on a busy machine the longest of a single read is a pause of the process.
    return [reading, { row: 'cluster-list-blocks', value: median(longestMs), operations: reads }]
  },
}

async function logLongCommands(redis: RedisCommands): Promise<void> {
  await redis.command('CONFIG', 'SET', 'slowlog-log-slower-than', 100, 'slowlog-max-len', 4096)
  await redis.command('SLOWLOG', 'RESET')
}

/** The longest command of those that took longer than 0.1 ms, in ms. */
async function longestCommandMs(redis: RedisCommands): Promise<number> {
  const entries = (await redis.command('SLOWLOG', 'GET', 4096)) as readonly (readonly [number, number, number])[]
  return Math.max(0.1, ...entries.map(([, , microseconds]) => microseconds / 1000))
}
