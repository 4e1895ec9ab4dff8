import type { HttpReply } from '../../core/ports/http.js'
import { decodeEvent } from '../../protocol/rest.js'
import { Refusal } from '../../protocol/rest-errors.js'
import type { Info } from '../../protocol/rest-info.js'
import { channelsBody, type ChannelAttributes } from '../../protocol/rest-replies.js'
import { emptyObjectReply, jsonReply, refusalReply } from '../reply.js'
import { channelCounts } from './attributes.js'
import { takeBudget, type Call, type HandlerContext } from './handler.js'

/** POST /apps/ID/events (4.3). However many channels it names, it counts once against triggersPerSecond. */
export async function events(context: HandlerContext, call: Call): Promise<HttpReply> {
  const { app, body, params } = call
  const event = decodeEvent(body, params, app.limits)
  if (event instanceof Refusal) return refusalReply(event)
  const limited = takeBudget(context, app, 'triggers', 1)
  if (limited !== undefined) return limited
  // Counts come first: when they cannot be read, the 503 is given before anything is published (D2).
  const counts = event.info === undefined ? undefined : await countsOfAll(context, app.id, event.channels, event.info)
  await context.core.publish(app, [event])
  return counts === undefined ? emptyObjectReply : jsonReply(channelsBody(counts))
}

function countsOfAll(
  context: HandlerContext,
  appId: string,
  channels: readonly string[],
  info: Info,
): Promise<(readonly [string, ChannelAttributes])[]> {
  return Promise.all(
    channels.map(async (name) => [name, await channelCounts(context.core, appId, name, info)] as const),
  )
}
