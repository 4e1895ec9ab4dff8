import type { HttpReply } from '../../core/ports/http.js'
import { connectionsBody } from '../../protocol/rest-replies.js'
import { jsonReply } from '../reply.js'
import { takeBudget, type Call, type HandlerContext } from './handler.js'

/** GET /apps/ID/connections (4.9): connections of the app on all nodes. */
export async function connections(context: HandlerContext, call: Call): Promise<HttpReply> {
  const limited = takeBudget(context, call.app, 'reads', 1)
  return limited ?? jsonReply(connectionsBody(await context.core.connections(call.app.id)))
}
