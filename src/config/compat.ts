/**
 * What other servers' variables mean here, so that a Laravel `.env` or a soketi deployment carries over: `SOKETI_*`,
 * `PUSHER_APP_*`, `REVERB_*`, `REDIS_*` and the `PORT` of a platform. A variable of ours always overrules its aliases.
 */
import { layers, type Problem } from './draft.js'
import { keyByEnv } from './keys.js'
import { lambdaWebhooks, webhooksFromSoketi } from './soketi-webhooks.js'
import {
  addSetting,
  isFromKubernetes,
  isSet,
  type Gathered,
  type Note,
  type Setting,
  type Variables,
} from './variables.js'

interface Alias {
  readonly name: string
  /** Ours, which it stands for. */
  readonly meaning: string
  /** The same in our units, as text; undefined = it means nothing here. Without it the value is taken as it is. */
  readonly convert?: (value: string) => string | undefined
  /** What of it cannot be done here. */
  readonly refuse?: (name: string, value: string) => Problem[]
}

/** Where browsers reach the server, as a Laravel `.env` tells it: printed, never listened on. */
export interface PublicAddress {
  readonly host: string
  readonly port: number | undefined
  readonly scheme: 'http' | 'https'
}

export interface CompatResult extends Gathered {
  readonly publicAddress: PublicAddress | undefined
}

/** Families of credentials; the first that is complete is used. */
const credentials = {
  soketi: credentialAliases('SOKETI_DEFAULT_APP'),
  reverb: credentialAliases('REVERB_APP'),
  pusher: credentialAliases('PUSHER_APP'),
}
type Family = keyof typeof credentials

/** Options of the app whose credentials come from the same family. */
const optionAliases: Readonly<Record<Family, readonly Alias[]>> = {
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
      convert: webhooksFromSoketi,
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
  ],
  pusher: [],
}

const serverAliases: readonly Alias[] = [
  { name: 'SOKETI_HOST', meaning: 'BELFRY_HOST' },
  { name: 'SOKETI_PORT', meaning: 'BELFRY_PORT' },
  { name: 'SOKETI_PATH_PREFIX', meaning: 'BELFRY_PATH_PREFIX', convert: prefix },
  { name: 'SOKETI_SSL_CERT', meaning: 'BELFRY_TLS_CERT_FILE' },
  { name: 'SOKETI_SSL_KEY', meaning: 'BELFRY_TLS_KEY_FILE' },
  { name: 'SOKETI_SSL_PASS', meaning: 'BELFRY_TLS_PASSPHRASE' },
  { name: 'SOKETI_METRICS_ENABLED', meaning: 'BELFRY_METRICS_ENABLED' },
  { name: 'SOKETI_METRICS_SERVER_PORT', meaning: 'BELFRY_METRICS_PORT' },
  { name: 'SOKETI_SHUTDOWN_GRACE_PERIOD', meaning: 'BELFRY_DRAIN_PERIOD_MS' },
  { name: 'SOKETI_HTTP_MAX_REQUEST_SIZE', meaning: 'BELFRY_HTTP_BODY_BYTES', convert: times(1_048_576) },
  { name: 'SOKETI_HTTP_ACCEPT_TRAFFIC_MEMORY_THRESHOLD', meaning: 'BELFRY_CAPACITY_MEMORY_PERCENT' },
  { name: 'SOKETI_DEBUG', meaning: 'BELFRY_LOG_LEVEL', convert: (value) => (isYes(value) ? 'debug' : undefined) },
  { name: 'REVERB_SERVER_HOST', meaning: 'BELFRY_HOST' },
  { name: 'REVERB_SERVER_PORT', meaning: 'BELFRY_PORT' },
  { name: 'REVERB_SERVER_PATH', meaning: 'BELFRY_PATH_PREFIX', convert: prefix },
  { name: 'REDIS_URL', meaning: 'BELFRY_REDIS_URL' },
]

export function gatherAliases(variables: Variables): CompatResult {
  const used = new AliasUse(variables)
  const family = familyInUse(variables)
  if (family !== undefined) used.addAll([...Object.values(credentials[family]), ...optionAliases[family]])
  used.addAll(serverAliases)
  addRedisParts(used, variables)
  used.addPlatformPort()
  const notes = [...used.notes, ...withoutCounterpart(variables, used.names)]
  return { settings: used.settings, problems: used.problems, notes, publicAddress: publicAddress(variables, family) }
}

/** Whether an `--env-file` configures Reverb, which listens on 8080 when it names no port. */
export function isReverbFile(variables: Variables): boolean {
  return Object.values(credentials.reverb).some(({ name }) => meaningful(variables.file.get(name)) !== undefined)
}

class AliasUse {
  readonly settings: Setting[] = []
  readonly problems: Problem[] = []
  readonly notes: Note[] = []
  /** Variables that were understood, overruled or not. */
  readonly names = new Set<string>()
  readonly #variables: Variables
  readonly #meanings = new Set<string>()

  constructor(variables: Variables) {
    this.#variables = variables
  }

  addAll(aliases: readonly Alias[]): void {
    for (const alias of aliases) {
      const value = valueOf(this.#variables, alias.name)
      if (value !== undefined) this.add(alias, value)
    }
  }

  /** The first alias of a meaning is used, unless our own variable is set. */
  add(alias: Alias, value: string): void {
    this.names.add(alias.name)
    if (isSet(this.#variables, alias.meaning) || this.#meanings.has(alias.meaning)) return
    const key = keyByEnv.get(alias.meaning)
    if (key === undefined) throw new Error(`the alias ${alias.name} stands for ${alias.meaning}, which is no variable`)
    const refused = alias.refuse?.(alias.name, value) ?? []
    this.problems.push(...refused)
    const text = alias.convert === undefined ? value : alias.convert(value)
    if (text === undefined || refused.length > 0) return
    this.#meanings.add(alias.meaning)
    addSetting(this.settings, this.problems, key, text, { layer: layers.alias, label: alias.name })
    this.notes.push({ level: 'info', message: `${alias.name} is used as ${alias.meaning}.` })
  }

  /** `PORT` counts only where a platform sets it: in a `.env` it belongs to the application. */
  addPlatformPort(): void {
    const value = this.#variables.process.get('PORT')
    if (value !== undefined && /^\d+$/.test(value)) this.add({ name: 'PORT', meaning: 'BELFRY_PORT' }, value)
  }
}

function credentialAliases(prefix: string): Readonly<Record<'id' | 'key' | 'secret', Alias>> {
  return {
    id: { name: `${prefix}_ID`, meaning: 'BELFRY_APP_ID' },
    key: { name: `${prefix}_KEY`, meaning: 'BELFRY_APP_KEY' },
    secret: { name: `${prefix}_SECRET`, meaning: 'BELFRY_APP_SECRET' },
  }
}

/** The family with the most complete credentials; of equals soketi's, then the one Laravel broadcasts with. */
function familyInUse(variables: Variables): Family | undefined {
  const connection = valueOf(variables, 'BROADCAST_CONNECTION') ?? valueOf(variables, 'BROADCAST_DRIVER')
  const order: Family[] = connection === 'pusher' ? ['soketi', 'pusher', 'reverb'] : ['soketi', 'reverb', 'pusher']
  const found = (family: Family) =>
    Object.values(credentials[family]).filter(({ name }) => valueOf(variables, name) !== undefined).length
  const best = order.reduce((one, other) => (found(other) > found(one) ? other : one))
  return found(best) === 0 ? undefined : best
}

/** A fresh Laravel `.env` holds a `REDIS_HOST`: Redis is used only when Reverb, or soketi, was told to use it. */
function addRedisParts(used: AliasUse, variables: Variables): void {
  const scaling = valueOf(variables, 'REVERB_SCALING_ENABLED')
  if (scaling !== undefined && isYes(scaling)) addRedisUrl(used, variables, 'REDIS')
  if (valueOf(variables, 'SOKETI_ADAPTER_DRIVER') === 'redis') addRedisUrl(used, variables, 'SOKETI_DB_REDIS')
}

function addRedisUrl(used: AliasUse, variables: Variables, prefix: 'REDIS' | 'SOKETI_DB_REDIS'): void {
  for (const name of ['REVERB_SCALING_ENABLED', 'SOKETI_ADAPTER_DRIVER']) used.names.add(name)
  const part = (name: string) => {
    used.names.add(`${prefix}_${name}`)
    return valueOf(variables, `${prefix}_${name}`)
  }
  const given = part('HOST') ?? '127.0.0.1'
  const host = given.replace(/^\w+:\/\//, '')
  const secure = /^(tls|ssl|rediss):\/\//.test(given)
  const user = encodeURIComponent(part('USERNAME') ?? '')
  const password = part('PASSWORD')
  const login = password === undefined ? '' : `${user}:${encodeURIComponent(password)}@`
  const url = `${secure ? 'rediss' : 'redis'}://${login}${host}:${part('PORT') ?? '6379'}/${part('DB') ?? '0'}`
  used.add({ name: `${prefix}_HOST`, meaning: 'BELFRY_REDIS_URL' }, url)
}

function publicAddress(variables: Variables, family: Family | undefined): PublicAddress | undefined {
  const prefix = family === 'pusher' ? 'PUSHER' : 'REVERB'
  const host = valueOf(variables, `${prefix}_HOST`)
  if (host === undefined) return undefined
  const port = Number(valueOf(variables, `${prefix}_PORT`))
  return {
    host,
    port: Number.isInteger(port) && port > 0 ? port : undefined,
    scheme: valueOf(variables, `${prefix}_SCHEME`) === 'http' ? 'http' : 'https',
  }
}

function withoutCounterpart(variables: Variables, understood: ReadonlySet<string>): Note[] {
  const names = [...variables.merged].flatMap(([name, value]) => {
    const unknown = name.startsWith('SOKETI_') && !understood.has(name) && !isFromKubernetes(name, value)
    return unknown ? [name] : []
  })
  if (names.length === 0) return []
  return [
    { level: 'warn', message: `These variables of soketi have no meaning here and are ignored: ${names.join(', ')}.` },
  ]
}

function valueOf(variables: Variables, name: string): string | undefined {
  const value = meaningful(variables.merged.get(name))
  return value !== undefined && isFromKubernetes(name, value) ? undefined : value
}

/** Laravel writes an absent value as `null` or `empty`. */
function meaningful(value: string | undefined): string | undefined {
  return value === undefined || /^\(?(null|empty)\)?$/i.test(value.trim()) || value.trim() === '' ? undefined : value
}

function isYes(value: string): boolean {
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
