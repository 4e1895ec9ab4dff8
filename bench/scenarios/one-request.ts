/** One request for many channels with three subscribers each: a batch of ten events, and one trigger for a hundred channels. */
import { runLanes } from '../load/lanes.js'
import { eventData, eventName } from '../load/message.js'
import { signedRequest } from '../load/target.js'
import { latencyOf } from '../measure/statistics.js'
import type { Scenario } from '../scenario.js'
import { checkTriggerAnswer } from './published-channel.js'

const subscribersPerChannel = 3
const ringSize = 64

const dataOf = (publisher: number, sequence: number) => eventData(publisher, sequence, 100)

/** @param body what the request says: the channels, and the data for all of them */
function oneRequest(
  row: string,
  channelCount: number,
  path: string,
  body: (channels: readonly string[], data: string) => object,
): Scenario {
  return {
    name: row,
    rows: [row],
    quick: false,
    async run({ load, meter, pace }) {
      const checks = Array.from({ length: channelCount }, (_, index) =>
        load.check({ channel: `${row}-${index}`, event: eventName, ringSize, dataOf }),
      )
      await load.clients(channelCount * subscribersPerChannel, async (client, index) => {
        const check = checks[index % channelCount]
        client.subscriber = check?.addSubscriber()
        if (check !== undefined) await client.subscribe(check.channel)
      })
      const channels = checks.map(({ channel }) => channel)
      const requests = Array.from({ length: ringSize }, (_, sequence) =>
        signedRequest(load.target, 'POST', path, JSON.stringify(body(channels, dataOf(0, sequence)))),
      )
      const rest = load.rest()
      let sequence = 0
      const step = async () => {
        const request = requests[sequence]
        if (request === undefined) throw new Error('the ring of requests has a hole')
        const delivered = checks.map((check) => check.delivered(0, sequence))
        sequence = (sequence + 1) % ringSize
        await Promise.all([rest.send(request).then(checkTriggerAnswer), ...delivered])
      }
      await runLanes(1, pace.warmupMs, step)
      const { microseconds, result } = await meter.cpu(() => runLanes(1, pace.measureMs, step))
      return [
        {
          row,
          value: microseconds / result.operations,
          operations: result.operations,
          latency: latencyOf(result.latenciesMs),
        },
      ]
    },
  }
}

export const batch = oneRequest('batch-10', 10, '/batch_events', (channels, data) => ({
  batch: channels.map((channel) => ({ channel, name: eventName, data })),
}))

/** As many channels as the protocol allows. */
export const multiChannel = oneRequest('multi-100', 100, '/events', (channels, data) => ({
  name: eventName,
  channels,
  data,
}))
