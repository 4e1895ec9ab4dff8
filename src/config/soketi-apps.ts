/** The apps of a soketi file, and their webhooks, as ours. */
import { shownAddress } from './addresses.js'
import { isObject } from './draft.js'
import type { AppCredentials } from './environment-app.js'
import type { SoketiMove } from './soketi-move.js'
import { appRules, type KeyRule } from './soketi-rules.js'
import { webhooksFromSoketi } from './soketi-webhooks.js'

/** What the whole file says for every app. */
export interface ForEveryApp {
  /** Rules of scope `apps` with their values; what an app says itself wins. */
  readonly limits: readonly { readonly option: string; readonly rule: KeyRule; readonly value: unknown }[]
  /** `webhooks.batching`; undefined = the file does not say. */
  readonly batching: { readonly enabled: boolean | undefined; readonly durationMs: unknown }
  /** Makes credentials for what the file leaves open. */
  readonly fresh: () => AppCredentials
}

const appsOption = 'appManager.array.apps'
/** Of the same option in the databases that soketi can keep apps in. */
const otherNames: Readonly<Record<string, string>> = {
  appId: 'id',
  appKey: 'key',
  appSecret: 'secret',
  maxBackendEventsPerSec: 'maxBackendEventsPerSecond',
  maxClientEventsPerSec: 'maxClientEventsPerSecond',
  maxReadReqPerSec: 'maxReadRequestsPerSecond',
}
/** The secret that soketi has without one, which stands in its documentation. */
const knownSecret = 'app-secret'
/** Above it `limits.messagesPerSecond` would hold the rate of client events down. */
const messagesPerSecondDefault = 100

/** Writes `apps`; one with fresh credentials when the file has none that soketi would use. */
export function moveApps(move: SoketiMove, listed: unknown, every: ForEveryApp): void {
  const apps: Record<string, unknown>[] = []
  move.tree['apps'] = apps
  if (listed !== undefined && !Array.isArray(listed)) move.tell(appsOption, 'left out: it is no list of apps')
  for (const [index, app] of (Array.isArray(listed) ? (listed as unknown[]) : []).entries()) {
    const option = `${appsOption}.${index}`
    if (isObject(app)) {
      apps.push(moveApp(move, app, option, every))
      move.mark(apps, apps.length - 1, option)
    } else move.tell(option, 'left out: it is no group of options')
  }
  leaveOutRepeated(move, apps)
}

/** Writes an app that can be started with, where nothing of the file can. */
export function ensureApp(move: SoketiMove, every: ForEveryApp): void {
  const { apps } = move.tree
  if (!Array.isArray(apps) || apps.length > 0) return
  const app: Record<string, unknown> = { ...every.fresh() }
  writeLimits(move, app, every)
  move.write(app, ['clientEvents', 'enabled'], false, appsOption)
  apps.push(app)
  move.tell(
    appsOption,
    "the file has no app that can be used, and the secret of soketi's built-in app is known to everybody: one with fresh credentials is written, without client events. If SOKETI_DEFAULT_APP_… named yours, put its id, key and secret there",
  )
}

function moveApp(
  move: SoketiMove,
  app: Record<string, unknown>,
  option: string,
  every: ForEveryApp,
): Record<string, unknown> {
  // Always set in the end; here for their place in the file.
  const ours: Record<string, unknown> = { id: undefined, key: undefined, secret: undefined }
  writeLimits(move, ours, every)
  const given = new Map<string, unknown>()
  for (const [name, value] of Object.entries(app)) {
    const camel = name
      .replace(/^[A-Z]/, (first) => first.toLowerCase())
      .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const known = Object.hasOwn(otherNames, camel) ? (otherNames[camel] ?? camel) : camel
    const rule = Object.hasOwn(appRules, known) ? appRules[known] : undefined
    if (rule !== undefined) {
      given.set(known, value)
      move.put(ours, rule.to, rule.convert(value), `${option}.${name}`)
    } else if (known === 'webhooks') moveWebhooks(move, ours, value, `${option}.${name}`, every)
    else move.tell(`${option}.${name}`, 'no option of soketi that Belfry knows: left out')
  }
  moveCredentials(move, ours, given, option, every)
  moveClientEvents(move, ours, given, option)
  return ours
}

function writeLimits(move: SoketiMove, app: Record<string, unknown>, { limits }: ForEveryApp): void {
  for (const { rule, value, option } of limits) move.put(app, rule.to, rule.convert(value), option)
}

/** What soketi takes where an app leaves it out; its secret is no secret. */
function moveCredentials(
  move: SoketiMove,
  ours: Record<string, unknown>,
  given: ReadonlyMap<string, unknown>,
  option: string,
  every: ForEveryApp,
): void {
  for (const [name, value] of [
    ['id', 'app-id'],
    ['key', 'app-key'],
  ] as const) {
    if (given.has(name)) continue
    move.write(ours, [name], value, `${option}.${name}`)
    move.tell(`${option}.${name}`, `not in the file: written as ${value}, which soketi takes then`)
  }
  const secret = given.get('secret')
  if (secret === undefined || secret === '') {
    move.write(ours, ['secret'], every.fresh().secret, `${option}.secret`)
    move.tell(
      `${option}.secret`,
      'not in the file, and what soketi takes then is known to everybody: a fresh one is written; your backend needs it',
    )
  } else if (secret === knownSecret) {
    move.tell(
      `${option}.secret`,
      'written as it is; it stands in the documentation of soketi and is known to everybody: change it',
    )
  }
}

function moveClientEvents(
  move: SoketiMove,
  ours: Record<string, unknown>,
  given: ReadonlyMap<string, unknown>,
  option: string,
): void {
  if (!given.has('enableClientMessages')) {
    move.write(ours, ['clientEvents', 'enabled'], false, option)
    move.tell(
      `${option}.enableClientMessages`,
      'not in the file, so off as with soketi: clientEvents.enabled is written as false, because here it is on unless said otherwise',
    )
  }
  const perSecond: unknown = isObject(ours['clientEvents']) ? ours['clientEvents']['perSecond'] : undefined
  if (typeof perSecond === 'number' && perSecond > messagesPerSecondDefault)
    move.write(ours, ['limits', 'messagesPerSecond'], perSecond, `${option}.maxClientEventsPerSecond`)
}

function moveWebhooks(
  move: SoketiMove,
  ours: Record<string, unknown>,
  value: unknown,
  option: string,
  { batching }: ForEveryApp,
): void {
  const parsed = listOf(value)
  if (parsed === undefined) {
    move.tell(option, 'left out: it is no list of webhooks')
    return
  }
  const webhooks: Record<string, unknown>[] = []
  for (const [index, webhook] of parsed.entries()) {
    const one = `${option}.${index}`
    const [mine] = listOf(webhooksFromSoketi(JSON.stringify([webhook]))) ?? []
    if (isObject(webhook) && webhook['url'] === undefined && webhook['lambda_function'] !== undefined) {
      move.tell(one, 'left out: it calls a function of AWS Lambda; put an HTTPS address in front of the function')
    } else if (!isObject(mine)) {
      move.tell(one, 'left out: it has no event_types, so soketi sends it nothing; here it would be sent everything')
    } else {
      if (isObject(webhook) && webhook['lambda_function'] !== undefined)
        move.tell(one, 'lambda_function is left out: soketi calls the url, too, when there is one')
      if (batching.enabled !== undefined) mine['batch'] = batchOf(batching.enabled, batching.durationMs)
      webhooks.push(mine)
      move.mark(webhooks, webhooks.length - 1, one)
      const url = typeof mine['url'] === 'string' ? `${shownAddress(mine['url'])} ` : ''
      move.tell(
        one,
        `${url}is carried over. An address that is private, loopback or link-local is refused by default: if it is yours, add allowPrivateNetwork: true`,
      )
    }
  }
  if (webhooks.length === 0) return
  move.write(ours, ['webhooks'], webhooks, option)
  if (batching.enabled === undefined)
    move.tell(
      'webhooks.batching.enabled',
      'not in the file, so off with soketi; here events of 50 ms come in one request, as from Pusher: a receiver must read all of `events`, or add batch: { enabled: false }',
    )
}

function batchOf(enabled: boolean, durationMs: unknown): Record<string, unknown> {
  return { enabled, ...(enabled && durationMs !== undefined ? { windowMs: durationMs } : {}) }
}

/** A list, or the JSON text of one, as soketi accepts it. */
function listOf(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return value as unknown[]
  if (value === undefined || value === '') return []
  if (typeof value !== 'string') return undefined
  try {
    const parsed: unknown = JSON.parse(value)
    return Array.isArray(parsed) ? (parsed as unknown[]) : undefined
  } catch {
    return undefined
  }
}

/** soketi takes the first of two apps with the same id or key. */
function leaveOutRepeated(move: SoketiMove, apps: Record<string, unknown>[]): void {
  for (const name of ['id', 'key']) {
    const seen = new Set<unknown>()
    for (const app of [...apps]) {
      if (seen.has(app[name])) {
        apps.splice(apps.indexOf(app), 1)
        move.tell(appsOption, `two apps have the same ${name}: the second is left out, which soketi never uses either`)
      }
      seen.add(app[name])
    }
  }
}
