/** A page is opened: TCP, upgrade, handshake, and one subscription: to the user's own private channel, signed, or to a public one. */
import { orStall } from '../load/lanes.js'
import { perUnit } from '../measure/meter.js'
import type { Scenario } from '../scenario.js'

/** So many that the code is compiled. With those measured no more than one address is used for, because a URL may be far away. */
const warmUpConnections = 2_000
const count = { least: 2_000, most: 3_000 }

function scenario(row: string, channelOf: (connection: number) => string, quick: boolean): Scenario {
  return {
    name: row,
    rows: [row],
    quick,
    async run({ load, meter, pace }) {
      let connected = 0
      const open = (count: number) =>
        orStall(
          load.clients(count, async (client) => {
            connected += 1
            await client.subscribe(channelOf(connected))
          }),
          () => connected,
        )
      await open(warmUpConnections)
      // About a connection per half millisecond.
      const operations = Math.min(count.most, Math.max(count.least, 2 * pace.measureMs))
      const { microseconds, parts } = await meter.cpu(() => open(operations))
      return [{ row, value: microseconds / operations, operations, parts: perUnit(parts, operations) }]
    },
  }
}

export const connect: readonly Scenario[] = [
  scenario('connect-private', (connection) => `private-user.${connection}`, true),
  scenario('connect-public', (connection) => `page.${connection % 100}`, false),
]
