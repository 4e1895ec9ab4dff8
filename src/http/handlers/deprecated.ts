import type { HttpReply } from '../../core/ports/http.js'
import { decodeChannel, decodeChannelEvent } from '../../protocol/rest.js'
import { Refusal } from '../../protocol/rest-errors.js'
import { channelStatsBody } from '../../protocol/rest-replies.js'
import { acceptedReply, jsonReply, refusalReply } from '../reply.js'
import { takeBudget, type Call, type HandlerContext } from './handler.js'

/** POST /apps/ID/channels/NAME/events (4.10): the raw body is the data; answered 202 and nothing. */
export async function channelEvents(context: HandlerContext, call: Call): Promise<HttpReply> {
  const { app, body, params, target } = call
  const event = decodeChannelEvent(body, target, params, app.limits)
  if (event instanceof Refusal) return refusalReply(event)
  const limited = takeBudget(context, app, 'triggers', 1)
  if (limited !== undefined) return limited
  await context.core.publish(app, [event])
  return acceptedReply
}

/** GET /apps/ID/channels/NAME/stats (4.10). */
export async function channelStats(context: HandlerContext, call: Call): Promise<HttpReply> {
  const { app, target } = call
  const traits = decodeChannel(target, app.limits.channelNameLength)
  if (traits instanceof Refusal) return refusalReply(traits)
  const limited = takeBudget(context, app, 'reads', 1)
  if (limited !== undefined) return limited
  const [userCount, connectionCount] = await Promise.all([
    traits.presence ? context.core.userCount(app.id, target) : undefined,
    context.core.subscriptionCount(app.id, target),
  ])
  return jsonReply(channelStatsBody(userCount, connectionCount))
}
