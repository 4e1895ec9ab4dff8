/** One channel with ten, a thousand or five thousand subscribers: the cost of a delivery. */
import { setTimeout as wait } from 'node:timers/promises'
import { orStall, runLanes } from '../load/lanes.js'
import { perUnit } from '../measure/meter.js'
import { latencyOf } from '../measure/statistics.js'
import type { Scenario } from '../scenario.js'
import { PublishedChannel, restLanes } from './published-channel.js'

const usual = 1_000

interface Shape {
  readonly row: string
  readonly subscribers?: number
  readonly dataBytes: number
  readonly inFlight: number
  readonly quick?: boolean
}

/**
 * Next trigger when all deliveries of the one before have arrived. With one in flight the server has one message per loop
 * turn; with sixteen, those that arrive while it is busy share a turn, and native topics send each subscriber one write.
 */
function closedLoop({ row, subscribers = usual, dataBytes, inFlight, quick = false }: Shape): Scenario {
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
      const { microseconds, parts, result } = await meter.cpu(() => runLanes(inFlight, pace.measureMs, step))
      const deliveries = result.operations * subscribers
      const latency = latencyOf(result.latenciesMs)
      const value = microseconds / deliveries
      return [{ row, value, operations: deliveries, latency, parts: perUnit(parts, deliveries) }]
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
    await channel.subscribe(load, usual)
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
    const deliveries = count * usual
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

/** 100 B and 1 KB, one at a time and sixteen in flight. */
function allOf(subscribers: number): Scenario[] {
  return [
    closedLoop({ row: `fanout-${subscribers}-100B`, subscribers, dataBytes: 100, inFlight: 1 }),
    closedLoop({ row: `fanout-${subscribers}-100B-16`, subscribers, dataBytes: 100, inFlight: 16 }),
    closedLoop({ row: `fanout-${subscribers}-1KB`, subscribers, dataBytes: 1024, inFlight: 1 }),
    closedLoop({ row: `fanout-${subscribers}-1KB-16`, subscribers, dataBytes: 1024, inFlight: 16 }),
  ]
}

export const fanout: readonly Scenario[] = [
  closedLoop({ row: 'fanout-100B', dataBytes: 100, inFlight: 1 }),
  closedLoop({ row: 'fanout-100B-16', dataBytes: 100, inFlight: 16, quick: true }),
  closedLoop({ row: 'fanout-1KB', dataBytes: 1024, inFlight: 1 }),
  // Work done for each message in JavaScript shows here most.
  closedLoop({ row: 'fanout-1KB-16', dataBytes: 1024, inFlight: 16, quick: true }),
  ...allOf(10),
  ...allOf(5_000),
  steady,
]
