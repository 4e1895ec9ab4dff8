/** What no single key can tell: rules over several keys, and what this version cannot do yet. */
import type { Problem } from './draft.js'
import type { Config } from './schema.js'
import { requestBodyBytesMax } from './sizes.js'
import type { Note } from './variables.js'

/** Secrets of the hosted service have 20 characters. */
const secretLengthAdvised = 16
const bodyBytesMax = 1_073_741_824

export function checkConfig(config: Config): Problem[] {
  return [
    ...oneNodeOnly(config),
    ...uniqueApps(config),
    ...tlsOnlyReachable(config),
    ...redisComplete(config),
    ...bodySize(config),
  ]
}

/** What works, but probably not as meant. */
export function adviceFor(config: Config): Note[] {
  const notes: string[] = []
  for (const app of config.apps) {
    if (app.keys.some(({ secret }) => secret.length < secretLengthAdvised)) {
      notes.push(
        `App "${app.id}" has a secret of fewer than ${secretLengthAdvised} characters: a longer one cannot be guessed.`,
      )
    }
    if (config.websocket.messageBytes !== 0 && config.websocket.messageBytes < app.limits.eventBytes) {
      notes.push(
        `websocket.messageBytes is ${config.websocket.messageBytes}, below limits.eventBytes of app "${app.id}" (${app.limits.eventBytes}): client events between the two close the connection with 1009.`,
      )
    }
  }
  if (config.capacity.memoryPercent === 0)
    notes.push('capacity.memoryPercent is 0: nothing keeps connections from using up the memory.')
  return notes.map((message) => ({ level: 'warn', message }))
}

/** The one place to change when several nodes and webhooks arrive. */
function oneNodeOnly(config: Config): Problem[] {
  const problems: Problem[] = []
  if (config.redis !== undefined)
    problems.push(
      'This version runs one node and cannot use Redis: remove redis (BELFRY_REDIS_…, REDIS_URL, REVERB_SCALING_ENABLED).',
    )
  if (config.workers !== 1)
    problems.push(`This version runs one node: workers is ${config.workers}, set it to 1 or leave it out.`)
  for (const app of config.apps) {
    if (app.webhooks.length > 0) problems.push(`This version sends no webhooks: remove webhooks from app "${app.id}".`)
  }
  return problems
}

function uniqueApps(config: Config): Problem[] {
  const problems: Problem[] = []
  const ids = new Set<string>()
  const ownerByKey = new Map<string, string>()
  for (const { id, keys } of config.apps) {
    if (ids.has(id)) problems.push(`Two apps have the id "${id}": give each app an id of its own.`)
    ids.add(id)
    for (const { key } of keys) {
      const owner = ownerByKey.get(key)
      if (owner !== undefined)
        problems.push(`The key ${key} belongs to app "${owner}" and to app "${id}": give every key to one app, once.`)
      ownerByKey.set(key, id)
    }
  }
  return problems
}

/** Behind a trusted proxy TLS ends before us. */
function tlsOnlyReachable(config: Config): Problem[] {
  if (config.tls !== undefined || config.trustedProxies.length > 0) return []
  return config.apps
    .filter((app) => app.tlsOnly)
    .map(
      (app) =>
        `App "${app.id}" is tlsOnly, but the server has no TLS: set tls, or trustedProxies for the proxy that ends it.`,
    )
}

function redisComplete(config: Config): Problem[] {
  const redis = config.redis
  if (redis === undefined || redis.mode === 'standalone') return []
  const problems: Problem[] = []
  if (redis.nodes.length === 0)
    problems.push(`redis.mode is ${redis.mode}, but redis.nodes is empty: list its nodes as host:port.`)
  if (redis.mode === 'sentinel' && redis.sentinelName === undefined) {
    problems.push("redis.mode is sentinel, but redis.sentinelName is missing: set the master's name.")
  }
  return problems
}

function bodySize(config: Config): Problem[] {
  const bytes = requestBodyBytesMax(config)
  if (bytes <= bodyBytesMax) return []
  return [
    `limits.eventBytes and limits.batchEvents make request bodies of ${bytes} bytes, but at most ${bodyBytesMax} are possible: lower one of them or set http.bodyBytes.`,
  ]
}
