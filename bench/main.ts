/** `npm run bench`: what Belfry's work costs, beside a reference, measured in one run. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compare } from './report/comparison.js'
import { loadAverage, machine } from './report/environment.js'
import { writeBetweenMarkers } from './report/readme.js'
import { markdownTable, profileTable, tableCells, terminalTable } from './report/table.js'
import { readOptions, usage } from './options.js'
import type { Options } from './options.js'
import { runScenarios } from './runner.js'
import type { Contender, Results } from './runner.js'
import type { Pace, Scenario } from './scenario.js'
import { scenarios } from './scenarios/all.js'
import { serverByName } from './servers/known.js'

const paces: Record<'full' | 'quick', Pace> = {
  full: { warmupMs: 1_000, measureMs: 1_500 },
  quick: { warmupMs: 600, measureMs: 800 },
}

const resultsFolder = join(import.meta.dirname, 'results')

// Through exit(), so that the started servers end with this process.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))
// A run that failed half-way may still wait for messages that never come.
process.exit(await main(process.argv.slice(2)))

/** 0 = everything measured and every message right; 1 = something lost, doubled, reordered or malformed; 2 = not run. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args)
    const chosen = chooseScenarios(options)
    if (options.help) console.log(usage)
    else if (options.list) console.log(chosen.map(({ name, rows }) => `${name}: ${rows.join(', ')}`).join('\n'))
    else return await bench(options, chosen)
    return 0
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 2
  }
}

async function bench(options: Options, chosen: readonly Scenario[]): Promise<number> {
  const contenders = chooseContenders(options)
  const versions = contenders.map(({ label, kind }) => `${label}: ${kind.version()}`)
  const started = new Date()
  const stamp = started.toISOString().replace(/[:.]/g, '-')
  console.log(`${machine()}\n${versions.join('\n')}\nruns of each: ${options.runs}, alternating`)
  if (loadAverage() > 0.5) console.log(`The machine is not idle (load ${loadAverage().toFixed(1)}): expect noise.`)
  const results = await runScenarios(chosen, {
    contenders,
    runs: options.runs,
    pace: paces[options.quick ? 'quick' : 'full'],
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
  const command = [
    'npm run bench',
    ...(commandArguments(options) === '' ? [] : ['--', commandArguments(options)]),
  ].join(' ')
  const about = { date: started.toISOString(), machine: machine(), load: loadAverage(), versions, command }
  const seconds = Math.round((Date.now() - started.getTime()) / 1000)
  const file = writeJson(
    stamp,
    { ...about, seconds, runs: options.runs, compared, failures: results.failures },
    results,
  )
  console.log(`\n${seconds} s; ${file}`)
  if (options.writeReadme) {
    const caption = [
      `\`${command}\`, runs of each: ${options.runs}, ${about.date.slice(0, 10)}`,
      about.machine,
      ...versions,
    ]
    const faults = results.failures.length === 0 ? 'Nothing lost, doubled, reordered or malformed.' : 'NOT CLEAN.'
    const text = `${caption.join(' · ')}. ${faults}\n\n${markdownTable(cells)}`
    writeBetweenMarkers(join(import.meta.dirname, 'README.md'), text)
  }
  return results.failures.length === 0 ? 0 : 1
}

function chooseScenarios({ words, quick }: Options): Scenario[] {
  const isMeant = ({ name, rows }: Scenario) =>
    words.length === 0 || words.some((word) => [name, ...rows].some((text) => text.includes(word)))
  const chosen = scenarios.filter((scenario) => isMeant(scenario) && (!quick || words.length > 0 || scenario.quick))
  if (chosen.length === 0) throw new Error(`no scenario is called ${words.join(' or ')}; --list names them`)
  return chosen
}

function chooseContenders({ server, references }: Options): Contender[] {
  const contenders: Contender[] = []
  for (const name of [server, ...references]) {
    const again = contenders.filter(({ kind }) => kind.name === name).length
    contenders.push({ label: again === 0 ? name : `${name} (${again + 1})`, kind: serverByName(name) })
  }
  return contenders
}

function commandArguments({ words, server, references, runs, quick, profile }: Options): string {
  const parts = [...words]
  if (server !== 'belfry') parts.push('--server', server)
  if (references.join(',') !== 'bare') parts.push('--vs', references.join(',') || 'none')
  if (runs !== (quick ? 3 : 5)) parts.push('--runs', String(runs))
  if (quick) parts.push('--quick')
  if (profile) parts.push('--profile')
  return parts.join(' ')
}

function printProfiles({ profiles }: Results): void {
  for (const [name, functions] of profiles) console.log(`\n${name}: self time\n${profileTable(functions)}`)
}

function printFailures({ failures }: Results): void {
  if (failures.length > 0) console.log(`\nFAILED\n${failures.join('\n')}`)
}

function writeJson(stamp: string, report: object, { values, latencies }: Results): string {
  mkdirSync(resultsFolder, { recursive: true })
  const file = join('bench', 'results', `${stamp}.json`)
  const plain = (maps: ReadonlyMap<string, ReadonlyMap<string, unknown>>) =>
    Object.fromEntries([...maps].map(([row, byLabel]) => [row, Object.fromEntries(byLabel)]))
  const text = JSON.stringify({ ...report, values: plain(values), latencies: plain(latencies) }, null, 2)
  writeFileSync(join(resultsFolder, `${stamp}.json`), `${text}\n`)
  return file
}
