import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const require = createRequire(import.meta.url)

interface Violation {
  readonly rule: string
  readonly from: string
}

/** One violation per rule: the file that commits it and what the file imports. */
const planted: Record<string, { file: string; imports: string }> = {
  'no-cycle': { file: 'src/core/cycle-one.ts', imports: './cycle-two.js' },
  'no-dead-module': { file: 'src/core/dead.ts', imports: '../base/leaf.js' },
  'no-unresolved': { file: 'src/core/unresolved.ts', imports: './nowhere.js' },
  'no-unknown-place': { file: 'src/helpers/thing.ts', imports: '../base/leaf.js' },
  'src-stands-alone': { file: 'src/core/uses-test.ts', imports: '../../test/fakes/thing.js' },
  'base-imports-nothing': { file: 'src/base/up.ts', imports: '../protocol/leaf.js' },
  'protocol-imports-base': { file: 'src/protocol/up.ts', imports: '../core/leaf.js' },
  'core-imports-down': { file: 'src/core/up.ts', imports: '../http/leaf.js' },
  'apps-imports-ports': { file: 'src/apps/up.ts', imports: '../core/leaf.js' },
  'rim-imports-down': { file: 'src/http/sideways.ts', imports: '../observability/leaf.js' },
  'config-imports-base': { file: 'src/config/up.ts', imports: '../protocol/leaf.js' },
  'cli-imports-server': { file: 'src/cli/past-server.ts', imports: '../core/leaf.js' },
  'main-imports-cli': { file: 'src/main.ts', imports: './server.js' },
  'config-is-read-at-the-top': { file: 'src/webhooks/reads-config.ts', imports: '../config/leaf.js' },
  'server-is-used-by-cli': { file: 'src/transport/uws/uses-server.ts', imports: '../../server.js' },
  'cli-is-used-by-main': { file: 'src/server.ts', imports: './cli/leaf.js' },
  'main-is-used-by-nobody': { file: 'src/cli/uses-main.ts', imports: '../main.js' },
  'core-does-no-io': { file: 'src/protocol/reads-files.ts', imports: 'node:fs' },
  'place-of-uWebSockets.js': { file: 'src/http/uses-uws.ts', imports: 'uWebSockets.js' },
  'place-of-ioredis': { file: 'src/backend/memory/uses-ioredis.ts', imports: 'ioredis' },
  'place-of-prom-client': { file: 'src/core/uses-prom.ts', imports: 'prom-client' },
  'place-of-pino': { file: 'src/core/uses-pino.ts', imports: 'pino' },
  'place-of-zod': { file: 'src/http/uses-zod.ts', imports: 'zod' },
  'place-of-yaml': { file: 'src/apps/uses-yaml.ts', imports: 'yaml' },
  'place-of-ws': { file: 'src/webhooks/uses-ws.ts', imports: 'ws' },
  'place-of-pusher': { file: 'src/webhooks/uses-pusher.ts', imports: 'pusher' },
  'no-other-package': { file: 'src/cli/uses-vitest.ts', imports: 'vitest' },
}

/** More ways to break two rules that speak of several folders at once. */
const plantedToo: { rule: string; file: string; imports: string }[] = [
  { rule: 'rim-imports-down', file: 'src/backend/memory/sideways.ts', imports: '../redis/leaf.js' },
  { rule: 'rim-imports-down', file: 'src/addons/history/sideways.ts', imports: '../../webhooks/leaf.js' },
  { rule: 'rim-imports-down', file: 'src/transport/uws/sideways.ts', imports: '../../http/leaf.js' },
  { rule: 'config-is-read-at-the-top', file: 'src/core/reads-config.ts', imports: '../config/leaf.js' },
]

/** What must stay allowed. */
const lawful: { file: string; imports: string }[] = [
  { file: 'src/protocol/fine.ts', imports: '../base/leaf.js' },
  { file: 'src/protocol/fine-crypto.ts', imports: 'node:crypto' },
  { file: 'src/core/fine.ts', imports: '../protocol/leaf.js' },
  { file: 'src/backend/memory/fine.ts', imports: '../../core/ports/leaf.js' },
  { file: 'src/backend/memory/fine-sibling.ts', imports: './leaf.js' },
  { file: 'src/backend/redis/fine.ts', imports: 'ioredis' },
  { file: 'src/http/fine.ts', imports: '../core/leaf.js' },
  { file: 'src/transport/uws/fine.ts', imports: 'uWebSockets.js' },
  { file: 'src/observability/fine-prom.ts', imports: 'prom-client' },
  { file: 'src/observability/fine-pino.ts', imports: 'pino' },
  { file: 'src/apps/fine.ts', imports: '../core/ports/leaf.js' },
  { file: 'src/apps/fine-zod.ts', imports: 'zod' },
  { file: 'src/config/fine.ts', imports: '../base/leaf.js' },
  { file: 'src/config/fine-zod.ts', imports: 'zod' },
  { file: 'src/config/fine-yaml.ts', imports: 'yaml' },
  { file: 'src/cli/fine.ts', imports: '../config/leaf.js' },
  { file: 'src/cli/fine-ws.ts', imports: 'ws' },
  { file: 'src/cli/fine-pusher.ts', imports: 'pusher' },
]

const leaves = [
  ...['base', 'protocol', 'core', 'core/ports', 'http', 'observability', 'webhooks', 'config', 'cli'],
  ...['backend/memory', 'backend/redis'],
].map((folder) => `src/${folder}/leaf.ts`)

describe('import rules', () => {
  const tree = mkdtempSync(join(tmpdir(), 'belfry-rules-'))
  let violations: Violation[] = []

  beforeAll(() => {
    for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(tree, file))
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
    for (const file of [...leaves, 'test/fakes/thing.ts']) write(tree, file, 'export const leaf = 1\n')
    write(tree, 'src/core/cycle-two.ts', "import type { One } from './cycle-one.js'\nexport type Two = One\n")
    for (const { file, imports } of [...Object.values(planted), ...plantedToo, ...lawful]) {
      // Type-only: the rules must see what the compiler erases as well.
      const names = imports.startsWith('node:') ? '* as all' : '{ leaf as One }'
      write(tree, file, `import type ${names} from '${imports}'\nexport type { ${names.split(' ').at(-2)} }\n`)
    }
    write(tree, 'src/core/cycle-one.ts', "import type { Two } from './cycle-two.js'\nexport type One = Two | 1\n")
    violations = cruise(tree)
  }, 60_000)

  afterAll(() => rmSync(tree, { recursive: true, force: true }))

  test.each(Object.entries(planted))('%s sees its planted violation', (rule, { file }) => {
    expect(violations).toContainEqual({ rule, from: file })
  })

  test.each(plantedToo)('$rule sees $file', ({ rule, file }) => {
    expect(violations).toContainEqual({ rule, from: file })
  })

  test.each(lawful)('$file may import $imports', ({ file }) => {
    // Nothing reaches these files from main.ts, which is the one thing they do wrong.
    expect(violations.filter(({ from, rule }) => from === file && rule !== 'no-dead-module')).toEqual([])
  })

  test('every rule has a planted violation', () => {
    const { forbidden } = require(join(root, '.ci/dependency-cruiser.cjs')) as { forbidden: { name: string }[] }
    expect(forbidden.map(({ name }) => name).sort()).toEqual(Object.keys(planted).sort())
  })

  test('every package that is installed for use has its place', () => {
    const { dependencies } = require(join(root, 'package.json')) as { dependencies: Record<string, string> }
    for (const name of Object.keys(dependencies)) expect(Object.keys(planted)).toContain(`place-of-${name}`)
  })

  test('the source keeps every rule', () => {
    expect(cruise(root)).toEqual([])
  }, 60_000)
})

function write(tree: string, file: string, text: string): void {
  const path = join(tree, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** What `npm run rules` finds in a tree. `no-dead-module` reports from main.ts to the dead file: `from` is the dead file. */
function cruise(tree: string): Violation[] {
  const command = join(root, 'node_modules/.bin/depcruise')
  const config = join(root, '.ci/dependency-cruiser.cjs')
  const output = execFileSync(process.execPath, [command, '--config', config, '--output-type', 'json', 'src'], {
    cwd: tree,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const { summary } = JSON.parse(output) as {
    summary: { violations: { rule: { name: string }; from: string; to: string }[] }
  }
  return summary.violations.map(({ rule, from, to }) => ({
    rule: rule.name,
    from: rule.name === 'no-dead-module' ? to : from,
  }))
}
