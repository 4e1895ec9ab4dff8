import { hash } from 'node:crypto'
import type { WebhookSettings } from '../core/ports/app.js'

/** One key per webhook of an app, in their order: the same as long as what it is sent, and where, stays the same. */
export function receiverKeys(appId: string, webhooks: readonly WebhookSettings[]): string[] {
  const seen = new Map<string, number>()
  return webhooks.map(({ url, events, channelPrefix, channelSuffix }) => {
    const text = JSON.stringify([appId, url, events, channelPrefix, channelSuffix])
    const number = seen.get(text) ?? 0
    seen.set(text, number + 1)
    return hash('sha256', `${text}${number}`, 'base64url').slice(0, 22)
  })
}

/** The address without user, password and query, which may hold secrets. */
export function addressOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
