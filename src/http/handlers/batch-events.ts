import type { HttpReply } from '../../core/ports/http.js'
import { decodeBatch, type RestEvent } from '../../protocol/rest.js'
import { Refusal } from '../../protocol/rest-errors.js'
import { noInfo } from '../../protocol/rest-info.js'
import { batchBody, type ChannelAttributes } from '../../protocol/rest-replies.js'
import { emptyObjectReply, jsonReply, refusalReply } from '../reply.js'
import { channelCounts } from './attributes.js'
import { takeBudget, type Call, type HandlerContext } from './handler.js'

/** POST /apps/ID/batch_events (4.4): all or nothing, in order. Each event counts against triggersPerSecond. */
export async function batchEvents(context: HandlerContext, call: Call): Promise<HttpReply> {
  const { app, body } = call
  const batch = decodeBatch(body, app.limits)
  if (batch instanceof Refusal) return refusalReply(batch)
  const limited = takeBudget(context, app, 'triggers', batch.length)
  if (limited !== undefined) return limited
  const asked = batch.some((event) => event.info !== undefined)
  // Before publishing, as for a single event.
  const counts = asked ? await Promise.all(batch.map((event) => countsOf(context, app.id, event))) : undefined
  await context.core.publish(app, batch)
  return counts === undefined ? emptyObjectReply : jsonReply(batchBody(counts))
}

function countsOf(context: HandlerContext, appId: string, event: RestEvent): Promise<ChannelAttributes> {
  return channelCounts(context.core, appId, event.channels[0] ?? '', event.info ?? noInfo)
}
