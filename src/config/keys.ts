/** Every configuration key that one text can set, with the environment variable and the flag derived from its path. */
import { factsOf, type KeyFacts, type Shape } from './declare.js'
import { appSchema } from './app-schema.js'
import { configSchema } from './schema.js'

export interface Key {
  /** `app` keys belong to the one app that the environment or flags describe; their path begins inside it. */
  readonly scope: 'config' | 'app'
  readonly path: Path
  /** `BELFRY_` + path, like `BELFRY_CLUSTER_LEASE_MS`. */
  readonly env: string
  /** Path in kebab-case, without the dashes in front: `cluster-lease-ms`. */
  readonly flag: string
  readonly facts: KeyFacts
}

/** Names of keys and positions in lists, from the root of the tree. */
export type Path = readonly (string | number)[]

export const keys: readonly Key[] = [
  ...keysOf(configSchema.shape, 'config', []),
  ...keysOf(appSchema.shape, 'app', []),
  {
    scope: 'app',
    path: ['webhooks', 0, 'url'],
    env: 'BELFRY_APP_WEBHOOK_URL',
    flag: 'app-webhook-url',
    facts: { kind: 'text', description: 'Address all events of the app are posted to.' },
  },
]

export const keyByEnv: ReadonlyMap<string, Key> = new Map(keys.map((key) => [key.env, key]))
export const keyByFlag: ReadonlyMap<string, Key> = new Map(keys.map((key) => [key.flag, key]))

/** `apps[0].limits.eventBytes` */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}

function keysOf(shape: Shape, scope: Key['scope'], parent: readonly string[]): Key[] {
  return Object.entries(shape).flatMap(([name, schema]) => {
    const facts = factsOf(schema)
    const path = [...parent, name]
    const own = key(scope, path, facts)
    if (facts.kind !== 'group' || facts.shape === undefined) return [own]
    const inner = keysOf(facts.shape, scope, path)
    return facts.word === undefined ? inner : [own, ...inner]
  })
}

function key(scope: Key['scope'], path: readonly string[], facts: KeyFacts): Key {
  const words = [...(scope === 'app' ? ['app'] : []), ...path].flatMap(wordsOf)
  return { scope, path, facts, env: ['belfry', ...words].join('_').toUpperCase(), flag: words.join('-') }
}

/** `publishTimeoutMs` → publish, timeout, ms */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(' ')
}
