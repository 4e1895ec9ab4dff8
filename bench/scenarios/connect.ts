/** A page is opened: TCP, upgrade, handshake, and one signed subscription to the user's own private channel. */
import { orStall } from '../load/lanes.js'
import type { Scenario } from '../scenario.js'

export const connectPrivate: Scenario = {
  name: 'connect-private',
  rows: ['connect-private'],
  quick: true,
  async run({ load, meter, pace }) {
    let connected = 0
    const open = (count: number) =>
      orStall(
        load.clients(count, async (client) => {
          connected += 1
          await client.subscribe(`private-user.${connected}`)
        }),
        () => connected,
      )
    await open(1_000)
    // About a connection per half millisecond.
    const count = 2 * pace.measureMs
    const { microseconds } = await meter.cpu(() => open(count))
    return [{ row: 'connect-private', value: microseconds / count, operations: count }]
  },
}
