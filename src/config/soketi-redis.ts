/** soketi's Redis in our words: parts of an address, lists of nodes. */
import { isObject } from './draft.js'
import { isYes } from './soketi-rules.js'

/** Parts of an address of Redis as other servers have them, each as text. */
export interface RedisParts {
  readonly host: string | undefined
  readonly port: string | undefined
  readonly database: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  /** TLS, although the host does not say so. */
  readonly secure?: boolean
}

/** Laravel writes TLS into the host: `tls://cache`. */
export function redisUrl({
  host = '127.0.0.1',
  port,
  database,
  username,
  password,
  secure = false,
}: RedisParts): string {
  const tls = secure || /^(tls|ssl|rediss):\/\//.test(host)
  const login = password === undefined ? '' : `${encodeURIComponent(username ?? '')}:${encodeURIComponent(password)}@`
  const name = host.replace(/^\w+:\/\//, '')
  return `${tls ? 'rediss' : 'redis'}://${login}${name}:${port ?? '6379'}/${database ?? '0'}`
}

/** `host:port` of each entry of soketi's `[{ "host": …, "port": … }]`; undefined when it is no such list, or empty. */
export function nodeAddresses(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined
  const addresses = value.map((node: unknown) => {
    if (!isObject(node) || typeof node['host'] !== 'string') return undefined
    const { host, port } = node
    if (typeof port !== 'number' && typeof port !== 'string') return undefined
    return `${host}:${port}`
  })
  return addresses.every((address) => address !== undefined) ? addresses : undefined
}

/** As `nodeAddresses`, from the text of a variable. */
export function nodeAddressesFromText(text: string): string[] | undefined {
  try {
    return nodeAddresses(JSON.parse(text) as unknown)
  } catch {
    return undefined
  }
}

/** What of soketi's options concerns Redis: dotted path → value. */
export type SoketiOptions = ReadonlyMap<string, unknown>

export interface RedisGroup {
  /** Our `redis`, with the option each key comes from; undefined = none is used. */
  readonly keys: readonly (readonly [key: string, value: unknown, option: string])[] | undefined
  /** From `adapter.redis.requestsTimeout`. */
  readonly queryTimeoutMs: unknown
  /** Option → what to say of it. */
  readonly remarks: readonly (readonly [option: string, remark: string])[]
}

const connection = new Set(['host', 'port', 'db', 'username', 'password'].map((name) => `database.redis.${name}`))

/** @param options only those whose rule is in the group `redis` */
export function redisGroup(options: SoketiOptions): RedisGroup {
  const driver = options.get('adapter.driver')
  if (driver !== 'redis') {
    const unused = [...options.keys()].filter((option) => option !== 'adapter.driver')
    return {
      keys: undefined,
      queryTimeoutMs: undefined,
      remarks: [
        ...driverRemark(driver),
        ...unused.map(
          (option) => [option, 'not taken over, because adapter.driver is not redis: one node needs no Redis'] as const,
        ),
      ],
    }
  }
  const set = (option: string) => usable(options.get(option))
  const [pub, sub] = [set('adapter.redis.redisPubOptions'), set('adapter.redis.redisSubOptions')]
  const keys: (readonly [string, unknown, string])[] = [
    ['url', redisUrl({ ...partsOf(set), secure: [pub, sub].some(asksForTls) }), 'database.redis.host'],
    ...prefixOf(set),
    ...nodesOf(set),
  ]
  const written = new Set([
    ...connection,
    'adapter.driver',
    'adapter.redis.requestsTimeout',
    ...keys.map(([, , option]) => option),
  ])
  // Nobody logs in without one.
  if (set('database.redis.password') === undefined) written.delete('database.redis.username')
  if (set('adapter.redis.clusterMode') !== undefined) written.add('adapter.redis.clusterMode')
  const left = [...options.keys()].filter((option) => !written.has(option) && set(option) !== undefined)
  return {
    keys,
    queryTimeoutMs: set('adapter.redis.requestsTimeout'),
    remarks: left.map((option) => [option, remarkOn(option)] as const),
  }
}

function driverRemark(driver: unknown): (readonly [string, string])[] {
  if (driver === undefined || driver === 'local') return []
  return [
    [
      'adapter.driver',
      'nodes of Belfry meet only in Redis: set redis.url for more than one; this configuration is for one node',
    ],
  ]
}

/** The value of an option; undefined when soketi would say that it is not set. */
type Read = (option: string) => unknown

function partsOf(set: Read): RedisParts {
  const part = (name: string) => {
    const value = set(`database.redis.${name}`)
    return typeof value === 'number' || typeof value === 'string' ? String(value) : undefined
  }
  return {
    host: part('host'),
    port: part('port'),
    database: part('db'),
    username: part('username'),
    password: part('password'),
  }
}

/** Both of soketi's prefixes keep installations on one Redis apart, which is what ours is for. */
function prefixOf(set: Read): (readonly [string, unknown, string])[] {
  const option = ['adapter.redis.prefix', 'database.redis.keyPrefix'].find((name) => set(name) !== undefined)
  return option === undefined ? [] : [['prefix', set(option), option]]
}

function nodesOf(set: Read): (readonly [string, unknown, string])[] {
  const sentinels = nodeAddresses(set('database.redis.sentinels'))
  const cluster = nodeAddresses(set('database.redis.clusterNodes'))
  if (cluster !== undefined && isYes(set('adapter.redis.clusterMode'))) {
    return [
      ['mode', 'cluster', 'adapter.redis.clusterMode'],
      ['nodes', cluster, 'database.redis.clusterNodes'],
    ]
  }
  if (sentinels === undefined) return []
  const password = set('database.redis.sentinelPassword')
  return [
    ['mode', 'sentinel', 'database.redis.sentinels'],
    ['nodes', sentinels, 'database.redis.sentinels'],
    ['sentinelName', set('database.redis.name') ?? 'mymaster', 'database.redis.name'],
    ...(password === undefined ? [] : [['sentinelPassword', password, 'database.redis.sentinelPassword'] as const]),
  ]
}

function remarkOn(option: string): string {
  if (/redis(Pub|Sub)Options/.test(option))
    return 'options of ioredis are not taken over, except that tls makes it rediss://; see redis.tls'
  if (option === 'database.redis.clusterNodes')
    return 'left out: adapter.redis.clusterMode is off, or it is no list of { host, port }'
  if (option === 'database.redis.sentinels') return 'left out: it is no list of { host, port }, or a cluster is used'
  if (option === 'database.redis.keyPrefix') return 'left out: adapter.redis.prefix is used as redis.prefix'
  return 'left out: it means nothing without the option it belongs to'
}

/** soketi's "not set": null, an empty text, an empty list or object, and off. */
function usable(value: unknown): unknown {
  if (value === null || value === '' || value === false) return undefined
  if (Array.isArray(value) && value.length === 0) return undefined
  return isObject(value) && Object.keys(value).length === 0 ? undefined : value
}

function asksForTls(options: unknown): boolean {
  return isObject(options) && (isObject(options['tls']) || options['tls'] === true)
}
