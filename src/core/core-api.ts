import { parseObject } from '../protocol/member.js'
import type { CoreApi, Trigger } from './ports/api.js'
import type { App } from './ports/app.js'
import type { Backend } from './ports/backend.js'
import { publish } from './publish.js'
import { topicOf } from './topic.js'

/** The core as the REST API and every ingress see it: publishing, queries and the termination of users, all cluster-wide. */
export function createCoreApi(backend: Backend): CoreApi {
  const { broker, presence, occupancy, cache, budget } = backend
  return {
    publish: (app: App, triggers: readonly Trigger[]) => publish(broker, app, triggers),
    channels: (appId, prefix) => occupancy.list(appId, prefix),
    subscriptionCount: (appId, channel) => occupancy.total(topicOf(appId, channel)),
    userCounts: (appId) => presence.counts(appId),
    userCount: (appId, channel) => presence.count(topicOf(appId, channel)),
    userIds: (appId, channel) => presence.userIds(topicOf(appId, channel)),
    async cached(appId, channel) {
      const cached = await cache.get(topicOf(appId, channel))
      if (cached === undefined) return null
      const data = parseObject(cached.frame)?.['data']
      return { data: typeof data === 'string' ? data : '', ttl: Math.ceil(cached.expiresInMs / 1000) }
    },
    connections: (appId) => budget.connections(appId),
    terminateUser: (appId, userId) => broker.control({ type: 'terminate-user', appId, userId }),
    takeBudget(app, kind, count) {
      const perSecond = kind === 'triggers' ? app.limits.triggersPerSecond : app.limits.readsPerSecond
      return budget.take(app.id, kind, count, perSecond)
    },
  }
}
