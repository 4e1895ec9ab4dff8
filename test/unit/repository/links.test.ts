import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const pages = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...below('docs'),
  ...['bench/README.md', 'examples/chat/README.md'].filter((page) => existsSync(join(root, page))),
]

/** What no page may hold; assembled, so that this file does not hold it either. */
const registries = new RegExp(
  ['npmjs', 'yarnpkg', 'npmmirror', 'jsr'].map((name) => `${name}\\.(?:org|com|io)`).join('|'),
)
const machinePaths = new RegExp(
  ['home/[a-z]', 'root/', 'Users/[A-Za-z]', 'work/', 'mnt/', 'private/var/', 'tmp/']
    .map((path) => `(?<![\\w.~-])/${path}`)
    .join('|'),
)

describe('the pages', () => {
  it('are there to look at', () => {
    expect(pages).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/operating.md', 'docs/errors.md']),
    )
  })

  it.each(pages)('%s: every link leads somewhere', (page) => {
    expect(deadLinks(page, read(page))).toEqual([])
  })

  it.each(pages)('%s: names no package registry and no path of one machine', (page) => {
    expect(registries.exec(read(page))?.[0]).toBeUndefined()
    expect(machinePaths.exec(read(page))?.[0]).toBeUndefined()
  })
})

describe('the check', () => {
  it.each([
    ['a missing file', '[x](docs/none.md)'],
    ['a missing picture', '![x](docs/images/none.png)'],
    ['a missing anchor', '[x](docs/errors.md#none)'],
    ['a missing anchor of the page itself', '[x](#none)'],
    ['a file outside the repository', '[x](../../etc/hosts)'],
    ['a link by reference', '[x][y]\n\n[y]: docs/none.md'],
    ['a link by reference to nothing', '[x][y]'],
    ['an HTML picture', '<img src="docs/none.png">'],
    ['a link with a title', '[x](docs/none.md "title")'],
  ])('sees %s', (_, text) => {
    expect(deadLinks('README.md', text)).toHaveLength(1)
  })

  it.each([
    ['a file', '[x](docs/errors.md)'],
    ['a folder', '[x](docs/adr)'],
    ['an anchor', '[x](docs/errors.md#the-rest-api)'],
    ['an anchor of a heading that occurs twice', '## A b\n\n## A b\n\n[x](#a-b-1)'],
    ['an anchor of a heading with signs', "## Other servers' `x_y`: ok?\n\n[x](#other-servers-x_y-ok)"],
    ['an address elsewhere', '[x](https://example.com/none.md) [x](mailto:a@example.com)'],
    ['code', '```\n[x](none.md)\n```\n\n`[x](none.md)`'],
  ])('lets %s be', (_, text) => {
    expect(deadLinks('README.md', text)).toEqual([])
  })

  it('sees a registry and a path of one machine', () => {
    expect(['https:/', '/registry.npmjs', '.org/ws'].join('')).toMatch(registries)
    for (const path of ['/home/me/x', '(/root/x', ' /Users/Me', '`/tmp/x']) expect(path).toMatch(machinePaths)
    for (const path of ['/app/KEY', 'docs/work/x', '/etc/belfry.yaml', '~/tmp/x'])
      expect(path).not.toMatch(machinePaths)
  })
})

/** The links of a page that lead nowhere. Addresses elsewhere are not followed. */
function deadLinks(page: string, text: string): string[] {
  const prose = withoutCode(text)
  const named = new Map([...prose.matchAll(/^\[([^\]]+)\]:\s*(\S+)/gm)].map(([, name = '', to = '']) => [name, to]))
  const references = [...prose.matchAll(/\[[^\]]+\]\[([^\]]+)\]/g)].map(([, name = '']) => name)
  const targets = [
    ...[...prose.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map(([, to = '']) => to),
    ...[...prose.matchAll(/<(?:img|a)\b[^>]*\b(?:src|href)="([^"]+)"/g)].map(([, to = '']) => to),
    ...named.values(),
  ]
  return [
    ...references.filter((name) => !named.has(name)),
    ...targets.filter((to) => !/^[a-z][a-z0-9+.-]*:/i.test(to) && !leadsSomewhere(page, text, to)),
  ]
}

function leadsSomewhere(page: string, text: string, to: string): boolean {
  const [file = '', anchor] = to.split('#', 2)
  const target = file === '' ? page : normalize(join(dirname(page), decodeURIComponent(file)))
  if (target.startsWith('..') || !existsSync(join(root, target))) return false
  if (anchor === undefined) return true
  if (statSync(join(root, target)).isDirectory() || !target.endsWith('.md')) return false
  return anchorsOf(file === '' ? text : read(target)).has(anchor)
}

/** As GitHub makes them: lower case, spaces to hyphens, signs left out, a number behind those that repeat. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  const seen = new Map<string, number>()
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-')
    const repeats = seen.get(anchor) ?? 0
    seen.set(anchor, repeats + 1)
    anchors.add(repeats === 0 ? anchor : `${anchor}-${repeats}`)
  }
  return anchors
}

function withoutCode(text: string): string {
  return withoutFences(text).replaceAll(/(`+)(?:(?!\1)[^])*?\1/g, '')
}

function withoutFences(text: string): string {
  return text.replaceAll(/^( *)(`{3,}|~{3,})[^]*?^\1\2/gm, '')
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function below(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(folder, file))
}
