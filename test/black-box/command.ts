/** The command of a suite of scenarios: `npm run test:NAME -- [ID …] [--fast | --long] [--again] [--list]`. */
import { countsLine, outcomeOf, playOnceOrTwice, summary, type Play, type Result } from './results.js'
import { Run, type Row } from './run.js'
import type { Mode, Scenario } from './scenario.js'

/** Does what the arguments say. Exit code 0 when everything holds. */
export async function runScenarios(scenarios: readonly Scenario[]): Promise<void> {
  const { ids, mode, list, again } = readArguments(process.argv.slice(2))
  // The processes of a scenario end with this one, however it ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
  if (list) {
    printList(scenarios)
    return
  }
  const chosen = ids.length === 0 ? scenarios : ids.map((id) => scenarioOf(scenarios, id))
  const results: Result[] = []
  for (const scenario of chosen) results.push(await playScenario(scenario, { mode, again }))
  // Below all tables: of a long output often only the end is kept.
  for (const line of summary(results)) console.log(line)
  console.log(countsLine(results))
  // Whatever a failed scenario left waiting is of no interest any more.
  process.exit(results.every(({ outcome }) => outcome !== 'failed') ? 0 : 1)
}

/**
 * Plays it and prints each play.
 *
 * @param options.again a scenario of which only timed rows failed is played once more, on a fresh Run; what fails otherwise fails at once
 */
export function playScenario(
  scenario: Scenario,
  options: { readonly mode: Mode; readonly again: boolean },
  print: (line: string) => void = console.log,
): Promise<Result> {
  return playOnceOrTwice(scenario.id, options.again, (mayRepeat) => play(scenario, options.mode, mayRepeat, print))
}

interface Arguments {
  readonly ids: string[]
  mode: Mode
  list: boolean
  again: boolean
}

function readArguments(words: readonly string[]): Arguments {
  const read: Arguments = { ids: [], mode: 'normal', list: false, again: false }
  for (const word of words) {
    if (word === '--fast' || word === '--long') read.mode = word === '--fast' ? 'fast' : 'long'
    else if (word === '--list') read.list = true
    else if (word === '--again') read.again = true
    else if (word.startsWith('-')) fail(`unknown option ${word}; known are --fast, --long, --again and --list`)
    else read.ids.push(word)
  }
  return read
}

function scenarioOf(scenarios: readonly Scenario[], id: string): Scenario {
  const found = scenarios.find((scenario) => scenario.id === id.toUpperCase())
  return found ?? fail(`unknown scenario ${id}; known are ${scenarios.map((scenario) => scenario.id).join(', ')}`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}

function printList(scenarios: readonly Scenario[]): void {
  const width = Math.max(...scenarios.map(({ id }) => id.length)) + 2
  for (const { id, title, seconds } of scenarios) {
    console.log(
      `${id.padEnd(width)}${title} (about ${seconds.fast} s with --fast, ${seconds.normal} s, ${seconds.long} s with --long)`,
    )
  }
}

async function play(scenario: Scenario, mode: Mode, mayRepeat: boolean, print: (line: string) => void): Promise<Play> {
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
  const played: Play = { rows: run.rows, problem, skipped: run.skipped }
  const outcome = outcomeOf(played)
  const verdict = {
    passed: 'HOLDS',
    late: mayRepeat ? 'LATE, once more' : 'FAILS',
    failed: 'FAILS',
    skipped: `SKIPPED: ${run.skipped ?? ''}`,
  }[outcome]
  print(`${scenario.id}  ${scenario.title}\n${table(run.rows)}${scenario.id} ${verdict} (${took})`)
  if (problem !== undefined) print(problem)
  for (const line of run.notes) print(`  ${line}`)
  if (outcome === 'late' || outcome === 'failed') for (const line of run.complaints()) print(`  ${line}`)
  print('')
  return played
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
