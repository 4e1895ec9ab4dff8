/**
 * What several nodes promise together, played against real processes and a real redis-server:
 * `npm run test:cluster -- [ID …] [--fast | --long] [--again] [--list]`. Exit code 0 when everything holds.
 */
import { runScenarios } from '../black-box/command.js'
import { budget } from './scenarios/budget.js'
import { counts } from './scenarios/counts.js'
import { flap } from './scenarios/flap.js'
import { freeze } from './scenarios/freeze.js'
import { model } from './scenarios/model.js'
import { move } from './scenarios/move.js'
import { r1, r2 } from './scenarios/r1.js'
import { r11 } from './scenarios/r11.js'
import { r13 } from './scenarios/r13.js'
import { r14 } from './scenarios/r14.js'
import { r15 } from './scenarios/r15.js'
import { r16 } from './scenarios/r16.js'
import { r17 } from './scenarios/r17.js'
import { r18 } from './scenarios/r18.js'
import { r20 } from './scenarios/r20.js'
import { r25 } from './scenarios/r25.js'
import { r26 } from './scenarios/r26.js'
import { r27 } from './scenarios/r27.js'
import { r3 } from './scenarios/r3.js'
import { r32 } from './scenarios/r32.js'
import { r34 } from './scenarios/r34.js'
import { r4 } from './scenarios/r4.js'
import { r5 } from './scenarios/r5.js'
import { r6, r7 } from './scenarios/r6.js'
import { r9 } from './scenarios/r9.js'
import { race } from './scenarios/race.js'
import { roll } from './scenarios/roll.js'

await runScenarios([
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r9,
  r11,
  r13,
  r14,
  r15,
  r16,
  r17,
  roll,
  r18,
  r20,
  r25,
  r26,
  r27,
  r32,
  r34,
  race,
  move,
  flap,
  counts,
  budget,
  freeze,
  model,
])
