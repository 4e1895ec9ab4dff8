/** One subscriber: what is left is the REST path. */
import { runLanes } from '../load/lanes.js'
import { perUnit } from '../measure/meter.js'
import { latencyOf } from '../measure/statistics.js'
import type { Scenario } from '../scenario.js'
import { PublishedChannel, restLanes } from './published-channel.js'

const inFlight = 16
/** A busy machine gets so little done in the time for it that what is measured would be the compiler. */
const warmUp = { operations: 20_000, longer: 5 }

export const triggerOne: Scenario = {
  name: 'trigger-one',
  rows: ['trigger-one'],
  // On a machine that is slow at the moment its ratio rises by a fifth: too near to its gate for a quick check.
  quick: false,
  async run({ load, meter, pace }) {
    const channel = new PublishedChannel(load, {
      channel: 'trigger',
      publishers: inFlight,
      ringSize: 64,
      dataBytes: 100,
    })
    await channel.subscribe(load, 1)
    const send = restLanes(load, inFlight)
    const step = (lane: number) => channel.trigger(lane, send(lane))
    const { operations } = await runLanes(inFlight, pace.warmupMs, step)
    await runLanes(inFlight, warmUp.longer * pace.warmupMs, step, warmUp.operations - operations)
    const { microseconds, parts, result } = await meter.cpu(() => runLanes(inFlight, pace.measureMs, step))
    return [
      {
        row: 'trigger-one',
        value: microseconds / result.operations,
        operations: result.operations,
        latency: latencyOf(result.latenciesMs),
        parts: perUnit(parts, result.operations),
      },
    ]
  },
}
