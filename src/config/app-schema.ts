/** The part of the configuration tree that belongs to one app. */
import { z } from 'zod'
import {
  declare,
  fileOf,
  group,
  list,
  requiredText,
  secret,
  text,
  texts,
  toggle,
  whole,
  type TextRule,
} from './declare.js'
import { addressProblem, headerProblems } from './webhook-rules.js'

/** Topics are `APP_ID/CHANNEL`, and the id is part of every REST path. */
const idRule: TextRule = { pattern: /^[A-Za-z0-9_-]+$/, hint: 'may hold only letters, digits, _ and -' }
/** A key is a path segment of the WebSocket URL, and ends at the first colon of an auth token. */
const keyRule: TextRule = { pattern: /^[A-Za-z0-9_.~-]+$/, hint: 'may hold only letters, digits, _ . ~ and -' }
const originRule: TextRule = {
  pattern: /^(\*|([a-z][a-z0-9+.-]*:\/\/)?[^\s/?#]+)$/i,
  hint: 'must be *, a host or an origin without a path, like https://example.com or *.example.com',
}
const httpUrlRule: TextRule = {
  pattern: /^https?:\/\/[^\s]+$/i,
  hint: 'must be an address that begins with https:// or http://',
}

const bytesMax = 16_777_216
const countMax = 1_000_000
const periodMsMax = 86_400_000
/** Seconds a heartbeat timeout or a cached event may last. */
const periodSecondsMax = 86_400

const limitsShape = {
  presenceUserIdLength: limit('Characters of a presence `user_id`.', 128, 10_000, 'characters'),
  watchlistUsers: limit('User ids one connection may watch.', 100, 10_000),
  connections: limitOrNone('Connections of the app in the whole cluster.', 0),
  subscriptionsPerConnection: limit('Channels one connection may be subscribed to.', 1000, 100_000),
  presenceMembers: limitOrNone('Users of one presence channel.', 1000),
  presenceMemberBytes: limit("Bytes of one member's `user_info` JSON.", 10_240, bytesMax, 'bytes'),
  channelNameLength: limit('Characters of a channel name, prefixes included.', 200, 1000, 'characters'),
  eventNameLength: limit('Characters of an event name.', 200, 1000, 'characters'),
  eventBytes: limit("UTF-8 bytes of an event's `data`.", 102_400, bytesMax, 'bytes'),
  channelsPerTrigger: limit('Channels in one trigger.', 100, 10_000),
  batchEvents: limit('Events in one batch.', 10, 1000),
  triggersPerSecond: limitOrNone('Events per second through the REST API; above it: 429.', 0, 'per second'),
  readsPerSecond: limitOrNone('REST reads per second; above it: 429.', 0, 'per second'),
  messagesPerSecond: limitOrNone(
    'Client events, sign-ins and malformed or unknown frames of one connection per second (burst = rate). Subscribe, unsubscribe and ping never count.',
    100,
    'per second',
  ),
}
const limitsSchema = z.strictObject(limitsShape)
export type LimitsConfig = z.output<typeof limitsSchema>

/** The limits of Pusher Channels, as far as they differ from our defaults: `limits: pusher`. */
export const pusherLimits = {
  channelNameLength: 164,
  eventBytes: 10_240,
  presenceMembers: 100,
  presenceMemberBytes: 1024,
}

/** The figures an app gets for its `limits`. */
export function limitFigures(limits: LimitsConfig | 'pusher'): LimitsConfig {
  return limits === 'pusher' ? limitsSchema.parse(pusherLimits) : limits
}

const webhookEvents = [
  'channel_occupied',
  'channel_vacated',
  'member_added',
  'member_removed',
  'client_event',
  'cache_miss',
  'subscription_count',
] as const

/** Of one app: each has a queue, and up to 16 requests open. */
const webhooksMax = 20

const webhookSchema = z.strictObject({
  url: declare(
    z
      .string()
      .min(1)
      .regex(httpUrlRule.pattern, { error: httpUrlRule.hint })
      .superRefine((address, context) => {
        const problem = httpUrlRule.pattern.test(address) ? addressProblem(address) : undefined
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
      }),
    { kind: 'text', description: 'Address the events are posted to.', address: true },
  ),
  events: declare(z.array(z.enum(webhookEvents)).default([...webhookEvents]), {
    kind: 'texts',
    description: `Which events to send: ${webhookEvents.map((name) => `\`${name}\``).join(', ')}. An empty list means all.`,
    defaultText: 'all seven',
  }),
  channelPrefix: text('Only channels whose name begins so.', { default: '' }),
  channelSuffix: text('Only channels whose name ends so.', { default: '' }),
  headers: declare(
    z
      .record(z.string(), z.string())
      .superRefine((headers, context) => {
        for (const { name, message } of headerProblems(headers))
          context.addIssue({ code: 'custom', message, ...(name === undefined ? {} : { path: [name] }) })
      })
      .default({}),
    {
      kind: 'map',
      description: 'Headers added to each request. Those that Belfry sends itself cannot be set.',
      secret: true,
    },
  ),
  headersFile: fileOf('headers'),
  batch: group('Several events in one request.', {
    enabled: toggle('Off: one event per request.', { default: true }),
    windowMs: whole('How long events are gathered.', { default: 50, min: 1, max: 60_000, unit: 'ms' }),
    max: whole('Events in one request.', { default: 100, min: 1, max: 10_000 }),
  }),
  timeoutMs: whole('How long an answer may take.', { default: 5000, min: 1, max: 60_000, unit: 'ms' }),
  retryForMs: whole('How long a failed request is tried again; 0 = never.', {
    default: 300_000,
    min: 0,
    max: periodMsMax,
    unit: 'ms',
  }),
  leaveDelayMs: whole('How long `channel_vacated` and `member_removed` wait for a return; 0 = told at once.', {
    default: 3000,
    min: 0,
    max: 60_000,
    unit: 'ms',
  }),
  allowPrivateNetwork: toggle('Also post to loopback, link-local and private addresses.', { default: false }),
})

const keySchema = z.strictObject({
  key: requiredText('Public key: part of the address clients connect to.', keyRule),
  secret: secret('Secret that signs for this key.'),
  secretFile: fileOf('secret'),
})

export const appSchema = z.strictObject({
  id: declare(z.union([z.string().regex(idRule.pattern, { error: idRule.hint }), z.int().min(0)]), {
    kind: 'text',
    description: 'Name of the app in REST paths: letters, digits, _ and -.',
  }),
  key: declare(z.string().regex(keyRule.pattern, { error: keyRule.hint }).optional(), {
    kind: 'text',
    description: 'Public key: part of the address clients connect to.',
  }),
  secret: secret('Secret that signs for `key`. Keep it on servers.'),
  secretFile: fileOf('secret'),
  keys: list('Several key pairs while rotating, oldest first; instead of `key` and `secret`.', keySchema),
  enabled: toggle('Off: connections are closed with 4003 and requests refused with 403.', { default: true }),
  tlsOnly: toggle('Refuse connections without TLS (close code 4000).', { default: false }),
  allowedOrigins: texts('Origins that may connect: `*`, `https://example.com`, `*.example.com`.', {
    default: ['*'],
    item: z.string().regex(originRule.pattern, { error: originRule.hint }),
  }),
  heartbeat: group('When a silent connection is given up.', {
    activityTimeoutSeconds: whole('Silence after which a peer is pinged; told to clients as `activity_timeout`.', {
      default: 30,
      min: 1,
      max: periodSecondsMax,
      unit: 's',
    }),
    pongTimeoutSeconds: whole('How long the answer to a ping may take; then: 4201.', {
      default: 30,
      min: 1,
      max: periodSecondsMax,
      unit: 's',
    }),
  }),
  clientEvents: group('Events that clients send to each other (`client-…`, whispers).', {
    enabled: toggle('Whether they are accepted.', { default: true }),
    perSecond: whole('Per connection (burst = rate); above it: dropped and answered with 4301.', {
      default: 10,
      min: 1,
      max: countMax,
      unit: 'per second',
    }),
  }),
  subscriptionCount: group("Tell subscribers the channel's subscription count.", {
    enabled: toggle('Whether it is sent.', { default: false }),
  }),
  watchlist: group('Tell users when those they watch come online or go offline.', {
    enabled: toggle('Whether it is sent.', { default: true }),
  }),
  authorizedConnections: group('Keep only connections that prove a user.', {
    enabled: toggle('Close connections (4009) that neither sign in nor subscribe to a private channel.', {
      default: false,
    }),
    timeoutMs: whole('How long they have for it.', { default: 30_000, min: 1, max: periodMsMax, unit: 'ms' }),
  }),
  cache: group('Cache channels.', {
    ttlSeconds: whole('How long the last event is kept.', { default: 1800, min: 1, max: 31_536_000, unit: 's' }),
  }),
  limits: declare(z.union([limitsSchema, z.enum(['pusher'])]).prefault({}), {
    kind: 'group',
    description: 'What one app may use. `limits: pusher` sets the figures of the hosted service.',
    word: 'pusher',
    shape: limitsShape,
  }),
  webhooks: list(`Addresses that are told what happens in channels; at most ${webhooksMax}.`, webhookSchema, {
    max: webhooksMax,
  }),
})

function limit(description: string, figure: number, max: number, unit?: 'bytes' | 'characters') {
  return whole(description, { default: figure, min: 1, max, ...(unit === undefined ? {} : { unit }) })
}

/** One of the five limits of which 0 means that there is none. */
function limitOrNone(description: string, figure: number, unit?: 'per second') {
  return whole(`${description} 0 = no limit.`, {
    default: figure,
    min: 0,
    max: 1_000_000_000,
    ...(unit === undefined ? {} : { unit }),
  })
}
