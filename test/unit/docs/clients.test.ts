import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checksOf } from '../../clients/checks.js'
import { findPrograms } from '../../clients/programs.js'

const root = join(import.meta.dirname, '../../..')
const page = readFileSync(join(root, 'docs/clients.md'), 'utf8')
const folder = join(root, 'test/clients')
const programs = findPrograms()
/** What holds every package of a program to one version, by the language that its folder's name begins with. */
const lockFiles: Readonly<Record<string, string>> = {
  chromium: 'package-lock.json',
  node: 'package-lock.json',
  worker: 'package-lock.json',
  python: 'requirements.txt',
  go: 'go.sum',
  rust: 'Cargo.lock',
  // Maven has none; versions in a pom are exact.
  java: 'pom.xml',
}

describe('docs/clients.md', () => {
  it.each(programs.map((program) => [program.name, program] as const))('has the row of %s', (name, program) => {
    const rows = page.split('\n').filter((line) => line.includes(`](../test/clients/${name})`))
    const [row = '', ...lacking] = rows
    const checks = checksOf(program.kind).length - Object.keys(program.lacks).length
    const cells = row.split('|').map((cell) => cell.trim())
    expect(cells.slice(3)).toEqual([program.runsIn, String(checks), `all ${checks}`, `all ${checks}`, ''])
    expect(
      lacking.map((line) =>
        line
          .split('|')
          .map((cell) => cell.trim())
          .slice(2, 4),
      ),
    ).toEqual(Object.entries(program.lacks).map(([check, reason]) => [`\`${check}\``, reason]))
  })

  it('has no row of a program that is gone', () => {
    const names = [...page.matchAll(/^\| \[[^\]]+\]\(\.\.\/test\/clients\/([^)]+)\)/gm)].map(([, name]) => name)
    expect(new Set(names)).toEqual(new Set(programs.map(({ name }) => name)))
  })

  it.each(['http', 'websocket'] as const)('says what each check of a library of kind %s is', (kind) => {
    const named = new Set([...page.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) => cell.match(/[a-z-]+/g)))
    expect(checksOf(kind).filter((check) => !named.has(check))).toEqual([])
  })
})

describe('a program of test/clients', () => {
  it.each(programs.map(({ name }) => name))('%s has a lock file', (name) => {
    expect(existsSync(join(folder, name, lockFiles[name.split('-', 1)[0] ?? ''] ?? '?'))).toBe(true)
  })

  it.each(programs.map(({ name, shares }) => [name, shares] as const))(
    '%s shares folders that exist',
    (_name, shares) => {
      const known = readdirSync(folder, { withFileTypes: true }).filter((item) => item.isDirectory())
      expect(known.map(({ name }) => name)).toEqual(expect.arrayContaining([...shares]))
    },
  )
})
