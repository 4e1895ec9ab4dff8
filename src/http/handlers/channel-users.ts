import type { HttpReply } from '../../core/ports/http.js'
import { decodeChannel } from '../../protocol/rest.js'
import { Refusal, refuse, restErrors } from '../../protocol/rest-errors.js'
import { usersBody } from '../../protocol/rest-replies.js'
import { jsonReply, refusalReply } from '../reply.js'
import { takeBudget, type Call, type HandlerContext } from './handler.js'

/** GET /apps/ID/channels/NAME/users (4.7): the distinct users of a presence channel. */
export async function channelUsers(context: HandlerContext, call: Call): Promise<HttpReply> {
  const { app, target } = call
  const traits = decodeChannel(target, app.limits.channelNameLength)
  if (traits instanceof Refusal) return refusalReply(traits)
  if (!traits.presence) return refusalReply(refuse(restErrors.usersNeedPresence))
  const limited = takeBudget(context, app, 'reads', 1)
  return limited ?? jsonReply(usersBody(await context.core.userIds(app.id, target)))
}
