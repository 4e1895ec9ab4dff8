/** What is posted to an application's webhooks (section 5). */

export interface ClientEventHook {
  readonly name: 'client_event'
  readonly channel: string
  readonly event: string
  /** The data as a JSON string literal, quotes included. */
  readonly dataLiteral: string
  readonly socketId: string
  /** Of presence channels. */
  readonly userId: string | undefined
}

export type WebhookEvent =
  | { readonly name: 'channel_occupied' | 'channel_vacated' | 'cache_miss'; readonly channel: string }
  | { readonly name: 'member_added' | 'member_removed'; readonly channel: string; readonly userId: string }
  | { readonly name: 'subscription_count'; readonly channel: string; readonly count: number }
  | ClientEventHook

/** An event as JSON. `id` is ours: the same however often it is sent. */
export function webhookEventJson(event: WebhookEvent, id: string): string {
  const head = `{"name":"${event.name}","channel":${JSON.stringify(event.channel)}`
  return `${head}${furtherKeys(event)},"id":${JSON.stringify(id)}}`
}

/** @param events each as JSON */
export function webhookBody(timeMs: number, events: readonly string[]): string {
  return `{"time_ms":${Math.floor(timeMs)},"events":[${events.join(',')}]}`
}

function furtherKeys(event: WebhookEvent): string {
  switch (event.name) {
    case 'member_added':
    case 'member_removed':
      return `,"user_id":${JSON.stringify(event.userId)}`
    case 'subscription_count':
      return `,"subscription_count":${event.count}`
    case 'client_event': {
      const user = event.userId === undefined ? '' : `,"user_id":${JSON.stringify(event.userId)}`
      const { dataLiteral } = event
      return `,"event":${JSON.stringify(event.event)},"data":${dataLiteral},"socket_id":${JSON.stringify(event.socketId)}${user}`
    }
    case 'channel_occupied':
    case 'channel_vacated':
    case 'cache_miss':
      return ''
  }
}
