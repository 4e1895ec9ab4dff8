/**
 * One application (tenant) as the core needs it: the settings of the configuration contract
 * (`apps[]` in config/, documented in docs/configuration.md) with every default filled in.
 */
import type { HmacKey } from '../../protocol/signature.js'
import type { TransitionType } from './outbox.js'

/** Numbers an app may be given; 0 means "no limit" only where the comment says so. */
export interface AppLimits {
  /** Characters of a presence `user_id`. */
  readonly presenceUserIdLength: number
  /** User ids one connection may watch. */
  readonly watchlistUsers: number
  /** Connections of the app in the whole cluster; 0 = no limit. */
  readonly connections: number
  /** Channels one connection may be subscribed to. */
  readonly subscriptionsPerConnection: number
  /** Distinct users of a presence channel; 0 = no limit. */
  readonly presenceMembers: number
  /** Bytes of the `user_info` JSON of one member. */
  readonly presenceMemberBytes: number
  /** Characters of a channel name, prefixes included. */
  readonly channelNameLength: number
  /** Characters of an event name. */
  readonly eventNameLength: number
  /** UTF-8 bytes of an event's `data`. */
  readonly eventBytes: number
  /** Channels in one trigger. */
  readonly channelsPerTrigger: number
  /** Events in one batch. */
  readonly batchEvents: number
  /** Events per second through the REST API; 0 = no limit. */
  readonly triggersPerSecond: number
  /** REST reads per second; 0 = no limit. */
  readonly readsPerSecond: number
  /** Counted frames per second and connection (burst = rate); 0 = no limit. */
  readonly messagesPerSecond: number
}

/** What an operator can set for one app, as plain data. */
export interface AppSettings {
  readonly id: string
  /** Oldest first; the first active one signs webhooks. Never empty. */
  readonly keys: readonly { readonly key: string; readonly secret: string }[]
  readonly enabled: boolean
  readonly tlsOnly: boolean
  /** Origin patterns (`*`, `https://example.com`, `*.example.com`); `["*"]` allows all. */
  readonly allowedOrigins: readonly string[]
  readonly heartbeat: { readonly activityTimeoutSeconds: number; readonly pongTimeoutSeconds: number }
  readonly clientEvents: { readonly enabled: boolean; readonly perSecond: number }
  readonly subscriptionCount: { readonly enabled: boolean }
  readonly watchlist: { readonly enabled: boolean }
  readonly authorizedConnections: { readonly enabled: boolean; readonly timeoutMs: number }
  readonly cache: { readonly ttlSeconds: number }
  readonly limits: AppLimits
  readonly webhooks: readonly WebhookSettings[]
}

/** One address that is told what happens in channels (section 5 of the protocol). */
export interface WebhookSettings {
  readonly url: string
  /** Which events it is sent; empty = all. */
  readonly events: readonly WebhookEventName[]
  /** Only channels whose name begins and ends so; empty = any. */
  readonly channelPrefix: string
  readonly channelSuffix: string
  /** Added to each request. May hold secrets. */
  readonly headers: Readonly<Record<string, string>>
  /** Several events in one request: so many at most, gathered for so long. Otherwise each has its own. */
  readonly batch: { readonly enabled: boolean; readonly windowMs: number; readonly max: number }
  /** How long one attempt may take. */
  readonly timeoutMs: number
  /** How long after it happened an event is tried again; 0 = never. */
  readonly retryForMs: number
  /** How long `channel_vacated` and `member_removed` wait for a return; 0 = they do not. */
  readonly leaveDelayMs: number
  /** Whether the address may be one of this machine or of a private network. */
  readonly allowPrivateNetwork: boolean
}

export type WebhookEventName = TransitionType | 'client_event' | 'cache_miss'

/** An app ready for use: its settings, and its keys prepared for signing. Secrets are reachable only through `signers`. */
export interface App extends Omit<AppSettings, 'keys'> {
  /** Key → prepared HMAC key, in the order of the settings. */
  readonly signers: ReadonlyMap<string, HmacKey>
}
