/**
 * `npm test [-- VITEST ARGUMENTS…]`: builds what is stale, runs the tests, and ends with a table of what ran, what was
 * skipped and why. The last line is always `N passed, N failed, N skipped`; the exit code is 0 only without a failure.
 *
 * A skipped test that gives no reason is a failure, and so is every skip that `BELFRY_TEST_REQUIRE` forbids: all of them,
 * save those for a program it does not name, and with BELFRY_TEST_WORKERS those about one process.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseCLI, startVitest } from 'vitest/node'
import type { TestCase, TestModule, TestSuite, Vitest } from 'vitest/node'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Row {
  files: number
  passed: number
  failed: number
  skipped: number
  ms: number
}

interface Outcome {
  readonly rows: Map<string, Row>
  /** Reason, and where → how many tests. */
  readonly skips: Map<string, number>
  /** What failed beside single tests, which vitest has reported already. */
  readonly problems: string[]
}

await main()

async function main(): Promise<void> {
  const outcome: Outcome = { rows: new Map(), skips: new Map(), problems: [] }
  const build = spawnSync(process.execPath, [join(root, '.ci/build.js'), '--if-stale'], { stdio: 'inherit' })
  if (build.status !== 0) outcome.problems.push('the build failed: see the first lines of this run')
  try {
    await runVitest(outcome)
  } catch (error) {
    console.error(error)
    outcome.problems.push('vitest ended early: see the error above')
  }
  process.exit(report(outcome) ? 0 : 1)
}

async function runVitest(outcome: Outcome): Promise<void> {
  const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)])
  const vitest = await startVitest('test', filter, { ...options, root, config: join(root, '.ci/vitest.config.ts') })
  const modules = vitest.state.getTestModules()
  for (const module of modules) tally(module, vitest, outcome)
  if (modules.length === 0) outcome.problems.push('no test file was found')
  const unhandled = vitest.state.getUnhandledErrors().length
  if (unhandled > 0) outcome.problems.push(`${unhandled} errors outside of any test: vitest printed them above`)
  await vitest.close()
}

function tally(module: TestModule, vitest: Vitest, outcome: Outcome): void {
  const name = module.project.name
  const row = outcome.rows.get(name) ?? { files: 0, passed: 0, failed: 0, skipped: 0, ms: 0 }
  outcome.rows.set(name, row)
  row.files += 1
  row.ms += module.diagnostic().duration + module.diagnostic().collectDuration
  for (const suite of [module, ...module.children.allSuites()]) {
    if (suite.errors().length > 0) outcome.problems.push(`${where(suite)}: an error outside of its tests`)
  }
  const selecting = vitest.config.testNamePattern !== undefined
  for (const test of module.children.allTests()) {
    const { state } = test.result()
    if (state === 'passed') row.passed += 1
    else if (state === 'failed') row.failed += 1
    else if (state === 'pending') outcome.problems.push(`${where(test)}: did not end`)
    else {
      row.skipped += 1
      noteSkip(test, selecting, outcome)
    }
  }
}

function noteSkip(test: TestCase, selecting: boolean, outcome: Outcome): void {
  const given = reasonOf(test)
  const reason = given ?? (selecting ? 'not selected by the name pattern' : 'no reason given')
  if (given === undefined && !selecting) outcome.problems.push(`${where(test)}: skipped without a reason`)
  else if (given !== undefined && isForbidden(given)) {
    outcome.problems.push(`${where(test)}: skipped under BELFRY_TEST_REQUIRE (${given})`)
  }
  const key = `${reason} (${test.module.relativeModuleId})`
  outcome.skips.set(key, (outcome.skips.get(key) ?? 0) + 1)
}

/** From `ctx.skip('reason')`, or from the `skipReason` of a suite around it (test/requirements.ts). */
function reasonOf(test: TestCase): string | undefined {
  const result = test.result()
  if (result.state === 'skipped' && result.note !== undefined) return result.note
  let around: TestCase | TestSuite | TestModule = test
  for (;;) {
    if (around.meta().skipReason !== undefined) return around.meta().skipReason
    if (around.type !== 'test' && around.errors().length > 0) return 'the preparation of its suite failed'
    if (around.type === 'module') return undefined
    around = around.parent
  }
}

function isForbidden(reason: string): boolean {
  if (reason.startsWith('one process: ') && process.env['BELFRY_TEST_WORKERS'] !== undefined) return false
  const required = (process.env['BELFRY_TEST_REQUIRE'] ?? '').split(',').filter((name) => name !== '')
  const needed = /^needs ([a-z-]+):/.exec(reason)?.[1]
  return required.length > 0 && (needed === undefined || required.includes(needed))
}

function where(entity: TestCase | TestSuite | TestModule): string {
  return entity.type === 'module' ? entity.relativeModuleId : `${entity.module.relativeModuleId} > ${entity.fullName}`
}

/** Prints the table. @returns whether everything held */
function report({ rows, skips, problems }: Outcome): boolean {
  console.log(`\n${line('', 'files', 'passed', 'failed', 'skipped', 'seconds')}`)
  const total = { passed: 0, failed: problems.length, skipped: 0 }
  for (const [name, row] of [...rows].sort(([a], [b]) => a.localeCompare(b))) {
    console.log(line(name, row.files, row.passed, row.failed, row.skipped, (row.ms / 1000).toFixed(1)))
    total.passed += row.passed
    total.failed += row.failed
    total.skipped += row.skipped
  }
  if (skips.size > 0) console.log('\nskipped, and why:')
  for (const [reason, count] of skips) console.log(`  ${count} × ${reason}`)
  if (problems.length > 0) console.log('\nfailed beside the tests reported above:')
  for (const problem of problems) console.log(`  ${problem}`)
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  return total.failed === 0
}

function line(name: string, ...cells: (string | number)[]): string {
  return name.padEnd(12) + cells.map((cell) => String(cell).padStart(9)).join('')
}
