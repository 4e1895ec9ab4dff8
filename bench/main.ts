/** `npm run bench`: what Belfry's work costs, beside a reference, measured in one run. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { check } from './check.js'
import type { Attempt, Measure } from './check.js'
import { compare } from './report/comparison.js'
import { loadAverage, machine } from './report/environment.js'
import { newestResults } from './report/results-file.js'
import { profileTable, tableCells, terminalTable } from './report/table.js'
import { readOptions, usage } from './options.js'
import type { Options } from './options.js'
import { runScenarios } from './runner.js'
import type { Contender, Results } from './runner.js'
import type { Pace, Scenario } from './scenario.js'
import { clusterFormOf, serverByName, serverNames } from './servers/known.js'
import { costIsKnown, leftOut, leftOutLines, prepare } from './servers/peer.js'
import { isJudged, scenariosMeant, suites } from './suites.js'
import type { Suite } from './suites.js'

const paces: Record<'full' | 'quick' | 'check', Pace> = {
  full: { warmupMs: 1_000, measureMs: 1_500 },
  quick: { warmupMs: 600, measureMs: 800 },
  check: { warmupMs: 400, measureMs: 400 },
}

const resultsFolder = join(import.meta.dirname, 'results')

// Through exit(), so that the started servers end with this process.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))
// A run that failed half-way may still wait for messages that never come.
process.exit(await main(process.argv.slice(2)))

/** 0 = all measured and every message right; 1 = something lost, doubled, reordered or malformed, or a check failed; 2 = not run. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args)
    if (options.plot !== undefined) {
      await plot(options.plot.length > 0 ? options.plot : [newestResults(resultsFolder)], options)
      return 0
    }
    const chosen = suites
      .map((suite) => chooseScenarios(suite, options))
      .filter(({ scenarios }) => scenarios.length > 0)
    if (chosen.length === 0) throw new Error(`no scenario is called ${options.words.join(' or ')}; --list names them`)
    if (options.help) console.log(usage)
    else if (options.list) {
      for (const { scenarios } of chosen) console.log(listOf(scenarios))
      console.log(`\nservers: ${serverNames.join(', ')} (with --url)`)
    } else return await benchAll(options, chosen)
    return 0
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 2
  }
}

async function plot(files: readonly string[], options: Options): Promise<void> {
  // Loaded only for this: the library is large, and whoever measures does not want it in the process.
  const { plotResults } = await import('./report/plot.js')
  for (const file of files) await plotResults(file, options)
}

async function benchAll(options: Options, chosen: readonly Suite[]): Promise<number> {
  // Before the first of them runs for minutes.
  const compared = chosen.map((suite) => ({ suite, contenders: chooseContenders(suite, options) }))
  for (const { contenders } of compared) for (const { kind } of contenders) await prepare(kind)
  let code = 0
  for (const { suite, contenders } of compared) {
    const meant = { ...suite, scenarios: possible(suite.scenarios, contenders) }
    if (meant.scenarios.length === 0) continue
    const measure = (scenarios: readonly Scenario[]) => bench(options, { ...meant, scenarios }, contenders)
    const isGood = options.check
      ? await checkSuite(meant, measure)
      : (await measure(meant.scenarios)).failures.length === 0
    if (!isGood) code = 1
  }
  return code
}

async function checkSuite({ scenarios }: Suite, measure: Measure): Promise<boolean> {
  const { isGood, lines } = await check(scenarios, measure)
  console.log(`\n${isGood ? 'CHECK PASSED' : 'CHECK FAILED'}\n${lines.join('\n')}`)
  return isGood
}

async function bench(options: Options, suite: Suite, contenders: readonly Contender[]): Promise<Attempt> {
  const versions = contenders.map(({ label, kind }) => `${label}: ${kind.version()}`)
  const started = new Date()
  const stamp = started.toISOString().replace(/[:.]/g, '-')
  console.log(`${machine()}\n${versions.join('\n')}\nruns of each: ${options.runs}, alternating`)
  if (loadAverage() > 0.5) console.log(`The machine is not idle (load ${loadAverage().toFixed(1)}): expect noise.`)
  const results = await runScenarios(suite.scenarios, {
    contenders,
    runs: options.runs,
    pace: paces[options.check ? 'check' : options.quick ? 'quick' : 'full'],
    ...(options.profile ? { profileFolder: join(resultsFolder, `profile-${stamp}`) } : {}),
    report: (line) => console.error(line),
  })
  const compared = compare(results, contenders)
  const cells = tableCells(
    compared,
    contenders.map(({ label }) => label),
  )
  console.log(`\n${terminalTable(cells)}`)
  printProfiles(results)
  printFailures(results)
  const command = ['npm run bench', ...commandArguments(options)].join(' ')
  const about = { date: started.toISOString(), machine: machine(), load: loadAverage(), versions, command }
  const seconds = Math.round((Date.now() - started.getTime()) / 1000)
  const file = writeJson(
    stamp,
    { ...about, suite: suite.name, seconds, runs: options.runs, compared, failures: results.failures },
    results,
  )
  console.log(`\n${seconds} s; ${file}`)
  if (options.writeReadme) await plot([join(resultsFolder, `${stamp}.json`)], options)
  return { compared, failures: results.failures }
}

function chooseScenarios(suite: Suite, { words, gates, quick, check: isCheck }: Options): Suite {
  const isMeant = (one: Scenario) =>
    (one.quick || !(isCheck || (quick && words.length === 0))) && (!gates || isJudged(one))
  return { ...suite, scenarios: scenariosMeant(suite, words).filter(isMeant) }
}

/** Those that the server under test can be asked; what is left out is said. */
function possible(scenarios: readonly Scenario[], contenders: readonly Contender[]): readonly Scenario[] {
  for (const line of leftOutLines(scenarios, contenders)) console.log(line)
  const subject = contenders[0]?.kind
  return scenarios.filter((scenario) => subject !== undefined && leftOut(subject, scenario) === undefined)
}

function listOf(scenarios: readonly Scenario[]): string {
  return scenarios.map(({ name, rows }) => `${name}: ${rows.join(', ')}`).join('\n')
}

function chooseContenders(suite: Suite, { server, references, byUrl }: Options): Contender[] {
  const contenders: Contender[] = []
  for (const name of [server ?? suite.server, ...(references ?? suite.references)]) {
    const kind = serverByName(suite.name === 'cluster' ? clusterFormOf(name) : name, byUrl)
    const again = contenders.filter(({ kind: other }) => other.name === kind.name).length
    const label = costIsKnown(kind) ? kind.name : `${kind.name}, no pid`
    contenders.push({ label: again === 0 ? label : `${label} (${again + 1})`, kind })
  }
  return contenders
}

/** Those that say what was measured. */
function commandArguments({
  words,
  server,
  references,
  byUrl,
  runs,
  gates,
  quick,
  check: isCheck,
  profile,
}: Options): string[] {
  const parts = [...words]
  if (server !== undefined) parts.push('--server', server)
  if (references !== undefined) parts.push('--vs', references.join(',') || 'none')
  // Where it is and its secret are nobody's business.
  if (byUrl !== undefined) parts.push('--url', '…')
  if (runs !== (quick && !isCheck ? 3 : 5)) parts.push('--runs', String(runs))
  if (gates) parts.push('--gates')
  if (isCheck) parts.push('--check')
  else if (quick) parts.push('--quick')
  if (profile) parts.push('--profile')
  return parts.length === 0 ? [] : ['--', ...parts]
}

function printProfiles({ profiles }: Results): void {
  for (const [name, functions] of profiles) console.log(`\n${name}: self time\n${profileTable(functions)}`)
}

function printFailures({ failures }: Results): void {
  if (failures.length > 0) console.log(`\nFAILED\n${failures.join('\n')}`)
}

function writeJson(stamp: string, report: object, { values, latencies, parts }: Results): string {
  mkdirSync(resultsFolder, { recursive: true })
  const file = join('bench', 'results', `${stamp}.json`)
  const plain = (maps: ReadonlyMap<string, ReadonlyMap<string, unknown>>) =>
    Object.fromEntries([...maps].map(([row, byLabel]) => [row, Object.fromEntries(byLabel)]))
  const single = { values: plain(values), latencies: plain(latencies), parts: plain(parts) }
  const text = JSON.stringify({ ...report, ...single }, null, 2)
  writeFileSync(join(resultsFolder, `${stamp}.json`), `${text}\n`)
  return file
}
