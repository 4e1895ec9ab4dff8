import type { App } from '../../core/ports/app.js'
import type { HttpReply } from '../../core/ports/http.js'
import type { ChannelTraits } from '../../protocol/channel-name.js'
import { decodeChannel } from '../../protocol/rest.js'
import { Refusal, refuse, restErrors } from '../../protocol/rest-errors.js'
import { channelAttributes, decodeInfo, type Info } from '../../protocol/rest-info.js'
import { channelBody } from '../../protocol/rest-replies.js'
import { jsonReply, refusalReply } from '../reply.js'
import { takeBudget, type Call, type HandlerContext } from './handler.js'

/** GET /apps/ID/channels/NAME (4.6). A channel nobody ever subscribed to is answered 200, not occupied. */
export async function channel(context: HandlerContext, call: Call): Promise<HttpReply> {
  const { app, params, target } = call
  const traits = decodeChannel(target, app.limits.channelNameLength)
  if (traits instanceof Refusal) return refusalReply(traits)
  const info = decodeChannelInfo(params.get('info'), traits)
  if (info instanceof Refusal) return refusalReply(info)
  const limited = takeBudget(context, app, 'reads', 1)
  return limited ?? jsonReply(await describe(context, app, target, info))
}

function decodeChannelInfo(text: string | undefined, traits: ChannelTraits): Info | Refusal {
  const info = decodeInfo(text, channelAttributes)
  if (info instanceof Refusal) return info
  if (info.userCount && !traits.presence) return refuse(restErrors.userCountNeedsPresence)
  return info.cache && !traits.cache ? refuse(restErrors.cacheNeedsCacheChannel) : info
}

async function describe(context: HandlerContext, app: App, name: string, info: Info): Promise<string> {
  const { core } = context
  const [subscriptions, userCount, cache] = await Promise.all([
    core.subscriptionCount(app.id, name),
    info.userCount ? core.userCount(app.id, name) : undefined,
    info.cache ? core.cached(app.id, name) : undefined,
  ])
  const subscriptionCount = info.subscriptionCount ? subscriptions : undefined
  return channelBody(subscriptions > 0, { userCount, subscriptionCount, cache })
}
