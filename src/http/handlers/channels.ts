import type { HttpReply } from '../../core/ports/http.js'
import { Refusal, refuse, restErrors } from '../../protocol/rest-errors.js'
import { countAttributes, decodeInfo, type Info } from '../../protocol/rest-info.js'
import { channelNamesBody, channelsBody } from '../../protocol/rest-replies.js'
import { jsonReply, refusalReply } from '../reply.js'
import { takeBudget, type Call, type HandlerContext } from './handler.js'

/** GET /apps/ID/channels (4.5): the occupied channels, without those that begin with `#`. */
export async function channels(context: HandlerContext, call: Call): Promise<HttpReply> {
  const { app, params } = call
  const prefix = params.get('filter_by_prefix') ?? ''
  const info = decodeInfo(params.get('info'), countAttributes)
  if (info instanceof Refusal) return refusalReply(info)
  if (info.userCount && !prefix.startsWith('presence-')) return refusalReply(refuse(restErrors.userCountNeedsPrefix))
  const limited = takeBudget(context, app, 'reads', 1)
  if (limited !== undefined) return limited
  const occupied = await context.core.channels(app.id, prefix)
  return jsonReply(
    info.userCount || info.subscriptionCount
      ? channelsBody(await withCounts(context, app.id, occupied, info))
      : channelNamesBody(occupied.keys()),
  )
}

/** One question for all user counts, however many channels there are. A channel that was vacated between the two answers has 0. */
async function withCounts(context: HandlerContext, appId: string, occupied: ReadonlyMap<string, number>, info: Info) {
  const users = info.userCount ? await context.core.userCounts(appId) : undefined
  return Array.from(occupied, ([name, subscriptions]) => {
    const userCount = users === undefined ? undefined : (users.get(name) ?? 0)
    return [name, { userCount, subscriptionCount: info.subscriptionCount ? subscriptions : undefined }] as const
  })
}
