/**
 * What other servers' variables mean here, so that a Laravel `.env` or a soketi deployment carries over: `SOKETI_*`,
 * `PUSHER_APP_*`, `REVERB_*`, `REDIS_*` and the `PORT` of a platform. A variable of ours always overrules its aliases.
 */
import {
  credentials,
  optionAliases,
  serverAliases,
  type Alias,
  type Family,
  type ReadVariable,
} from './compat-aliases.js'
import { reverbRedis, soketiRedis } from './compat-redis.js'
import { layers, type Problem } from './draft.js'
import { keyByEnv } from './keys.js'
import {
  addSetting,
  isFromKubernetes,
  isSet,
  type Gathered,
  type Note,
  type Setting,
  type Variables,
} from './variables.js'

/** Where browsers reach the server, as a Laravel `.env` tells it: printed, never listened on. */
export interface PublicAddress {
  readonly host: string
  readonly port: number | undefined
  readonly scheme: 'http' | 'https'
}

export interface CompatResult extends Gathered {
  readonly publicAddress: PublicAddress | undefined
}

export function gatherAliases(variables: Variables): CompatResult {
  const used = new AliasUse(variables)
  const family = familyInUse(variables)
  if (family !== undefined) used.addAll([...Object.values(credentials[family]), ...optionAliases[family]])
  used.addAll(serverAliases)
  addRedis(used, variables)
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
    const read: ReadVariable = (name) => valueOf(this.#variables, name)
    for (const name of alias.reads ?? []) if (read(name) !== undefined) this.names.add(name)
    const text = alias.convert === undefined ? value : alias.convert(value, read)
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

/** The family with the most complete credentials; of equals soketi's, then the one Laravel broadcasts with. */
function familyInUse(variables: Variables): Family | undefined {
  const connection = valueOf(variables, 'BROADCAST_CONNECTION') ?? valueOf(variables, 'BROADCAST_DRIVER')
  const order: Family[] = connection === 'pusher' ? ['soketi', 'pusher', 'reverb'] : ['soketi', 'reverb', 'pusher']
  const found = (family: Family) =>
    Object.values(credentials[family]).filter(({ name }) => valueOf(variables, name) !== undefined).length
  const best = order.reduce((one, other) => (found(other) > found(one) ? other : one))
  return found(best) === 0 ? undefined : best
}

function addRedis(used: AliasUse, variables: Variables): void {
  const read: ReadVariable = (name) => valueOf(variables, name)
  const found = [...reverbRedis(read), ...soketiRedis(read)]
  for (const { alias, value } of found) used.add(alias, value)
  for (const name of found.flatMap(({ reads }) => reads)) used.names.add(name)
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

/** Variables that change what soketi is, with what Belfry is instead. */
const otherKinds: readonly { readonly name: string; readonly same: readonly string[]; readonly here: string }[] = [
  {
    name: 'SOKETI_ADAPTER_DRIVER',
    same: ['local', 'redis'],
    here: 'nodes of Belfry meet only in Redis, so this one is alone unless BELFRY_REDIS_URL is set',
  },
  {
    name: 'SOKETI_APP_MANAGER_DRIVER',
    same: ['array'],
    here: 'Belfry asks no database for apps: list them in its configuration',
  },
  {
    name: 'SOKETI_METRICS_PROMETHEUS_PREFIX',
    same: ['soketi_'],
    here: 'metrics begin with belfry_, and with BELFRY_METRICS_SOKETI_NAMES=true there are those with soketi_ as well',
  },
  { name: 'SOKETI_MODE', same: ['full'], here: 'every process of Belfry serves clients and sends webhooks' },
]

/** Of Reverb, where a Laravel `.env` also holds much that is nobody's business here. */
const reverbIgnored = /^REVERB_(APP_PING_INTERVAL|APP_RATE_LIMIT\w*|(PULSE|TELESCOPE)_INGEST_INTERVAL)$/

function withoutCounterpart(variables: Variables, understood: ReadonlySet<string>): Note[] {
  const different = otherKinds.flatMap(({ name, same, here }) => {
    const value = valueOf(variables, name)
    return value === undefined || same.includes(value) ? [] : [{ name, message: `${name} is ignored: ${here}.` }]
  })
  const told = new Set([...understood, ...different.map(({ name }) => name)])
  const left = (belongs: (name: string) => boolean) =>
    [...variables.merged].flatMap(([name, value]) =>
      belongs(name) && !told.has(name) && !isFromKubernetes(name, value) ? [name] : [],
    )
  return [
    ...different.map(({ message }) => message),
    ...ignored(
      'soketi',
      left((name) => name.startsWith('SOKETI_')),
    ),
    ...ignored(
      'Reverb',
      left((name) => reverbIgnored.test(name)),
    ),
  ].map((message) => ({ level: 'warn', message }))
}

function ignored(server: string, names: readonly string[]): string[] {
  return names.length === 0
    ? []
    : [`These variables of ${server} have no meaning here and are ignored: ${names.join(', ')}.`]
}

function valueOf(variables: Variables, name: string): string | undefined {
  const value = meaningful(variables.merged.get(name))
  return value !== undefined && isFromKubernetes(name, value) ? undefined : value
}

/** Laravel writes an absent value as `null` or `empty`. */
function meaningful(value: string | undefined): string | undefined {
  return value === undefined || /^\(?(null|empty)\)?$/i.test(value.trim()) || value.trim() === '' ? undefined : value
}
