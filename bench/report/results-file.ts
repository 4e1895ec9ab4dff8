/** What `npm run bench` leaves in `results/`, read again. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Suite } from '../suites.js'
import type { ComparedRow } from './comparison.js'

export interface ResultsFile {
  /** When it was measured, ISO 8601. */
  readonly date: string
  readonly machine: string
  /** `label: version` of each compared server, the one under test first. */
  readonly versions: readonly string[]
  readonly command: string
  readonly runs: number
  readonly suite: Suite['name']
  readonly compared: readonly ComparedRow[]
  readonly failures: readonly string[]
  /** Row → server's label → one figure per run, NaN where the run failed. */
  readonly values: ByRowAndLabel<number>
  /** The same for the parts of the figure, by process. */
  readonly parts: ByRowAndLabel<Readonly<Record<string, number>>>
}

export type ByRowAndLabel<Value> = Readonly<Record<string, Readonly<Record<string, readonly Value[]>>>>

/** @throws Error in one sentence when the file cannot be read or is none of these */
export function readResults(file: string): ResultsFile {
  const read: Partial<ResultsFile> | null = JSON.parse(readFileSync(file, 'utf8'), nullIsNaN)
  if (!Array.isArray(read?.compared) || !Array.isArray(read.versions) || read.values === undefined) {
    throw new Error(`${file} is no results file of the benchmark`)
  }
  // The oldest of them have one node only and do not say so.
  return { suite: 'node', parts: {}, ...read } as ResultsFile
}

/** The newest file of the folder. @throws Error when there is none */
export function newestResults(folder: string): string {
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .at(-1)
  if (newest === undefined) throw new Error(`no results in ${folder}: run npm run bench first`)
  return join(folder, newest)
}

/** The labels of the compared servers, the one under test first. */
export function labelsOf({ versions }: Pick<ResultsFile, 'versions'>): string[] {
  return versions.map((version) => version.slice(0, version.indexOf(': ')))
}

/** JSON has no NaN and writes null. */
function nullIsNaN(_key: string, value: unknown): unknown {
  return value === null ? NaN : value
}
