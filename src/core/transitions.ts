import type { AppRegistry } from './ports/app-registry.js'
import type { WantsTransition } from './ports/outbox.js'

/**
 * What the apps of this moment want to hear of: a change of their webhooks counts from the next transition on. A subscription
 * count is one only where the app has it told to its subscribers (2.10).
 */
export function wantedTransitions(registry: Pick<AppRegistry, 'byId'>): WantsTransition {
  return (appId, type) => {
    const app = registry.byId(appId)
    if (app === undefined || (type === 'subscription_count' && !app.subscriptionCount.enabled)) return false
    return app.webhooks.some(({ events }) => events.length === 0 || events.includes(type))
  }
}
