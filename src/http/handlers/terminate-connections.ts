import type { HttpReply } from '../../core/ports/http.js'
import { isValidUserId } from '../../protocol/channel-name.js'
import { refuse, restErrors } from '../../protocol/rest-errors.js'
import { emptyObjectReply, refusalReply } from '../reply.js'
import type { Call, HandlerContext } from './handler.js'

/** POST /apps/ID/users/UID/terminate_connections (4.8): `{}` also when the user has no connection. The body says nothing. */
export async function terminateConnections(context: HandlerContext, call: Call): Promise<HttpReply> {
  if (!isValidUserId(call.target)) return refusalReply(refuse(restErrors.invalidUserId, call.target))
  await context.core.terminateUser(call.app.id, call.target)
  return emptyObjectReply
}
