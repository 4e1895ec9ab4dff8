/** One channel, a thousand subscribers: the cost of a delivery. */
import { setTimeout as wait } from 'node:timers/promises'
import { orStall, runLanes } from '../load/lanes.js'
import { latencyOf } from '../measure/statistics.js'
import type { Scenario } from '../scenario.js'
import { PublishedChannel, restLanes } from './published-channel.js'

const subscribers = 1_000

/**
 * Next trigger when all deliveries of the one before have arrived. With one in flight the server has one message per loop
 * turn; with sixteen, those that arrive while it is busy share a turn, and native topics send each subscriber one write.
 */
function closedLoop(row: string, dataBytes: number, inFlight: number, quick: boolean): Scenario {
  return {
    name: row,
    rows: [row],
    quick,
    async run({ load, meter, pace }) {
      const channel = new PublishedChannel(load, {
        channel: 'fanout',
        publishers: inFlight,
        ringSize: inFlight === 1 ? 512 : 64,
        dataBytes,
      })
      await channel.subscribe(load, subscribers)
      const send = restLanes(load, inFlight)
      const step = (lane: number) => channel.trigger(lane, send(lane))
      await runLanes(inFlight, pace.warmupMs, step)
      const { microseconds, result } = await meter.cpu(() => runLanes(inFlight, pace.measureMs, step))
      const deliveries = result.operations * subscribers
      return [{ row, value: microseconds / deliveries, operations: deliveries, latency: latencyOf(result.latenciesMs) }]
    },
  }
}

/** Twenty a second: everything has left the processor's caches before the next one. */
const steady: Scenario = {
  name: 'fanout-steady',
  rows: ['fanout-steady'],
  quick: false,
  async run({ load, meter, pace }) {
    const channel = new PublishedChannel(load, { channel: 'fanout', publishers: 1, ringSize: 512, dataBytes: 100 })
    await channel.subscribe(load, subscribers)
    const send = restLanes(load, 1)(0)
    const latenciesMs: number[] = []
    const tick = async () => {
      const started = performance.now()
      await channel.trigger(0, send)
      latenciesMs.push(performance.now() - started)
      await wait(Math.max(0, started + 50 - performance.now()))
    }
    const ticks = async (count: number) => {
      for (let done = 0; done < count; done += 1) await orStall(tick(), () => 0)
    }
    await ticks(Math.ceil(pace.warmupMs / 50))
    latenciesMs.length = 0
    const count = Math.ceil((pace.measureMs * 1.5) / 50)
    const { microseconds } = await meter.cpu(() => ticks(count))
    const deliveries = count * subscribers
    return [
      {
        row: 'fanout-steady',
        value: microseconds / deliveries,
        operations: deliveries,
        latency: latencyOf(latenciesMs),
      },
    ]
  },
}

export const fanout: readonly Scenario[] = [
  closedLoop('fanout-100B', 100, 1, true),
  closedLoop('fanout-100B-16', 100, 16, true),
  closedLoop('fanout-1KB', 1024, 1, false),
  steady,
]
