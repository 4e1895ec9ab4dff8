/** Rows of one node again, for two workers and a Redis. */
import type { Reading, Scenario } from '../scenario.js'
import { acceptStorm } from './accept-storm.js'
import { clientEvent } from './client-event.js'
import { warmUpTriggers } from './cluster/warm-up.js'
import { connect } from './connect.js'
import { fanout } from './fanout.js'
import { manyChannels } from './many-channels.js'
import { presence } from './presence.js'
import { triggerOne } from './trigger-one.js'

/** The kernel places them: so many that each worker has some. */
const warmUpSubscribers = 8
const names = ['fanout-100B', 'fanout-100B-16', 'fanout-5000-100B', 'channels-keepalive', 'connect-private']
const parallel = [...fanout, ...manyChannels, ...connect].filter(({ name }) => names.includes(name))

/** In rows of their own, because they are compared with one node instead of a reference server. */
function forWorkers(scenario: Scenario): Scenario {
  const own = (row: string) => `workers-${row}`
  return {
    name: own(scenario.name),
    rows: scenario.rows.map(own),
    quick: false,
    async run(run): Promise<Reading[]> {
      await warmUpTriggers(run.load, warmUpSubscribers)
      const readings = await scenario.run(run)
      return readings.map((reading) => ({ ...reading, row: own(reading.row) }))
    },
  }
}

export const workersScenarios: readonly Scenario[] = [...parallel, triggerOne, clientEvent, presence, acceptStorm].map(
  forWorkers,
)
