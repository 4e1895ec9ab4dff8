import type { App, WebhookEventName } from './ports/app.js'
import type { AppRegistry } from './ports/app-registry.js'
import type { TransitionType, WantsTransition } from './ports/outbox.js'

/**
 * Of a leave and a return within the delay neither is sent (section 5 of the protocol), also to a receiver that wants to hear only
 * of one of them: to know that it is not to be sent, who sends the one must see the other.
 */
const counterpart: ReadonlyMap<TransitionType, TransitionType> = new Map([
  ['channel_occupied', 'channel_vacated'],
  ['channel_vacated', 'channel_occupied'],
  ['member_added', 'member_removed'],
  ['member_removed', 'member_added'],
])

/**
 * What is put into the outbox: what the apps of this moment want to hear of, and what pairs with it. A change of their webhooks
 * counts from the next transition on. A subscription count is one only where the app has it told to its subscribers (2.10).
 */
export function wantedTransitions(registry: Pick<AppRegistry, 'byId'>): WantsTransition {
  return (appId, type) => {
    const app = registry.byId(appId)
    if (app === undefined || (type === 'subscription_count' && !app.subscriptionCount.enabled)) return false
    if (hasWebhookFor(app, type)) return true
    const other = counterpart.get(type)
    return other !== undefined && hasWebhookFor(app, other)
  }
}

/** Whether one of the app's addresses is sent this event, of whatever channels. */
export function hasWebhookFor(app: Pick<App, 'webhooks'>, name: WebhookEventName): boolean {
  return app.webhooks.some(({ events }) => events.length === 0 || events.includes(name))
}
