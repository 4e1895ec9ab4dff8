/**
 * What each option of soketi 1.6 becomes here. An option has a rule of its own or one of the group it stands in; the page
 * docs/migrating-from-soketi.md has the same list for people.
 */
/** What a value becomes: written, the same as without it, or only told. */
export type Outcome =
  | { readonly kind: 'written'; readonly value: unknown; readonly remark?: string }
  | { readonly kind: 'same' }
  | { readonly kind: 'told'; readonly remark: string }

export type Convert = (value: unknown) => Outcome

/** An option that one key of ours stands for. */
export interface KeyRule {
  readonly kind: 'key'
  /** In the configuration, or in every app of it. */
  readonly scope: 'server' | 'apps'
  readonly to: readonly string[]
  readonly convert: Convert
}

export type Rule =
  | KeyRule
  /** Has no key here; `why` continues "NAME: ". */
  | { readonly kind: 'absent'; readonly why: string }
  /** Read where its group is put together: soketi-apps.ts, soketi-redis.ts. */
  | { readonly kind: 'together'; readonly group: 'apps' | 'redis' | 'batching' }

/** Keys of one app, by soketi's name in camelCase. */
export const appRules: Readonly<Record<string, { readonly to: readonly string[]; readonly convert: Convert }>> = {
  id: { to: ['id'], convert: text },
  key: { to: ['key'], convert: text },
  secret: { to: ['secret'], convert: text },
  enabled: { to: ['enabled'], convert: toggle },
  enableClientMessages: { to: ['clientEvents', 'enabled'], convert: toggle },
  enableUserAuthentication: { to: ['authorizedConnections', 'enabled'], convert: toggle },
  maxConnections: { to: ['limits', 'connections'], convert: limitOrNone() },
  maxBackendEventsPerSecond: {
    to: ['limits', 'triggersPerSecond'],
    convert: limitOrNone('counts one for a trigger, however many channels it names; soketi counts each channel'),
  },
  maxReadRequestsPerSecond: { to: ['limits', 'readsPerSecond'], convert: limitOrNone() },
  maxClientEventsPerSecond: { to: ['clientEvents', 'perSecond'], convert: clientEventRate },
  maxPresenceMembersPerChannel: { to: ['limits', 'presenceMembers'], convert: whole },
  maxPresenceMemberSizeInKb: { to: ['limits', 'presenceMemberBytes'], convert: times(1024) },
  maxChannelNameLength: { to: ['limits', 'channelNameLength'], convert: whole },
  maxEventChannelsAtOnce: { to: ['limits', 'channelsPerTrigger'], convert: whole },
  maxEventNameLength: { to: ['limits', 'eventNameLength'], convert: whole },
  maxEventPayloadInKb: { to: ['limits', 'eventBytes'], convert: times(1024) },
  maxEventBatchSize: { to: ['limits', 'batchEvents'], convert: whole },
}

const lan = 'nodes of Belfry do not look for each other in the network: they meet in Redis (redis.url)'
const noDatabase = 'apps are listed in the configuration; no database is asked for them'
const noQueue = 'webhooks need no queue: they are kept and sent again by Belfry itself, with redis by another node too'
const oneRedis = 'what nodes share is shared through the one redis.url, as soon as it is set'

/** By the dotted path of an option, or of a group of options. */
export const optionRules: Readonly<Record<string, Rule>> = {
  host: server(['host'], text),
  port: server(['port'], whole),
  pathPrefix: server(['pathPrefix'], prefix),
  debug: server(['log', 'level'], (value) => (isYes(value) ? written('debug') : same)),
  mode: told((value) =>
    value === 'full'
      ? undefined
      : 'every process here serves clients and sends webhooks; there are no workers of their own for webhooks',
  ),
  shutdownGracePeriod: server(['drain', 'periodMs'], (value) =>
    remarked(
      whole(value),
      'means something else: soketi closes all sockets at once and then waits so long, Belfry spreads the closes over it (and waits drain.preStopDelayMs before)',
    ),
  ),
  userAuthenticationTimeout: apps(['authorizedConnections', 'timeoutMs'], whole),

  'ssl.certPath': server(['tls', 'certFile'], unlessEmpty),
  'ssl.keyPath': server(['tls', 'keyFile'], unlessEmpty),
  'ssl.passphrase': server(['tls', 'passphrase'], unlessEmpty),
  'ssl.caPath': absent(
    'clients are not asked for certificates; put the intermediate certificates into the file of tls.certFile',
  ),

  'metrics.enabled': server(['metrics', 'enabled'], (value) =>
    isYes(value) ? written(true) : remarked(toggle(value), 'closes the whole port: soketi still answers /usage there'),
  ),
  'metrics.host': server(['metrics', 'host'], text),
  'metrics.port': server(['metrics', 'port'], whole),
  'metrics.driver': told((value) => (value === 'prometheus' ? undefined : 'there is only Prometheus')),
  'metrics.prometheus.prefix': server(['metrics', 'soketiNames'], (value) =>
    value === 'soketi_'
      ? written(true)
      : onlyTold('the names cannot be changed: belfry_…, and with metrics.soketiNames also soketi_…'),
  ),

  'httpApi.requestLimitInMb': server(['http', 'bodyBytes'], times(1_048_576)),
  'httpApi.acceptTraffic.memoryThreshold': server(['capacity', 'memoryPercent'], (value) =>
    remarked(
      whole(value),
      "means something else: percent of the container's memory, and above it new connections are refused with 4100 as well; soketi takes percent of Node.js's heap, for /accept-traffic alone",
    ),
  ),
  'cors.origin': server(['http', 'cors', 'origins'], (value) => (Array.isArray(value) ? written(value) : text(value))),
  cors: absent('fixed: GET, POST and OPTIONS with Content-Type and X-Pusher-Library, without credentials'),

  'channelLimits.maxNameLength': apps(['limits', 'channelNameLength'], whole),
  'channelLimits.cacheTtl': apps(['cache', 'ttlSeconds'], whole),
  'eventLimits.maxChannelsAtOnce': apps(['limits', 'channelsPerTrigger'], whole),
  'eventLimits.maxNameLength': apps(['limits', 'eventNameLength'], whole),
  'eventLimits.maxPayloadInKb': apps(['limits', 'eventBytes'], times(1024)),
  'eventLimits.maxBatchSize': apps(['limits', 'batchEvents'], whole),
  'presence.maxMembersPerChannel': apps(['limits', 'presenceMembers'], whole),
  'presence.maxMemberSizeInKb': apps(['limits', 'presenceMemberBytes'], times(1024)),

  'webhooks.batching.enabled': { kind: 'together', group: 'batching' },
  'webhooks.batching.duration': { kind: 'together', group: 'batching' },

  'appManager.driver': told((value) =>
    value === 'array' ? undefined : `${noDatabase}: write those of the ${shownDriver(value)} driver under apps`,
  ),
  'appManager.array.apps': { kind: 'together', group: 'apps' },
  appManager: absent(noDatabase),
  'database.mysql': absent(noDatabase),
  'database.postgres': absent(noDatabase),
  databasePooling: absent(noDatabase),

  'adapter.driver': { kind: 'together', group: 'redis' },
  'adapter.redis': { kind: 'together', group: 'redis' },
  'database.redis': { kind: 'together', group: 'redis' },
  'adapter.cluster': absent(lan),
  'adapter.nats': absent(`there is no NATS here: ${lan}`),
  cluster: absent(lan),

  'cache.driver': absent(`cached events need no setting: ${oneRedis}`),
  cache: absent(oneRedis),
  'rateLimiter.driver': absent(`rates hold for all nodes together: ${oneRedis}`),
  rateLimiter: absent(oneRedis),
  queue: absent(noQueue),
  'instance.process_id': absent('every start has a random id of its own'),
}

/** The rule of an option, or of the innermost group around it that has one. */
export function ruleOf(option: string): Rule | undefined {
  for (let name = option; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    if (Object.hasOwn(optionRules, name)) return optionRules[name]
  }
  return undefined
}

export function isYes(value: unknown): boolean {
  return value === true || value === 1 || (typeof value === 'string' && /^(true|1)$/i.test(value.trim()))
}

function server(to: readonly string[], convert: Convert): Rule {
  return { kind: 'key', scope: 'server', to, convert }
}

function apps(to: readonly string[], convert: Convert): Rule {
  return { kind: 'key', scope: 'apps', to, convert }
}

function absent(why: string): Rule {
  return { kind: 'absent', why }
}

/** An option that is nothing but a choice of what Belfry is anyway. */
function told(remark: (value: unknown) => string | undefined): Rule {
  const convert: Convert = (value) => {
    const text = remark(value)
    return text === undefined ? same : onlyTold(text)
  }
  return { kind: 'key', scope: 'server', to: [], convert }
}

const same: Outcome = { kind: 'same' }

function written(value: unknown): Outcome {
  return { kind: 'written', value }
}

function onlyTold(remark: string): Outcome {
  return { kind: 'told', remark }
}

function remarked(outcome: Outcome, remark: string): Outcome {
  return outcome.kind === 'written' ? { ...outcome, remark } : outcome
}

/** Numbers are texts where people write them so; anything else is refused, and told, by the schema. */
function text(value: unknown): Outcome {
  return written(typeof value === 'number' ? String(value) : value)
}

function unlessEmpty(value: unknown): Outcome {
  return value === '' ? same : text(value)
}

function prefix(value: unknown): Outcome {
  if (typeof value !== 'string') return written(value)
  const inner = value.trim().replace(/^\/+|\/+$/g, '')
  return written(inner === '' ? '' : `/${inner}`)
}

function toggle(value: unknown): Outcome {
  if (isYes(value)) return written(true)
  return written(value === 0 || value === '0' || value === 'false' ? false : value)
}

function whole(value: unknown): Outcome {
  return written(numberOf(value))
}

function times(factor: number): Convert {
  return (value) => {
    const figure = numberOf(value)
    return written(typeof figure === 'number' ? Math.round(figure * factor) : figure)
  }
}

/** soketi writes "no limit" as -1, where ours is 0; its 0 lets nothing through. */
function limitOrNone(remark?: string): Convert {
  return (value) => {
    const figure = numberOf(value)
    if (figure === 0) return onlyTold('0 lets nothing through with soketi and would mean "no limit" here: left out')
    if (typeof figure === 'number' && figure < 0) return written(0)
    return remark === undefined ? written(figure) : { kind: 'written', value: figure, remark }
  }
}

function clientEventRate(value: unknown): Outcome {
  const figure = numberOf(value)
  if (typeof figure !== 'number' || figure > 0) return written(figure)
  if (figure === 0) return onlyTold('0 lets nothing through with soketi: set clientEvents.enabled to false for that')
  return onlyTold(
    'client events always have a rate here: 10 a second for each connection, more with clientEvents.perSecond and limits.messagesPerSecond',
  )
}

function numberOf(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value
}

/** A driver is a word; whatever else stands there is not repeated. */
function shownDriver(value: unknown): string {
  return typeof value === 'string' && /^[\w-]{1,20}$/.test(value) ? value : 'other'
}
