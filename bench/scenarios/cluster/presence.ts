/** The presence channel of two hundred, its members and those who come and go on both nodes in turn. */
import { spread } from '../../load/load.js'
import type { Scenario } from '../../scenario.js'
import { joinAndLeave } from '../presence.js'

export const clusterPresence: Scenario = {
  name: 'cluster-presence',
  rows: ['cluster-presence-join', 'cluster-presence-leave'],
  quick: false,
  run: (run) => joinAndLeave(run, 'cluster-presence', spread),
}
