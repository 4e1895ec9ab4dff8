/** The memory a node holds after its garbage is collected, over time. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ServerNode } from '../black-box/server-node.js'
import { until } from '../black-box/waiting.js'

export interface MemorySample {
  readonly atMs: number
  readonly rss: number
  /** On the heap and beside it, of what JavaScript holds. */
  readonly held: number
}

/** What to start a node with, so that sampleMemory() can ask it. */
export function collectingArguments(folder: string): readonly string[] {
  const preload = pathToFileURL(join(import.meta.dirname, 'forced-gc.js'))
  preload.searchParams.set('report', reportFile(folder))
  return ['--expose-gc', '--import', preload.href]
}

export async function sampleMemory(node: ServerNode, folder: string): Promise<MemorySample> {
  const file = reportFile(folder)
  rmSync(file, { force: true })
  node.signal('SIGUSR2')
  await until('the report of the memory', () => existsSync(file), 5000)
  const usage = JSON.parse(readFileSync(file, 'utf8')) as NodeJS.MemoryUsage
  return { atMs: performance.now(), rss: usage.rss, held: usage.heapUsed + usage.external }
}

function reportFile(folder: string): string {
  return join(folder, 'memory.json')
}

/** Least squares. @returns the slope and its standard error, both in MB per hour */
export function slopePerHour(samples: readonly MemorySample[], pick: (sample: MemorySample) => number) {
  const n = samples.length
  const hours = samples.map((sample) => sample.atMs / 3_600_000)
  const values = samples.map((sample) => pick(sample) / 1_048_576)
  const [meanX, meanY] = [mean(hours), mean(values)]
  let [xx, xy] = [0, 0]
  for (const [index, x] of hours.entries()) {
    xx += (x - meanX) ** 2
    xy += (x - meanX) * ((values[index] ?? 0) - meanY)
  }
  const slope = xy / xx
  let rest = 0
  for (const [index, x] of hours.entries()) rest += ((values[index] ?? 0) - meanY - slope * (x - meanX)) ** 2
  return { slope, error: Math.sqrt(rest / Math.max(1, n - 2) / xx) }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
