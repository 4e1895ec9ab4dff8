/** One trigger for a hundred channels, as many as the protocol allows, with three subscribers each. */
import { runLanes } from '../load/lanes.js'
import { eventData, eventName } from '../load/message.js'
import { signedRequest } from '../load/target.js'
import { latencyOf } from '../measure/statistics.js'
import type { Scenario } from '../scenario.js'
import { checkTriggerAnswer } from './published-channel.js'

const channelCount = 100
const subscribersPerChannel = 3
const ringSize = 64

const dataOf = (publisher: number, sequence: number) => eventData(publisher, sequence, 100)

export const multiChannel: Scenario = {
  name: 'multi-100',
  rows: ['multi-100'],
  quick: false,
  async run({ load, meter, pace }) {
    const checks = Array.from({ length: channelCount }, (_, index) =>
      load.check({ channel: `multi-${index}`, event: eventName, ringSize, dataOf }),
    )
    await load.clients(channelCount * subscribersPerChannel, async (client, index) => {
      const check = checks[index % channelCount]
      client.subscriber = check?.addSubscriber()
      if (check !== undefined) await client.subscribe(check.channel)
    })
    const channels = checks.map(({ channel }) => channel)
    const requests = Array.from({ length: ringSize }, (_, sequence) => {
      const body = JSON.stringify({ name: eventName, channels, data: dataOf(0, sequence) })
      return signedRequest(load.target, 'POST', '/events', body)
    })
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
    const { operations, latenciesMs } = result
    return [{ row: 'multi-100', value: microseconds / operations, operations, latency: latencyOf(latenciesMs) }]
  },
}
