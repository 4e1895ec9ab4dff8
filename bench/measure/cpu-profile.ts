/** Reads what `node --cpu-prof` wrote and keeps only the samples taken while a scenario was measuring. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Span } from './meter.js'

/** The part of V8's .cpuprofile format that is used here; times in microseconds on CLOCK_MONOTONIC. */
interface CpuProfile {
  readonly startTime: number
  readonly nodes: readonly ProfileNode[]
  /** Node id per sample. */
  readonly samples: readonly number[]
  /** Time since the sample before. */
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
}

/** One function with the share of the measured CPU time spent in itself. */
export interface SelfTime {
  readonly name: string
  readonly place: string
  readonly share: number
}

interface FunctionTime {
  readonly name: string
  readonly place: string
  time: number
}

/**
 * The functions with the most self time in the profiles of this folder, one per node. Waiting ("(idle)") does not count as time.
 */
export function topFunctions(folder: string, spans: readonly Span[], count: number): SelfTime[] {
  const byFunction = new Map<string, FunctionTime>()
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.cpuprofile')) continue
    // Written by the Node.js that this bench started a second ago.
    addProfile(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile, spans, byFunction)
  }
  let total = 0
  for (const { time } of byFunction.values()) total += time
  return [...byFunction.values()]
    .toSorted((a, b) => b.time - a.time)
    .slice(0, count)
    .map(({ name, place, time }) => ({ name, place, share: time / total }))
}

function addProfile(profile: CpuProfile, spans: readonly Span[], byFunction: Map<string, FunctionTime>): void {
  const timeByNode = selfTimeByNode(profile, spans)
  for (const { id, callFrame } of profile.nodes) {
    const time = timeByNode.get(id) ?? 0
    if (time === 0 || callFrame.functionName === '(idle)') continue
    const place = callFrame.url === '' ? '' : `${lastParts(callFrame.url)}:${callFrame.lineNumber + 1}`
    const name = callFrame.functionName === '' ? '(anonymous)' : callFrame.functionName
    const known = byFunction.get(`${name} ${place}`)
    if (known === undefined) byFunction.set(`${name} ${place}`, { name, place, time })
    else known.time += time
  }
}

function selfTimeByNode(profile: CpuProfile, spans: readonly Span[]): Map<number, number> {
  const times = new Map<number, number>()
  let at = profile.startTime
  for (const [index, node] of profile.samples.entries()) {
    // A sample stands for the time until the next one.
    at += profile.timeDeltas[index] ?? 0
    const lasted = profile.timeDeltas[index + 1] ?? 0
    if (spans.some(({ from, to }) => at >= from && at < to)) times.set(node, (times.get(node) ?? 0) + lasted)
  }
  return times
}

function lastParts(url: string): string {
  return url.split('/').slice(-3).join('/')
}
