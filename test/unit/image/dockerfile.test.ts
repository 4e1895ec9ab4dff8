import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dockerfileRules } from '../../image/dockerfile-rules.js'
import { pairsOf, parseDockerfile, wordsOf } from '../../image/dockerfile.js'
import { ignoreRules } from '../../image/dockerignore.js'

const root = join(import.meta.dirname, '../../..')
const text = readFileSync(join(root, 'Dockerfile'), 'utf8')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const ignored = ignoreRules(readFileSync(join(root, '.dockerignore'), 'utf8'))

describe('the Dockerfile', () => {
  it.each(dockerfileRules)('$name', ({ problem, broken }) => {
    expect(problem(parseDockerfile(text), version)).toBeUndefined()
    const planted = broken(text)
    expect(planted).not.toBe(text)
    expect(problem(parseDockerfile(planted), version)).toBeDefined()
  })

  it('copies only what .dockerignore lets in', () => {
    const copies = parseDockerfile(text).instructions.filter(({ name, flags }) => name === 'COPY' && !flags.has('from'))
    const sources = copies.flatMap((copy) => wordsOf(copy.text).slice(0, -1))
    expect(sources).toEqual(expect.arrayContaining(['package.json', 'src/', 'LICENSE']))
    // Of .ci only two files are let in, as the next test sees.
    expect(sources.filter((path) => path !== '.ci/' && ignored(path.replace(/\/$/, '')))).toEqual([])
  })
})

describe('.dockerignore', () => {
  it.each([
    'node_modules',
    'node_modules/zod/package.json',
    '.git',
    '.git/config',
    'bench/main.ts',
    'test/image/main.ts',
    'dist/main.js',
    '.env',
    '.env.local',
    'src/.env',
    'src/cli/.env.production',
    '.belfry/credentials.json',
    'src/.belfry/credentials.json',
    'belfry.yaml',
    '.npmrc',
    'docs/docker.md',
    '.ci/run',
  ])('keeps %s out', (path) => expect(ignored(path)).toBe(true))

  it.each(['package.json', 'package-lock.json', 'tsconfig.json', 'src/main.ts', '.ci/build.js', '.ci/prune-image.js'])(
    'lets %s in',
    (path) => expect(ignored(path)).toBe(false),
  )

  it('reads patterns as engines do', () => {
    const rules = ignoreRules('# comment\n\n*.log\n**/*.tmp\nlogs\n!logs/keep.me\na?c\n')
    for (const path of ['x.log', 'deep/er/x.tmp', 'x.tmp', 'logs', 'logs/a/b', 'abc'])
      expect(rules(path), path).toBe(true)
    for (const path of ['deep/x.log', 'logs/keep.me', 'xlog', 'ac', '# comment']) expect(rules(path), path).toBe(false)
    expect(() => ignoreRules('[ab]')).toThrow('not understood')
  })
})

describe('parseDockerfile', () => {
  it('joins lines, leaves out comments, reads flags, stages and both forms', () => {
    const file = parseDockerfile(`
# first
FROM a:1 AS one
RUN echo a \\
  # between
  && echo b
FROM debian:bookworm-slim
COPY --from=one /x "/y z"
HEALTHCHECK --interval=5s CMD ["node", "x"]
CMD node x
`)
    expect(file.stages.map(({ from, name }) => [from, name])).toEqual([
      ['a:1', 'one'],
      ['debian:bookworm-slim', undefined],
    ])
    const [, run, , copy, check, cmd] = file.instructions
    expect(run).toMatchObject({ name: 'RUN', text: 'echo a && echo b', line: 4 })
    expect([...(copy?.flags ?? [])]).toEqual([['from', 'one']])
    expect(wordsOf(copy?.text ?? '')).toEqual(['/x', '/y z'])
    expect(check?.exec).toEqual(['node', 'x'])
    expect([...(check?.flags ?? [])]).toEqual([['interval', '5s']])
    expect(cmd).toMatchObject({ text: 'node x', exec: undefined })
  })

  it('reads quoted pairs', () => {
    const { instructions } = parseDockerfile(`FROM a:1\nLABEL a="b c" d=e\\ f 'g=h i'`)
    expect(instructions.slice(1).flatMap(pairsOf)).toEqual([
      ['a', 'b c'],
      ['d', 'e f'],
      ['g', 'h i'],
    ])
  })

  it.each([
    ['a directive', '# syntax=docker/dockerfile:1\nFROM a:1', 'directives'],
    ['no FROM', 'RUN x', 'before the first FROM'],
    ['an empty file', '# nothing', 'no FROM'],
    ['a variable', 'FROM a:1\nENV X=$Y', 'variables'],
    ['a here-document', 'FROM a:1\nRUN <<EOF', 'here-documents'],
    ['a flag without a value', 'FROM a:1\nCOPY --link a b', 'flag'],
    ['a platform', 'FROM --platform=linux/amd64 a:1', 'FROM IMAGE'],
    ['an open end', 'FROM a:1\nRUN x \\', 'nothing follows'],
  ])('refuses %s', (_, dockerfile, reason) => {
    expect(() => parseDockerfile(dockerfile)).toThrow(reason)
  })

  it('refuses the old form of ENV', () => {
    const { instructions } = parseDockerfile('FROM a:1\nENV A b')
    expect(() => instructions.slice(1).flatMap(pairsOf)).toThrow('line 2: ENV: A is not NAME=VALUE')
  })
})
