import type { Scenario } from '../scenario.js'
import { batch } from './batch.js'
import { clientEvent } from './client-event.js'
import { connectPrivate } from './connect.js'
import { fanout } from './fanout.js'
import { hold } from './hold.js'
import { idle } from './idle.js'
import { manyChannels } from './many-channels.js'
import { presence } from './presence.js'
import { restReads } from './rest-reads.js'
import { triggerOne } from './trigger-one.js'

/** In the order they run. */
export const scenarios: readonly Scenario[] = [
  ...fanout,
  triggerOne,
  ...manyChannels,
  batch,
  clientEvent,
  presence,
  connectPrivate,
  idle,
  ...restReads,
  hold,
]
