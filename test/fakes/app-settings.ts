import type { AppLimits, AppSettings, WebhookSettings } from '../../src/core/ports/app.js'

/** Key and secret of the protocol's vectors (section 3). */
export const appKey = '278d425bdf160c739803'
export const appSecret = '7ad3773142a6692b25b8'

/** Every limit at its default, written out by hand: the defaults of src/config are compared with these. */
export const defaultLimits: AppLimits = {
  presenceUserIdLength: 128,
  watchlistUsers: 100,
  connections: 0,
  subscriptionsPerConnection: 1000,
  presenceMembers: 1000,
  presenceMemberBytes: 10_240,
  channelNameLength: 200,
  eventNameLength: 200,
  eventBytes: 102_400,
  channelsPerTrigger: 100,
  batchEvents: 10,
  triggersPerSecond: 0,
  readsPerSecond: 0,
  messagesPerSecond: 100,
}

/** An app with every setting at its default, except what a test names. */
export function appSettings(some: Partial<AppSettings> = {}, limits: Partial<AppLimits> = {}): AppSettings {
  return {
    id: '3',
    keys: [{ key: appKey, secret: appSecret }],
    enabled: true,
    tlsOnly: false,
    allowedOrigins: ['*'],
    heartbeat: { activityTimeoutSeconds: 30, pongTimeoutSeconds: 30 },
    clientEvents: { enabled: true, perSecond: 10 },
    subscriptionCount: { enabled: false },
    watchlist: { enabled: true },
    authorizedConnections: { enabled: false, timeoutMs: 30_000 },
    cache: { ttlSeconds: 1800 },
    webhooks: [],
    limits: { ...defaultLimits, ...limits },
    ...some,
  }
}

/** A webhook with every setting at its default, written out by hand, except what a test names. */
export function webhookSettings(some: Partial<WebhookSettings> = {}): WebhookSettings {
  return {
    url: 'https://receiver.test/hook',
    events: [],
    channelPrefix: '',
    channelSuffix: '',
    headers: {},
    batch: { enabled: true, windowMs: 50, max: 100 },
    timeoutMs: 5000,
    retryForMs: 300_000,
    leaveDelayMs: 3000,
    allowPrivateNetwork: false,
    ...some,
  }
}
