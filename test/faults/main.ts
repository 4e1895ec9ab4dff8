/**
 * What one node promises under faults, played against a real process: `npm run test:faults -- [ID …] [--fast | --long] [--list]`.
 * Exit code 0 when everything holds.
 */
import { Run, type Row } from './run.js'
import type { Mode, Scenario } from './scenario.js'
import { capacity } from './scenarios/capacity.js'
import { r16 } from './scenarios/r16.js'
import { r19 } from './scenarios/r19.js'
import { r20 } from './scenarios/r20.js'
import { r21 } from './scenarios/r21.js'
import { r24 } from './scenarios/r24.js'
import { r30 } from './scenarios/r30.js'
import { r33 } from './scenarios/r33.js'
import { tlsReload } from './scenarios/tls.js'

const scenarios: readonly Scenario[] = [capacity, tlsReload, r16, r19, r20, r21, r24, r30, r33]

const { ids, mode, list } = readArguments(process.argv.slice(2))
// The nodes end with this process, however it ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
if (list) printList()
else process.exitCode = (await runAll(ids.length === 0 ? scenarios : ids.map(scenarioOf))) ? 0 : 1

function readArguments(words: readonly string[]): { ids: string[]; mode: Mode; list: boolean } {
  const read = { ids: [] as string[], mode: 'normal' as Mode, list: false }
  for (const word of words) {
    if (word === '--fast' || word === '--long') read.mode = word === '--fast' ? 'fast' : 'long'
    else if (word === '--list') read.list = true
    else if (word.startsWith('-')) fail(`unknown option ${word}; known are --fast, --long and --list`)
    else read.ids.push(word)
  }
  return read
}

function scenarioOf(id: string): Scenario {
  const found = scenarios.find((scenario) => scenario.id === id.toUpperCase())
  return found ?? fail(`unknown scenario ${id}; known are ${scenarios.map((scenario) => scenario.id).join(', ')}`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}

function printList(): void {
  for (const { id, title, seconds } of scenarios) {
    console.log(
      `${id.padEnd(5)}${title} (about ${seconds.fast} s with --fast, ${seconds.normal} s, ${seconds.long} s with --long)`,
    )
  }
}

async function runAll(chosen: readonly Scenario[]): Promise<boolean> {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const scenario of chosen) counts[await play(scenario)] += 1
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  return counts.failed === 0
}

async function play(scenario: Scenario): Promise<'passed' | 'failed' | 'skipped'> {
  const run = new Run(mode)
  const startedAtMs = performance.now()
  let problem: string | undefined
  try {
    await withinTime(scenario.run(run), scenario.seconds[mode])
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
  } finally {
    await run.cleanUp()
  }
  const took = `${((performance.now() - startedAtMs) / 1000).toFixed(1)} s, ${mode}`
  const skipped = problem === undefined ? run.skipped : undefined
  const holds = problem === undefined && run.holds
  const verdict = skipped === undefined ? (holds ? 'HOLDS' : 'FAILS') : `SKIPPED: ${skipped}`
  console.log(`${scenario.id}  ${scenario.title}\n${table(run.rows)}${scenario.id} ${verdict} (${took})`)
  if (problem !== undefined) console.log(problem)
  console.log('')
  return skipped === undefined ? (holds ? 'passed' : 'failed') : 'skipped'
}

/** A scenario that hangs has failed. */
async function withinTime(work: Promise<void>, seconds: number): Promise<void> {
  const allowedSeconds = 3 * seconds + 30
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`it did not end within ${allowedSeconds} s`)
    timer = setTimeout(() => reject(error), allowedSeconds * 1000)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function table(rows: readonly Row[]): string {
  const wide = (pick: (row: Row) => string) => Math.max(0, ...rows.map((row) => pick(row).length))
  const [names, measured, wanted] = [wide((row) => row.name), wide((row) => row.measured), wide((row) => row.wanted)]
  const line = (row: Row) =>
    `  ${row.name.padEnd(names)}  ${row.measured.padStart(measured)}  ${row.wanted.padEnd(wanted)}  ` +
    (row.holds === undefined ? '' : row.holds ? 'ok' : 'NOT')
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('')
}
