import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Where to look for the second idea hiding in a file. It only ever goes down. */
const fileLinesMax = 320

/** By the syntax tree, so that prose and strings are never taken for code. */
const forbidden: { what: string; is: (node: ts.Node) => boolean; sample: string }[] = [
  { what: 'any', is: (node) => node.kind === ts.SyntaxKind.AnyKeyword, sample: 'const x: any[] = []' },
  { what: 'double cast', is: isDoubleCast, sample: 'const x = y as unknown as string' },
  { what: 'non-null !', is: ts.isNonNullExpression, sample: 'f(list[0]!)' },
  { what: 'default export', is: isDefaultExport, sample: 'export default function f() {}' },
  { what: 're-export of a whole file', is: isExportAll, sample: "export * from './x.js'" },
]

/** In comments as well. */
const forbiddenAnywhere: { what: string; pattern: RegExp; sample: string }[] = [
  { what: 'a silenced compiler', pattern: /@ts-(?:ignore|expect-error|nocheck)/, sample: '// @ts-ignore' },
  { what: 'an open end', pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/, sample: '// TODO: later' },
  {
    what: 'a package registry',
    // Assembled, so that this file does not contain one either.
    pattern: new RegExp(['npmjs', 'yarnpkg', 'npmmirror', 'jsr'].map((name) => `${name}\\.(?:org|com|io)`).join('|')),
    sample: ['https:/', '/registry.npmjs', '.org/ws'].join(''),
  },
]

const sources = filesBelow(join(root, 'src')).filter((file) => file.endsWith('.ts'))
const own = [
  'src',
  'test',
  'bench',
  '.ci',
  'docs',
  'config',
  'deploy',
  'examples',
  'Dockerfile',
  'package.json',
  'package-lock.json',
  'README.md',
  '.npmrc',
]

describe('style of src', () => {
  test('there are sources to look at', () => expect(sources.length).toBeGreaterThan(10))

  test.each(forbidden)('no $what', ({ is, sample }) => {
    expect(nodesOf(sample).some(is)).toBe(true)
    expect(sources.filter((file) => nodesOf(read(file)).some(is))).toEqual([])
  })

  test.each(forbiddenAnywhere)('no $what', ({ pattern, sample }) => {
    expect(sample).toMatch(pattern)
    expect(sources.filter((file) => pattern.test(read(file)))).toEqual([])
  })

  test('no barrel files', () => {
    expect(sources.filter((file) => basename(file) === 'index.ts')).toEqual([])
  })

  test('names are kebab-case nouns that say something', () => {
    const names = sources.map((file) => basename(file, '.ts'))
    expect(names.filter((name) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name))).toEqual([])
    expect(
      sources.filter((file) => /(?:^|[/-])(?:utils?|helpers?|managers?|misc|common)(?:[/.-]|$)/.test(file)),
    ).toEqual([])
  })

  test(`no file is longer than ${fileLinesMax} lines`, () => {
    const lengths = sources.map((file) => ({ file, lines: read(file).trimEnd().split('\n').length }))
    expect(lengths.filter(({ lines }) => lines > fileLinesMax)).toEqual([])
  })

  test('uWebSockets.js is named as a module in src/transport only', () => {
    const names = (node: ts.Node) => ts.isStringLiteral(node) && node.text === 'uWebSockets.js'
    const using = sources.filter((file) => nodesOf(read(file)).some(names))
    expect(using.filter((file) => !file.startsWith('src/transport/'))).toEqual([])
  })
})

test('no file of the repository names a package registry', () => {
  const files = own.map((name) => join(root, name)).filter((path) => existsSync(path))
  const all = files.flatMap((path) => (statSync(path).isDirectory() ? filesBelow(path) : [relative(path)]))
  const { pattern } = forbiddenAnywhere[2]!
  expect(all.length).toBeGreaterThan(sources.length)
  expect(all.filter((file) => pattern.test(read(file)))).toEqual([])
})

/** Paths relative to the repository. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((item) => {
    const path = join(folder, item.name)
    if (item.isDirectory()) return ['node_modules', '.peers', 'results'].includes(item.name) ? [] : filesBelow(path)
    return [relative(path)]
  })
}

function relative(path: string): string {
  return path.slice(root.length)
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function nodesOf(text: string): ts.Node[] {
  const nodes: ts.Node[] = []
  const visit = (node: ts.Node): void => {
    nodes.push(node)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('x.ts', text, ts.ScriptTarget.ES2023, true))
  return nodes
}

function isDoubleCast(node: ts.Node): boolean {
  return ts.isAsExpression(node) && ts.isAsExpression(node.expression)
}

function isDefaultExport(node: ts.Node): boolean {
  return ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword
}

function isExportAll(node: ts.Node): boolean {
  return ts.isExportDeclaration(node) && (node.exportClause === undefined || ts.isNamespaceExport(node.exportClause))
}
