/** What a second node and a Redis add to a publish: to one subscriber here or there, and to a thousand on both. */
import { runLanes } from '../../load/lanes.js'
import { spread } from '../../load/load.js'
import type { Placing } from '../../load/load.js'
import { perUnit } from '../../measure/meter.js'
import { latencyOf } from '../../measure/statistics.js'
import type { Scenario } from '../../scenario.js'
import { PublishedChannel, restLanes } from '../published-channel.js'
import { warmUpTriggers } from './warm-up.js'

interface Shape {
  readonly row: string
  readonly subscribers: number
  readonly placing: Placing
  readonly inFlight: number
}

/** Triggers go to the first node; the next of a lane leaves when all deliveries of the one before have arrived. */
function closedLoop({ row, subscribers, placing, inFlight }: Shape): Scenario {
  return {
    name: row,
    rows: [row],
    quick: false,
    async run({ load, meter, pace }) {
      await warmUpTriggers(load)
      const channel = new PublishedChannel(load, {
        channel: 'trigger',
        publishers: inFlight,
        ringSize: inFlight === 1 ? 512 : 64,
        dataBytes: 100,
      })
      await channel.subscribe(load, subscribers, placing)
      const send = restLanes(load, inFlight)
      const step = (lane: number) => channel.trigger(lane, send(lane))
      await runLanes(inFlight, pace.warmupMs, step)
      const { microseconds, parts, result } = await meter.cpu(() => runLanes(inFlight, pace.measureMs, step))
      const deliveries = result.operations * subscribers
      const latency = latencyOf(result.latenciesMs)
      const value = microseconds / deliveries
      return [{ row, value, operations: deliveries, latency, parts: perUnit(parts, deliveries) }]
    },
  }
}

const subscribers = 1_000

export const clusterTriggers: readonly Scenario[] = [
  closedLoop({ row: 'cluster-trigger-apart', subscribers: 1, placing: () => 1, inFlight: 16 }),
  closedLoop({ row: 'cluster-trigger-here', subscribers: 1, placing: () => 0, inFlight: 16 }),
  closedLoop({ row: 'cluster-fanout', subscribers, placing: spread, inFlight: 1 }),
  closedLoop({ row: 'cluster-fanout-16', subscribers, placing: spread, inFlight: 16 }),
]
