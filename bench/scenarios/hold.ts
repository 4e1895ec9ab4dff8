/** Ten thousand subscribed connections in one process, and single events that reach every one of them. */
import { orStall } from '../load/lanes.js'
import { latencyOf } from '../measure/statistics.js'
import type { Scenario } from '../scenario.js'
import { PublishedChannel, restLanes } from './published-channel.js'

const connections = 10_000
const events = 5

export const hold: Scenario = {
  name: 'hold',
  rows: ['hold'],
  quick: false,
  async run({ load, meter }) {
    const channel = new PublishedChannel(load, { channel: 'all', publishers: 1, ringSize: 16, dataBytes: 100 })
    await channel.subscribe(load, connections)
    const send = restLanes(load, 1)(0)
    const latenciesMs: number[] = []
    const trigger = async () => {
      const from = performance.now()
      await orStall(channel.trigger(0, send), () => 0)
      latenciesMs.push(performance.now() - from)
    }
    await trigger()
    latenciesMs.length = 0
    const { microseconds } = await meter.cpu(async () => {
      for (let event = 0; event < events; event += 1) await trigger()
    })
    const deliveries = events * connections
    return [
      {
        row: 'hold',
        value: microseconds / deliveries,
        operations: deliveries,
        latency: latencyOf(latenciesMs),
      },
    ]
  },
}
