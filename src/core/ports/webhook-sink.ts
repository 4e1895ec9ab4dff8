import type { ClientEventHook } from '../../protocol/webhook.js'
import type { App } from './app.js'

/** Takes the two webhook events that are not transitions of stored truth. Never blocks, never throws; does nothing for an app that has no webhook for them. */
export interface WebhookSink {
  /** A client event was accepted. */
  clientEvent(app: App, event: ClientEventNotice): void
  /** Somebody subscribed to a cache channel that has no event. Told at most once per channel and second. */
  cacheMiss(app: App, channel: string): void
}

/** What the webhook says of a client event. */
export type ClientEventNotice = Omit<ClientEventHook, 'name'>
