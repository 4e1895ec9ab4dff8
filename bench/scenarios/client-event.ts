/** A whisper on a private channel: one sends, nine get it, the sender never does. */
import { runLanes } from '../load/lanes.js'
import { eventData } from '../load/message.js'
import { clientFrame, opcodes } from '../load/websocket-frame.js'
import { perUnit } from '../measure/meter.js'
import { latencyOf } from '../measure/statistics.js'
import type { Scenario } from '../scenario.js'

const receivers = 9
const ringSize = 512
const channel = 'private-whisper'
const event = 'client-typing'

const dataOf = (publisher: number, sequence: number) => eventData(publisher, sequence, 60)

export const clientEvent: Scenario = {
  name: 'client-event',
  rows: ['client-event'],
  quick: true,
  async run({ load, meter, pace }) {
    const check = load.check({ channel, event, ringSize, dataOf })
    const [sender] = await load.clients(1 + receivers, async (client, index) => {
      if (index > 0) client.subscriber = check.addSubscriber()
      await client.subscribe(channel)
    })
    // As the libraries send it: data is an object, and arrives as a string.
    const frames = Array.from({ length: ringSize }, (_, sequence) =>
      clientFrame(opcodes.text, `{"event":"${event}","channel":"${channel}","data":${dataOf(0, sequence)}}`),
    )
    let sequence = 0
    const step = async () => {
      const frame = frames[sequence]
      if (frame === undefined || sender === undefined) throw new Error('the ring of frames has a hole')
      const delivered = check.delivered(0, sequence)
      sequence = (sequence + 1) % ringSize
      sender.send(frame)
      await delivered
    }
    await runLanes(1, pace.warmupMs, step)
    const { microseconds, parts, result } = await meter.cpu(() => runLanes(1, pace.measureMs, step))
    return [
      {
        row: 'client-event',
        value: microseconds / result.operations,
        operations: result.operations,
        latency: latencyOf(result.latenciesMs),
        parts: perUnit(parts, result.operations),
      },
    ]
  },
}
