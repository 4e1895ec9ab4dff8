import type { Scenario } from '../scenario.js'
import { acceptStorm } from './accept-storm.js'
import { clientEvent } from './client-event.js'
import { clusterList } from './cluster/list.js'
import { clusterPresence } from './cluster/presence.js'
import { clusterResubscribe } from './cluster/resubscribe.js'
import { clusterSizing } from './cluster/sizing.js'
import { clusterTriggers } from './cluster/trigger.js'
import { connect } from './connect.js'
import { fanout } from './fanout.js'
import { hold } from './hold.js'
import { idle } from './idle.js'
import { manyChannels } from './many-channels.js'
import { batch, multiChannel } from './one-request.js'
import { presence, presenceOfMany } from './presence.js'
import { restReads } from './rest-reads.js'
import { triggerOne } from './trigger-one.js'
import { clusterWebhooks, webhooks } from './webhooks.js'

/** One node, in the order they run. */
export const nodeScenarios: readonly Scenario[] = [
  ...fanout,
  triggerOne,
  ...manyChannels,
  batch,
  multiChannel,
  clientEvent,
  presence,
  presenceOfMany,
  ...connect,
  acceptStorm,
  idle,
  ...restReads,
  ...webhooks,
  hold,
]

/** Several nodes as one server. */
export const clusterScenarios: readonly Scenario[] = [
  ...clusterTriggers,
  clusterPresence,
  ...clusterSizing,
  ...clusterWebhooks,
  clusterResubscribe,
  clusterList,
]
