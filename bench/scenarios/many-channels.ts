/** A thousand channels with three subscribers each, triggered in turn: what a usual application does all day. */
import { runLanes } from '../load/lanes.js'
import type { Load } from '../load/load.js'
import { perUnit } from '../measure/meter.js'
import { latencyOf } from '../measure/statistics.js'
import type { Scenario } from '../scenario.js'
import { PublishedChannel, restLanes } from './published-channel.js'

const channelCount = 1_000
const subscribersPerChannel = 3
const inFlight = 16
/** A busy machine gets so little done in the time for it that what is measured would be the compiler. */
const warmUp = { operations: 12_000, longer: 5 }
/** A closed connection keeps its port for a minute, and there are 28 000. */
const freshMax = { warmup: 2_000, measure: 10_000 }

async function openChannels(load: Load): Promise<PublishedChannel[]> {
  const channels = Array.from(
    { length: channelCount },
    (_, index) =>
      new PublishedChannel(load, { channel: `channel-${index}`, publishers: 1, ringSize: 16, dataBytes: 100 }),
  )
  await load.clients(channelCount * subscribersPerChannel, async (client, index) => {
    const check = channels[index % channelCount]?.check
    client.subscriber = check?.addSubscriber()
    if (check !== undefined) await client.subscribe(check.channel)
  })
  return channels
}

function scenario(row: string, fresh: boolean, quick: boolean): Scenario {
  return {
    name: row,
    rows: [row],
    quick,
    async run({ load, meter, pace }) {
      const channels = await openChannels(load)
      const kept = restLanes(load, inFlight)
      const send = fresh ? () => (request: Buffer) => load.sendFresh(request) : kept
      let turn = 0
      const step = async (lane: number) => {
        turn = (turn + 1) % channelCount
        await channels[turn]?.trigger(0, send(lane))
      }
      const { operations } = await runLanes(inFlight, pace.warmupMs, step, fresh ? freshMax.warmup : undefined)
      if (!fresh) await runLanes(inFlight, warmUp.longer * pace.warmupMs, step, warmUp.operations - operations)
      const { microseconds, parts, result } = await meter.cpu(() =>
        runLanes(inFlight, pace.measureMs, step, fresh ? freshMax.measure : undefined),
      )
      return [
        {
          row,
          value: microseconds / result.operations,
          operations: result.operations,
          latency: latencyOf(result.latenciesMs),
          parts: perUnit(parts, result.operations),
        },
      ]
    },
  }
}

export const manyChannels: readonly Scenario[] = [
  scenario('channels-keepalive', false, true),
  scenario('channels-fresh', true, false),
]
