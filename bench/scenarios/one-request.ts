/** A batch of ten events, each for a channel of its own with three subscribers. */
import { runLanes } from '../load/lanes.js'
import { eventData, eventName } from '../load/message.js'
import { signedRequest } from '../load/target.js'
import { latencyOf } from '../measure/statistics.js'
import type { Scenario } from '../scenario.js'
import { checkTriggerAnswer } from './published-channel.js'

const events = 10
const subscribersPerChannel = 3
const ringSize = 64

const dataOf = (publisher: number, sequence: number) => eventData(publisher, sequence, 100)

export const batch: Scenario = {
  name: 'batch-10',
  rows: ['batch-10'],
  quick: false,
  async run({ load, meter, pace }) {
    const checks = Array.from({ length: events }, (_, index) =>
      load.check({ channel: `batch-${index}`, event: eventName, ringSize, dataOf }),
    )
    await load.clients(events * subscribersPerChannel, async (client, index) => {
      const check = checks[index % events]
      client.subscriber = check?.addSubscriber()
      if (check !== undefined) await client.subscribe(check.channel)
    })
    const requests = Array.from({ length: ringSize }, (_, sequence) => {
      const list = checks.map(({ channel }) => ({ channel, name: eventName, data: dataOf(0, sequence) }))
      return signedRequest(load.target, 'POST', '/batch_events', JSON.stringify({ batch: list }))
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
    return [
      {
        row: 'batch-10',
        value: microseconds / result.operations,
        operations: result.operations,
        latency: latencyOf(result.latenciesMs),
      },
    ]
  },
}
