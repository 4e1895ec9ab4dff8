import type { App } from '../../src/core/ports/app.js'
import type { ClientEventNotice, WebhookSink } from '../../src/core/ports/webhook-sink.js'

/** A sink that keeps what it was given. */
export class RecordingWebhooks implements WebhookSink {
  readonly clientEvents: (ClientEventNotice & { readonly appId: string })[] = []
  /** As `APP_ID/CHANNEL`. */
  readonly cacheMisses: string[] = []

  clientEvent(app: App, event: ClientEventNotice): void {
    this.clientEvents.push({ appId: app.id, ...event })
  }

  cacheMiss(app: App, channel: string): void {
    this.cacheMisses.push(`${app.id}/${channel}`)
  }
}
