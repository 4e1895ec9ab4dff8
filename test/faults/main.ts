/**
 * What one node promises under faults, played against a real process: `npm run test:faults -- [ID …] [--fast | --long] [--again]
 * [--list]`. Exit code 0 when everything holds.
 */
import { runScenarios } from '../black-box/command.js'
import { capacity } from './scenarios/capacity.js'
import { dead } from './scenarios/dead.js'
import { r16 } from './scenarios/r16.js'
import { r19 } from './scenarios/r19.js'
import { r20 } from './scenarios/r20.js'
import { r21 } from './scenarios/r21.js'
import { r24 } from './scenarios/r24.js'
import { r30 } from './scenarios/r30.js'
import { r33 } from './scenarios/r33.js'
import { tlsReload } from './scenarios/tls.js'

await runScenarios([capacity, tlsReload, r16, r19, r20, r21, r24, r30, r33, dead])
