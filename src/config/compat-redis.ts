/** The Redis of other servers' variables: addresses in parts, sentinels, clusters. */
import { isYes, type Alias, type ReadVariable } from './compat-aliases.js'
import { nodeAddressesFromText, redisUrl } from './soketi-redis.js'

/** One key of ours that several variables make together. */
export interface RedisAlias {
  readonly alias: Alias
  readonly value: string
  /** All variables that were read for it. */
  readonly reads: readonly string[]
}

/** A fresh Laravel `.env` holds a `REDIS_HOST`: Redis is used only when Reverb was told to use it. */
export function reverbRedis(read: ReadVariable): RedisAlias[] {
  const switched = 'REVERB_SCALING_ENABLED'
  if (!isYes(read(switched) ?? '')) return []
  const channel = read('REVERB_SCALING_CHANNEL')
  return [
    fromParts('REDIS', switched, read),
    ...(channel === undefined ? [] : [one('REVERB_SCALING_CHANNEL', 'BELFRY_REDIS_PREFIX', channel)]),
  ]
}

export function soketiRedis(read: ReadVariable): RedisAlias[] {
  const switched = 'SOKETI_ADAPTER_DRIVER'
  if (read(switched) !== 'redis') return []
  const timeout = read('SOKETI_ADAPTER_REDIS_REQUESTS_TIMEOUT')
  // Both keep installations on one Redis apart.
  const prefix = ['SOKETI_ADAPTER_REDIS_PREFIX', 'SOKETI_DB_REDIS_KEY_PREFIX'].find((name) => read(name) !== undefined)
  return [
    fromParts('SOKETI_DB_REDIS', switched, read),
    ...(prefix === undefined ? [] : [one(prefix, 'BELFRY_REDIS_PREFIX', read(prefix) ?? '')]),
    ...(timeout === undefined
      ? []
      : [one('SOKETI_ADAPTER_REDIS_REQUESTS_TIMEOUT', 'BELFRY_CLUSTER_QUERY_TIMEOUT_MS', timeout)]),
    ...soketiNodes(read),
  ]
}

function soketiNodes(read: ReadVariable): RedisAlias[] {
  const clusterMode = 'SOKETI_ADAPTER_REDIS_CLUSTER_MODE'
  const nodes = 'SOKETI_DB_REDIS_CLUSTER_NODES'
  const sentinels = 'SOKETI_DB_REDIS_SENTINELS'
  if (isYes(read(clusterMode) ?? '')) {
    return [one(clusterMode, 'BELFRY_REDIS_MODE', 'cluster'), ...listed(nodes, read(nodes))]
  }
  if (read(sentinels) === undefined) return []
  const name = 'SOKETI_DB_REDIS_INSTANCE_NAME'
  const password = 'SOKETI_DB_REDIS_SENTINEL_PASSWORD'
  const secret = read(password)
  return [
    one(sentinels, 'BELFRY_REDIS_MODE', 'sentinel'),
    ...listed(sentinels, read(sentinels)),
    one(name, 'BELFRY_REDIS_SENTINEL_NAME', read(name) ?? 'mymaster'),
    ...(secret === undefined ? [] : [one(password, 'BELFRY_REDIS_SENTINEL_PASSWORD', secret)]),
  ]
}

function listed(name: string, text: string | undefined): RedisAlias[] {
  if (text === undefined) return []
  const addresses = nodeAddressesFromText(text)
  const alias: Alias = {
    name,
    meaning: 'BELFRY_REDIS_NODES',
    refuse: () =>
      addresses === undefined ? [`${name} is no JSON list like [{"host":"10.0.0.1","port":6379}]: correct it.`] : [],
  }
  return [{ alias, value: (addresses ?? []).join(','), reads: [name] }]
}

function one(name: string, meaning: string, value: string): RedisAlias {
  return { alias: { name, meaning }, value, reads: [name] }
}

function fromParts(prefix: 'REDIS' | 'SOKETI_DB_REDIS', switched: string, read: ReadVariable): RedisAlias {
  const names = ['HOST', 'PORT', 'DB', 'USERNAME', 'PASSWORD'].map((part) => `${prefix}_${part}`)
  const [host, port, database, username, password] = names.map(read)
  return {
    alias: { name: `${prefix}_HOST`, meaning: 'BELFRY_REDIS_URL' },
    value: redisUrl({ host, port, database, username, password }),
    reads: [switched, ...names],
  }
}
