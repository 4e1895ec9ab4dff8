/** The tables of other servers' variables, each with ours that it stands for. */
import type { Problem } from './draft.js'
import { lambdaWebhooks, webhooksFromSoketi } from './soketi-webhooks.js'

/** Reads another variable; undefined when it is not set. */
export type ReadVariable = (name: string) => string | undefined

export interface Alias {
  readonly name: string
  /** Ours, which it stands for. */
  readonly meaning: string
  /** The same in our units, as text; undefined = it means nothing here. Without it the value is taken as it is. */
  readonly convert?: (value: string, read: ReadVariable) => string | undefined
  /** Further variables that `convert` reads. */
  readonly reads?: readonly string[]
  /** What of it cannot be done here. */
  readonly refuse?: (name: string, value: string) => Problem[]
}

const batchingNames = { enabled: 'SOKETI_WEBHOOKS_BATCHING', durationMs: 'SOKETI_WEBHOOKS_BATCHING_DURATION' } as const

/** Families of credentials; the first that is complete is used. */
export const credentials = {
  soketi: credentialAliases('SOKETI_DEFAULT_APP'),
  reverb: credentialAliases('REVERB_APP'),
  pusher: credentialAliases('PUSHER_APP'),
}
export type Family = keyof typeof credentials

/** Options of the app whose credentials come from the same family. */
export const optionAliases: Readonly<Record<Family, readonly Alias[]>> = {
  soketi: [
    { name: 'SOKETI_DEFAULT_APP_ENABLED', meaning: 'BELFRY_APP_ENABLED' },
    { name: 'SOKETI_DEFAULT_APP_ENABLE_CLIENT_MESSAGES', meaning: 'BELFRY_APP_CLIENT_EVENTS_ENABLED' },
    {
      name: 'SOKETI_DEFAULT_APP_MAX_CLIENT_EVENTS_PER_SEC',
      meaning: 'BELFRY_APP_CLIENT_EVENTS_PER_SECOND',
      convert: unlessUnlimited,
    },
    { name: 'SOKETI_DEFAULT_APP_MAX_CONNS', meaning: 'BELFRY_APP_LIMITS_CONNECTIONS', convert: zeroIfUnlimited },
    { name: 'SOKETI_DEFAULT_APP_MAX_CONNECTIONS', meaning: 'BELFRY_APP_LIMITS_CONNECTIONS', convert: zeroIfUnlimited },
    {
      name: 'SOKETI_DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC',
      meaning: 'BELFRY_APP_LIMITS_TRIGGERS_PER_SECOND',
      convert: zeroIfUnlimited,
    },
    {
      name: 'SOKETI_DEFAULT_APP_MAX_READ_REQ_PER_SEC',
      meaning: 'BELFRY_APP_LIMITS_READS_PER_SECOND',
      convert: zeroIfUnlimited,
    },
    { name: 'SOKETI_DEFAULT_APP_USER_AUTHENTICATION', meaning: 'BELFRY_APP_AUTHORIZED_CONNECTIONS_ENABLED' },
    { name: 'SOKETI_USER_AUTHENTICATION_TIMEOUT', meaning: 'BELFRY_APP_AUTHORIZED_CONNECTIONS_TIMEOUT_MS' },
    {
      name: 'SOKETI_DEFAULT_APP_WEBHOOKS',
      meaning: 'BELFRY_APP_WEBHOOKS',
      convert: (value, read) => webhooksFromSoketi(value, batchingFrom(read)),
      reads: Object.values(batchingNames),
      refuse: lambdaWebhooks,
    },
    { name: 'SOKETI_CHANNEL_LIMITS_MAX_NAME_LENGTH', meaning: 'BELFRY_APP_LIMITS_CHANNEL_NAME_LENGTH' },
    { name: 'SOKETI_CHANNEL_CACHE_TTL', meaning: 'BELFRY_APP_CACHE_TTL_SECONDS' },
    { name: 'SOKETI_EVENT_MAX_BATCH_SIZE', meaning: 'BELFRY_APP_LIMITS_BATCH_EVENTS' },
    { name: 'SOKETI_EVENT_MAX_CHANNELS_AT_ONCE', meaning: 'BELFRY_APP_LIMITS_CHANNELS_PER_TRIGGER' },
    { name: 'SOKETI_EVENT_MAX_NAME_LENGTH', meaning: 'BELFRY_APP_LIMITS_EVENT_NAME_LENGTH' },
    { name: 'SOKETI_EVENT_MAX_SIZE_IN_KB', meaning: 'BELFRY_APP_LIMITS_EVENT_BYTES', convert: times(1024) },
    { name: 'SOKETI_PRESENCE_MAX_MEMBERS', meaning: 'BELFRY_APP_LIMITS_PRESENCE_MEMBERS' },
    {
      name: 'SOKETI_PRESENCE_MAX_MEMBER_SIZE',
      meaning: 'BELFRY_APP_LIMITS_PRESENCE_MEMBER_BYTES',
      convert: times(1024),
    },
  ],
  reverb: [
    { name: 'REVERB_APP_ACTIVITY_TIMEOUT', meaning: 'BELFRY_APP_HEARTBEAT_ACTIVITY_TIMEOUT_SECONDS' },
    { name: 'REVERB_APP_MAX_CONNECTIONS', meaning: 'BELFRY_APP_LIMITS_CONNECTIONS' },
    {
      name: 'REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM',
      meaning: 'BELFRY_APP_CLIENT_EVENTS_ENABLED',
      // Reverb accepts them for these two words alone; ours must always come from a subscriber.
      convert: (value) => String(['all', 'members'].includes(value.trim())),
    },
  ],
  pusher: [],
}

export const serverAliases: readonly Alias[] = [
  { name: 'SOKETI_HOST', meaning: 'BELFRY_HOST' },
  { name: 'SOKETI_PORT', meaning: 'BELFRY_PORT' },
  { name: 'SOKETI_PATH_PREFIX', meaning: 'BELFRY_PATH_PREFIX', convert: prefix },
  { name: 'SOKETI_SSL_CERT', meaning: 'BELFRY_TLS_CERT_FILE' },
  { name: 'SOKETI_SSL_KEY', meaning: 'BELFRY_TLS_KEY_FILE' },
  { name: 'SOKETI_SSL_PASS', meaning: 'BELFRY_TLS_PASSPHRASE' },
  { name: 'SOKETI_METRICS_ENABLED', meaning: 'BELFRY_METRICS_ENABLED' },
  { name: 'SOKETI_METRICS_HOST', meaning: 'BELFRY_METRICS_HOST' },
  { name: 'SOKETI_METRICS_SERVER_PORT', meaning: 'BELFRY_METRICS_PORT' },
  {
    name: 'SOKETI_METRICS_PROMETHEUS_PREFIX',
    meaning: 'BELFRY_METRICS_SOKETI_NAMES',
    convert: (value) => (value === 'soketi_' ? 'true' : undefined),
  },
  { name: 'SOKETI_SHUTDOWN_GRACE_PERIOD', meaning: 'BELFRY_DRAIN_PERIOD_MS' },
  { name: 'SOKETI_HTTP_MAX_REQUEST_SIZE', meaning: 'BELFRY_HTTP_BODY_BYTES', convert: times(1_048_576) },
  { name: 'SOKETI_HTTP_ACCEPT_TRAFFIC_MEMORY_THRESHOLD', meaning: 'BELFRY_CAPACITY_MEMORY_PERCENT' },
  { name: 'SOKETI_DEBUG', meaning: 'BELFRY_LOG_LEVEL', convert: (value) => (isYes(value) ? 'debug' : undefined) },
  { name: 'REVERB_SERVER_HOST', meaning: 'BELFRY_HOST' },
  { name: 'REVERB_SERVER_PORT', meaning: 'BELFRY_PORT' },
  { name: 'REVERB_SERVER_PATH', meaning: 'BELFRY_PATH_PREFIX', convert: prefix },
  { name: 'REVERB_APP_MAX_MESSAGE_SIZE', meaning: 'BELFRY_WEBSOCKET_MESSAGE_BYTES' },
  { name: 'REVERB_MAX_REQUEST_SIZE', meaning: 'BELFRY_HTTP_BODY_BYTES' },
  { name: 'REDIS_URL', meaning: 'BELFRY_REDIS_URL' },
]

/** Undefined = soketi's variables say nothing of it, and ours holds. */
function batchingFrom(read: ReadVariable): { enabled: boolean; durationMs?: number } | undefined {
  const enabled = read(batchingNames.enabled)
  if (enabled === undefined) return undefined
  const durationMs = Number(read(batchingNames.durationMs))
  return { enabled: isYes(enabled), ...(Number.isFinite(durationMs) ? { durationMs } : {}) }
}

function credentialAliases(prefix: string): Readonly<Record<'id' | 'key' | 'secret', Alias>> {
  return {
    id: { name: `${prefix}_ID`, meaning: 'BELFRY_APP_ID' },
    key: { name: `${prefix}_KEY`, meaning: 'BELFRY_APP_KEY' },
    secret: { name: `${prefix}_SECRET`, meaning: 'BELFRY_APP_SECRET' },
  }
}

/** `true` and `1`, as Laravel and soketi write them. */
export function isYes(value: string): boolean {
  return /^\(?true\)?$|^1$/i.test(value.trim())
}

/** soketi writes "no limit" as -1, where ours is 0. */
function zeroIfUnlimited(value: string): string {
  return Number(value) < 0 ? '0' : value
}

/** Where we always limit, "no limit" leaves the default. */
function unlessUnlimited(value: string): string | undefined {
  return Number(value) < 0 ? undefined : value
}

function times(factor: number): (value: string) => string {
  return (value) => {
    const figure = Number(value)
    return Number.isFinite(figure) ? String(Math.round(figure * factor)) : value
  }
}

function prefix(value: string): string {
  const inner = value.trim().replace(/^\/+|\/+$/g, '')
  return inner === '' ? '' : `/${inner}`
}
