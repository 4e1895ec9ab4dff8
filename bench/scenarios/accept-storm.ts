/**
 * Everybody comes back at once: connections alone, no subscriptions, as many being opened at any time as fit into a listener's queue.
 * A generator cannot outrun a server that does so little for each, so the rate is by the CPU time that the server took: what one of
 * its cores would accept if it did nothing else.
 */
import { orStall } from '../load/lanes.js'
import { atFirst } from '../load/load.js'
import { perUnit } from '../measure/meter.js'
import type { Scenario } from '../scenario.js'

const opening = 256
const warmUpConnections = 2_000
/** What a run of the usual length opens; with those before, more than one address has room for. */
const connectionsPerMs = 5

export const acceptStorm: Scenario = {
  name: 'accept',
  rows: ['accept', 'accept-rate'],
  quick: false,
  async run({ load, meter, pace }) {
    let opened = 0
    const open = (count: number) => {
      const connected = () => {
        opened += 1
        return Promise.resolve()
      }
      return orStall(load.clients(count, connected, atFirst, opening), () => opened)
    }
    await open(warmUpConnections)
    const count = connectionsPerMs * pace.measureMs
    const { microseconds, parts } = await meter.cpu(() => open(count))
    const value = microseconds / count
    return [
      { row: 'accept', value, operations: count, parts: perUnit(parts, count) },
      { row: 'accept-rate', value: 1_000_000 / value, operations: count },
    ]
  },
}
