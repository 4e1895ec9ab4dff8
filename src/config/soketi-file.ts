/** A configuration file of soketi 1.x, flat (`"metrics.enabled": true`), nested or both, as a file of ours. */
import { stringify } from 'yaml'
import { isObject } from './draft.js'
import { ensureApp, moveApps, type ForEveryApp } from './soketi-apps.js'
import { SoketiMove } from './soketi-move.js'
import { redisGroup } from './soketi-redis.js'
import { isYes, ruleOf, type KeyRule } from './soketi-rules.js'
import type { AppCredentials } from './environment-app.js'

export interface CarriedOver {
  /** YAML. It holds secrets. */
  readonly text: string
  /** One for each option that has no counterpart, or means something else; without secrets. */
  readonly lines: readonly string[]
}

/**
 * @param fresh makes credentials for an app that the file leaves without
 * @throws SyntaxError when the text is no JSON object; its message has no text of the file
 */
export function configurationFromSoketi(text: string, fresh: () => AppCredentials): CarriedOver {
  const options = optionsOf(parse(text))
  const move = new SoketiMove()
  const limits: { option: string; rule: KeyRule; value: unknown }[] = []
  const redis = new Map<string, unknown>()
  for (const [option, value] of options) {
    // Not set, as with soketi.
    if (value === null) continue
    const rule = ruleOf(option)
    if (rule === undefined) move.tell(option, 'no option of soketi that Belfry knows: left out')
    else if (rule.kind === 'absent') move.tell(option, `not here: ${rule.why}`)
    else if (rule.kind === 'together') {
      if (rule.group === 'redis') redis.set(option, value)
    } else if (rule.scope === 'apps') limits.push({ option, rule, value })
    else move.put(move.tree, rule.to, rule.convert(value), option)
  }
  moveRedis(move, redis)
  moveMetrics(move, options)
  const every = { limits, batching: batchingOf(options), fresh }
  moveApps(move, usedApps(move, options), every)
  batchingWithoutWebhooks(move, options)
  ensureApp(move, every)
  move.leaveOutImpossible()
  ensureApp(move, every)
  move.leaveOutImpossible()
  return { text: stringify(inOrder(move.tree), { lineWidth: 0 }), lines: [...new Set(move.lines)] }
}

function parse(text: string): Record<string, unknown> {
  let content: unknown
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    // The parser's message may quote the file, which holds secrets: only the place is told.
    const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined
    const line = position === undefined ? '' : ` at line ${text.slice(0, Number(position)).split('\n').length}`
    throw new SyntaxError(`is not JSON${line}`, { cause: error })
  }
  if (!isObject(content)) throw new SyntaxError('holds no options of soketi: it must be a JSON object')
  return content
}

/** Every option by its dotted path. A later key replaces what an earlier one said of the same, as soketi does. */
function optionsOf(file: Record<string, unknown>): ReadonlyMap<string, unknown> {
  const options = new Map<string, unknown>()
  const apps = new Map<string, unknown>()
  for (const [key, value] of Object.entries(file)) {
    const inApp = /^appManager\.array\.apps\.(\d+)(?:\.(.+))?$/.exec(key)
    if (inApp !== null) apps.set(key, value)
    for (const old of [...options.keys()]) if (old === key || old.startsWith(`${key}.`)) options.delete(old)
    if (inApp === null) for (const [path, leaf] of leaves(key, value)) options.set(path, leaf)
  }
  if (apps.size > 0) options.set(appsOption, withSingleKeys(options.get(appsOption), apps))
  return options
}

const appsOption = 'appManager.array.apps'

/** Adds `appManager.array.apps.0.id` and the like to the list. */
function withSingleKeys(listed: unknown, keys: ReadonlyMap<string, unknown>): unknown[] {
  const apps = Array.isArray(listed) ? [...(listed as unknown[])] : []
  for (const [key, value] of keys) {
    const [index = '0', name, ...rest] = key.slice(appsOption.length + 1).split('.')
    const app = apps[Number(index)]
    if (name === undefined) apps[Number(index)] = value
    else apps[Number(index)] = { ...(isObject(app) ? app : {}), [[name, ...rest].join('.')]: value }
  }
  // A number that is left out has no app.
  return apps.filter((app) => app !== undefined)
}

/** Lists, and what soketi hands to a library as it is, are values. */
function leaves(path: string, value: unknown): (readonly [string, unknown])[] {
  const isValue = !isObject(value) || path === appsOption || /Options$/.test(path)
  if (isValue) return [[path, value]]
  return Object.entries(value).flatMap(([name, inner]) => leaves(`${path}.${name}`, inner))
}

function moveRedis(move: SoketiMove, options: ReadonlyMap<string, unknown>): void {
  const { keys, queryTimeoutMs, remarks } = redisGroup(options)
  for (const [key, value, option] of keys ?? []) move.write(move.tree, ['redis', key], value, option)
  if (queryTimeoutMs !== undefined)
    move.write(move.tree, ['cluster', 'queryTimeoutMs'], queryTimeoutMs, 'adapter.redis.requestsTimeout')
  for (const [option, remark] of remarks) move.tell(option, remark)
}

/** Dashboards made for soketi stay, and the port opens where soketi's did. */
function moveMetrics(move: SoketiMove, options: ReadonlyMap<string, unknown>): void {
  if (!isYes(options.get('metrics.enabled'))) return
  const prefix = options.get('metrics.prometheus.prefix') ?? 'soketi_'
  if (prefix === 'soketi_') move.write(move.tree, ['metrics', 'soketiNames'], true, 'metrics.prometheus.prefix')
  if (options.has('metrics.host')) return
  move.tell(
    'metrics.host',
    'not in the file, so 0.0.0.0 with soketi; here it is 127.0.0.1: set it when Prometheus is elsewhere',
  )
}

function usedApps(move: SoketiMove, options: ReadonlyMap<string, unknown>): unknown {
  const driver = options.get('appManager.driver')
  const listed = options.get(appsOption)
  if (driver === undefined || driver === 'array' || listed === undefined) return listed
  move.tell(appsOption, 'left out, because soketi does not use it with another appManager.driver')
  return undefined
}

function batchingOf(options: ReadonlyMap<string, unknown>): ForEveryApp['batching'] {
  const enabled = options.get('webhooks.batching.enabled')
  return {
    enabled: enabled === undefined || enabled === null ? undefined : isYes(enabled),
    durationMs: options.get('webhooks.batching.duration') ?? undefined,
  }
}

function batchingWithoutWebhooks(move: SoketiMove, options: ReadonlyMap<string, unknown>): void {
  const apps = move.tree['apps']
  const hasWebhooks = Array.isArray(apps) && apps.some((app) => isObject(app) && app['webhooks'] !== undefined)
  if (options.has('webhooks.batching.enabled') && !hasWebhooks)
    move.tell('webhooks.batching.enabled', 'there is no webhook to write it to: batch is a key of each')
  if (options.has('webhooks.batching.duration') && !(hasWebhooks && isYes(options.get('webhooks.batching.enabled'))))
    move.tell('webhooks.batching.duration', 'means nothing without webhooks.batching.enabled and a webhook')
}

/** The server first, the apps last. */
function inOrder({ apps, ...server }: Record<string, unknown>): Record<string, unknown> {
  return { ...server, apps }
}
