import type { CoreApi } from '../../core/ports/api.js'
import { parseChannelName } from '../../protocol/channel-name.js'
import type { Info } from '../../protocol/rest-info.js'
import type { ChannelAttributes } from '../../protocol/rest-replies.js'

/** The counts asked for of one channel; those that do not apply to its kind are left out (4.3). */
export async function channelCounts(
  core: CoreApi,
  appId: string,
  name: string,
  info: Info,
): Promise<ChannelAttributes> {
  const traits = parseChannelName(name)
  const countable = traits?.listed === true
  const [userCount, subscriptionCount] = await Promise.all([
    info.userCount && countable && traits.presence ? core.userCount(appId, name) : undefined,
    info.subscriptionCount && countable ? core.subscriptionCount(appId, name) : undefined,
  ])
  return { userCount, subscriptionCount }
}
