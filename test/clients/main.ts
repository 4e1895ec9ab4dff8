/**
 * The libraries of other languages, as their users run them, against a real server:
 * `npm run test:clients -- [NAME …] [--setting 'one node' | 'two nodes'] [--jobs N] [--write] [--fault NAME] [--list]`.
 *
 * Each program is played on one node and on two nodes with Redis behind a load balancer. A program whose toolchain is not there is
 * skipped, and the reason printed. `--write` puts the table into docs/clients.md. `--fault string-data` or `--fault no-ids` breaks the
 * protocol on purpose and passes when at least two libraries notice. Exit code 0 when everything holds.
 */
import { parseArgs } from 'node:util'
import { findProgram } from '../harness/find-program.js'
import { faults, type FaultName } from './fault-proxy.js'
import { holds, play, type Played } from './play.js'
import { prepared, type Ready } from './prepared.js'
import { findPrograms, type ClientProgram } from './programs.js'
import { countsLine, playLines, table, writePage, type ProgramResult } from './report.js'
import { settings, type Setting } from './site.js'

/** How many libraries must notice a planted fault. */
const redMin = 2
/** Most of a play is waiting: for silence, for a restart. */
const jobsDefault = 2

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    setting: { type: 'string' },
    jobs: { type: 'string', default: String(jobsDefault) },
    write: { type: 'boolean', default: false },
    fault: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

// What was started ends with this process, however it ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
process.exit(await main())

async function main(): Promise<number> {
  const all = findPrograms()
  if (values.list) {
    for (const { name, library, runsIn, needs } of all)
      console.log(`${name}: ${library} in ${runsIn}, needs ${needs.join(', ')}`)
    return 0
  }
  const fault = oneOf('--fault', values.fault, Object.keys(faults) as FaultName[])
  const named = positionals.length === 0 ? all : positionals.map((name) => programNamed(all, name))
  // Faults are in what comes on a WebSocket.
  const chosen = fault === undefined ? named : named.filter(({ kind }) => kind === 'websocket')
  const wanted = oneOf('--setting', values.setting, settings)
  // A library that notices a fault notices it on one node.
  const where = wanted === undefined ? (fault === undefined ? settings : settings.slice(0, 1)) : [wanted]
  const lanes = Number(values.jobs)
  if (!Number.isInteger(lanes) || lanes < 1) fail(`--jobs is a whole number from 1 on, not ${values.jobs}`)
  const results = await playAll(chosen, where, fault, lanes)
  console.log(`\n${table(results)}\n`)
  for (const { program, skipped, failed } of results) {
    if (skipped !== undefined) console.log(`${program.name} skipped: ${skipped}`)
    if (failed !== undefined) console.log(`${program.name} failed: ${failed}`)
  }
  if (fault !== undefined) return judgeFault(fault, results)
  const complaint = values.write ? writePage(all, results) : undefined
  if (complaint !== undefined) console.log(complaint)
  console.log(countsLine(results))
  const red = results.some(({ played, failed }) => failed !== undefined || !played.every(holds))
  return red || complaint !== undefined ? 1 : 0
}

async function playAll(
  programs: readonly ClientProgram[],
  where: readonly Setting[],
  fault: FaultName | undefined,
  lanes: number,
): Promise<ProgramResult[]> {
  const redis = findProgram('redis-server') !== undefined
  const playable = redis ? where : where.filter((setting) => setting !== 'two nodes')
  if (playable.length < where.length) console.log('two nodes skipped: needs redis-server: none in PATH')
  return inLanes(lanes, programs, async (program): Promise<ProgramResult> => {
    const copy = await prepared(program, console.log)
    const played: Played[] = []
    if (copy.state === 'ready') {
      for (const setting of playable) {
        const each = await playOnce(program, copy, setting, fault)
        console.log(playLines(each).join('\n'))
        played.push(each)
      }
    }
    const partly = playable.length < where.length ? 'two nodes need redis-server' : undefined
    const missing = copy.state === 'skipped' ? copy.reason : partly
    return { program, played, skipped: missing, failed: copy.state === 'failed' ? copy.reason : undefined }
  })
}

/** A harness that stumbles over one program must not hide what the others came to. */
async function playOnce(
  program: ClientProgram,
  copy: Ready,
  setting: Setting,
  fault: FaultName | undefined,
): Promise<Played> {
  try {
    return await play(program, copy, setting, fault)
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { program, setting, version: '?', checks: [], problem, notes: [], tookMs: 0 }
  }
}

async function inLanes<Item, Result>(
  lanes: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  let next = 0
  const lane = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return results
}

function judgeFault(fault: FaultName, results: readonly ProgramResult[]): number {
  const played = results.filter((result) => result.played.length > 0)
  const red = played.filter((result) => !result.played.every(holds))
  const names = (list: readonly ProgramResult[]) => list.map(({ program }) => program.name).join(', ') || 'none'
  console.log(`with ${fault} planted, red: ${names(red)}`)
  console.log(`with ${fault} planted, green: ${names(played.filter((result) => !red.includes(result)))}`)
  const noticed = red.length >= redMin
  const skipped = results.filter((result) => result.skipped !== undefined).length
  console.log(`${noticed ? '1 passed, 0 failed' : '0 passed, 1 failed'}, ${skipped} skipped`)
  return noticed ? 0 : 1
}

function programNamed(programs: readonly ClientProgram[], name: string): ClientProgram {
  const found = programs.find((program) => program.name === name)
  return found ?? fail(`unknown program ${name}; known are ${programs.map((program) => program.name).join(', ')}`)
}

function oneOf<Name extends string>(
  option: string,
  value: string | undefined,
  known: readonly Name[],
): Name | undefined {
  if (value === undefined) return undefined
  return known.find((name) => name === value) ?? fail(`${option} is one of ${known.join(', ')}`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
