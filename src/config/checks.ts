/** What no single key can tell: rules over several keys. */
import type { Problem } from './draft.js'
import type { Config } from './schema.js'
import { requestBodyBytesMax } from './sizes.js'
import type { Note } from './variables.js'

/** Secrets of the hosted service have 20 characters. */
const secretLengthAdvised = 16
const bodyBytesMax = 1_073_741_824

export function checkConfig(config: Config): Problem[] {
  return [
    ...workersNeedRedis(config),
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

/** Each worker is a node, and nodes meet in Redis. */
function workersNeedRedis({ workers, redis }: Config): Problem[] {
  if (workers === 1 || redis !== undefined) return []
  return [`workers is ${workers}, but redis is missing, which the workers share: set redis.url, or workers to 1.`]
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

function redisComplete({ redis }: Config): Problem[] {
  if (redis === undefined) return []
  const problems: Problem[] = []
  const { mode, nodes, tls } = redis
  if (mode === 'standalone' && nodes.length > 0)
    problems.push('redis.nodes is set, but redis.mode is standalone: set redis.mode to sentinel or cluster.')
  if (mode !== 'standalone' && nodes.length === 0)
    problems.push(`redis.mode is ${mode}, but redis.nodes is empty: list its nodes as host:port.`)
  if (mode === 'sentinel' && redis.sentinelName === undefined)
    problems.push("redis.mode is sentinel, but redis.sentinelName is missing: set the master's name.")
  if (mode === 'cluster' && /^rediss?:\/\/[^/]*\/0*[1-9]/i.test(redis.url))
    problems.push('redis.url names a database, but a cluster has only database 0: leave the number out.')
  if ((tls?.certFile === undefined) !== (tls?.keyFile === undefined))
    problems.push('redis.tls has only one of certFile and keyFile: a client certificate needs both.')
  return problems
}

function bodySize(config: Config): Problem[] {
  const bytes = requestBodyBytesMax(config)
  if (bytes <= bodyBytesMax) return []
  return [
    `limits.eventBytes and limits.batchEvents make request bodies of ${bytes} bytes, but at most ${bodyBytesMax} are possible: lower one of them or set http.bodyBytes.`,
  ]
}
