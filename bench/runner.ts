/** Runs scenarios against the compared servers in turn and collects the figures. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Load } from './load/load.js'
import { topFunctions } from './measure/cpu-profile.js'
import type { SelfTime } from './measure/cpu-profile.js'
import type { Target } from './load/target.js'
import { WebhookReceiver } from './load/webhook-receiver.js'
import { Meter } from './measure/meter.js'
import type { Latency } from './measure/statistics.js'
import type { Pace, Reading, Scenario } from './scenario.js'
import { leftOut } from './servers/peer.js'
import { hookedApp } from './servers/server.js'
import type { RunningServer, ServerKind } from './servers/server.js'

/** A scenario that takes longer has hung. */
const scenarioMs = 180_000
const profileFunctions = 15

/** One server in a comparison. Two entries may be of one kind: that shows the noise. */
export interface Contender {
  readonly label: string
  readonly kind: ServerKind
}

export interface RunnerOptions {
  /** The server under test first. */
  readonly contenders: readonly Contender[]
  readonly runs: number
  readonly pace: Pace
  /** Folder for CPU profiles of the first contender; absent: none. */
  readonly profileFolder?: string
  readonly report: (line: string) => void
}

/** Row → contender's label → one value per repetition (NaN where the run failed). */
export type Values = Map<string, Map<string, number[]>>

export interface Results {
  readonly values: Values
  readonly latencies: Map<string, Map<string, Latency[]>>
  readonly parts: Map<string, Map<string, Readonly<Record<string, number>>[]>>
  /** What went wrong, in words; empty = every message arrived once, in order and whole. */
  readonly failures: string[]
  readonly profiles: Map<string, SelfTime[]>
}

export async function runScenarios(scenarios: readonly Scenario[], options: RunnerOptions): Promise<Results> {
  const results: Results = {
    values: new Map(),
    latencies: new Map(),
    parts: new Map(),
    failures: [],
    profiles: new Map(),
  }
  for (const scenario of scenarios) {
    const able = options.contenders.filter(({ kind }) => leftOut(kind, scenario) === undefined)
    for (let repetition = 0; repetition < options.runs; repetition += 1) {
      // Who goes first changes, so that a machine that drifts favours nobody.
      const order = repetition % 2 === 0 ? able : able.toReversed()
      for (const contender of order) {
        const readings = await runGuarded(scenario, contender, repetition, options, results)
        record(results, scenario, contender.label, readings)
        const figures = readings.map(({ row, value }) => `${row} ${value.toPrecision(4)}`).join(', ')
        options.report(`${scenario.name} ${repetition + 1}/${options.runs} ${contender.label}: ${figures || 'FAILED'}`)
      }
    }
  }
  return results
}

/** The readings of one run; none if it went wrong, and then a failure is noted. */
async function runGuarded(
  scenario: Scenario,
  contender: Contender,
  repetition: number,
  options: RunnerOptions,
  results: Results,
): Promise<Reading[]> {
  try {
    return await runOnce(scenario, contender, repetition, options, results)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    results.failures.push(`${scenario.name}, ${contender.label}, run ${repetition + 1}: ${reason}`)
    options.report(results.failures.at(-1) ?? '')
    return []
  }
}

async function runOnce(
  scenario: Scenario,
  contender: Contender,
  repetition: number,
  { contenders, profileFolder, pace }: RunnerOptions,
  results: Results,
): Promise<Reading[]> {
  const profiled = profileFolder !== undefined && contender === contenders[0]
  const folder = profiled ? join(profileFolder, `${scenario.name}-${repetition + 1}`) : ''
  if (profiled) mkdirSync(folder, { recursive: true })
  const nodeArguments = profiled ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : []
  const receiver = scenario.needsWebhooks === true ? await WebhookReceiver.start(hookedApp) : undefined
  const server = await contender.kind.start({
    nodeArguments,
    ...(receiver === undefined ? {} : { webhookUrl: receiver.url }),
  })
  const load = new Load(server.targets)
  const webhooks = receiver === undefined ? undefined : { receiver, load: hookedLoad(server, load) }
  const meter = new Meter(server.parts)
  const ended = new AbortController()
  let readings: Reading[]
  try {
    const tooLong = wait(scenarioMs, undefined, { signal: ended.signal }).then(() => {
      throw new Error(`not done after ${scenarioMs / 1000} s`)
    })
    tooLong.catch(() => {})
    readings = await Promise.race([scenario.run({ load, meter, pace, redis: server.redis, webhooks }), tooLong])
    load.finish()
  } catch (error) {
    load.finish()
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${reason}; ${load.faults.toString()}${outputOf(server.output())}`, { cause: error })
  } finally {
    ended.abort()
    load.close()
    webhooks?.load.close()
    await server.stop(profiled)
    await receiver?.close()
  }
  if (load.faults.any) throw new Error(`${load.faults.toString()}${outputOf(server.output())}`)
  if (profiled) results.profiles.set(scenario.name, topFunctions(folder, meter.spans, profileFunctions))
  return readings
}

/** To the same server, for its other app. */
function hookedLoad({ targets: [first, ...others] }: RunningServer, { faults }: Load): Load {
  const hooked = (target: Target) => ({ ...target, app: hookedApp })
  return new Load([hooked(first), ...others.map(hooked)], faults)
}

function record(results: Results, scenario: Scenario, label: string, readings: readonly Reading[]): void {
  for (const row of scenario.rows) {
    const reading = readings.find((candidate) => candidate.row === row)
    listIn(results.values, row, label).push(reading?.value ?? NaN)
    if (reading?.latency !== undefined) listIn(results.latencies, row, label).push(reading.latency)
    if (reading?.parts !== undefined) listIn(results.parts, row, label).push(reading.parts)
  }
}

function listIn<T>(map: Map<string, Map<string, T[]>>, row: string, label: string): T[] {
  const byLabel = map.get(row) ?? new Map<string, T[]>()
  map.set(row, byLabel)
  const list = byLabel.get(label) ?? []
  byLabel.set(label, list)
  return list
}

function outputOf(output: string): string {
  return output === '' ? '' : `\n  the server printed:\n${output.trimEnd()}`
}
