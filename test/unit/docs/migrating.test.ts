import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { keyByEnv, keys, pathText } from '../../../src/config/keys.js'
import {
  laravelWebsocketsOptions,
  reverbOptions,
  reverbVariables,
  soketiAppOptions,
  soketiMetrics,
  soketiOptions,
  soketiVariables,
  soketiWebhookOptions,
} from './other-servers.js'

const page = (name: string) => readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), 'utf8')

/** What a table says of each name: first column → the others. A row may name several, each as code. */
function rowsOf(text: string): ReadonlyMap<string, string> {
  const rows = [...text.matchAll(/^\|((?:[^|\n]|\\\|)+)\|(.+)\|$/gm)]
  return new Map(
    rows.flatMap(([, first = '', rest = '']) =>
      [...first.matchAll(/`([^`]+)`/g)].map(([, name = '']) => [name, rest.trim()] as const),
    ),
  )
}

const tables: readonly (readonly [page: string, what: string, names: readonly string[]])[] = [
  ['migrating-from-soketi.md', "soketi's options", soketiOptions],
  ['migrating-from-soketi.md', "options of soketi's apps", soketiAppOptions],
  ['migrating-from-soketi.md', "options of soketi's webhooks", soketiWebhookOptions],
  ['migrating-from-soketi.md', "soketi's variables", soketiVariables],
  ['migrating-from-soketi.md', "soketi's metrics", soketiMetrics],
  ['migrating-from-reverb.md', "Reverb's options", reverbOptions],
  ['migrating-from-reverb.md', "Reverb's variables", reverbVariables],
  ['migrating-from-laravel-websockets.md', 'options of laravel-websockets', laravelWebsocketsOptions],
]

describe.each(tables)('%s and %s', (file, _what, names) => {
  const rows = rowsOf(page(file))

  it('has a row for each, which is not empty', () => {
    expect(names.length).toBeGreaterThan(8)
    expect(names.filter((name) => !/\p{L}|`/u.test(rows.get(name) ?? ''))).toEqual([])
  })
})

describe('the lists', () => {
  it('name nothing twice', () => {
    for (const [, , names] of tables) expect([...new Set(names)]).toEqual(names)
  })

  it('have the sixteen metrics', () => {
    expect(soketiMetrics).toHaveLength(16)
  })
})

describe('the pages about moving', () => {
  const pages = ['soketi', 'reverb', 'laravel-websockets', 'pusher'].map((name) => `migrating-from-${name}.md`)
  const paths = new Set(keys.map(({ path }) => pathText(path)))
  const groups = new Set([
    'redis',
    'redis.tls',
    'tls',
    'trustedProxies',
    'apps',
    'keys',
    'limits',
    'webhooks',
    'heartbeat',
  ])

  it.each(pages)('%s: every variable of ours is one', (file) => {
    const named = [...page(file).matchAll(/`(BELFRY_[A-Z0-9_]+)[`=]/g)].map(([, name = '']) => name)
    expect(named.filter((name) => !keyByEnv.has(name) && name !== 'BELFRY_CONFIG')).toEqual([])
  })

  it.each(pages)('%s: every key of ours is one', (file) => {
    // In the last columns of the tables, what looks like a key of ours and not like one of the other server.
    const theirs = new Set([
      ...soketiOptions,
      ...soketiAppOptions,
      ...soketiWebhookOptions,
      ...reverbOptions,
      ...laravelWebsocketsOptions,
    ])
    const wrong = [...rowsOf(page(file)).values()]
      .flatMap((rest) => [...rest.matchAll(/`([a-z]+[A-Za-z]*(?:\.[a-z][A-Za-z]*)+)`/g)].map(([, name = '']) => name))
      .filter(
        (name) =>
          !theirs.has(name) && !paths.has(name) && !groups.has(name) && !/\.(php|md|json|yaml|js|ts)$/.test(name),
      )
      .filter((name) => !keys.some(({ scope, path }) => scope === 'app' && pathText(path) === name))
      .filter((name) => !name.startsWith('webhooks.') && !webhookKeys.has(name))
    expect(wrong).toEqual([])
  })
})

/** Keys of one webhook, which no single variable can set. */
const webhookKeys = new Set(['batch.enabled', 'batch.windowMs', 'batch.max'])
