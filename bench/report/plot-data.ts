/** From a results file to the figures that a plot shows. */
import { median, pairRatios } from '../measure/statistics.js'
import { labelsOf } from './results-file.js'
import type { ResultsFile } from './results-file.js'
import { figure } from './table.js'

/** What one server needs for one row, as a ratio to what the base needs. */
export interface RatioBar {
  readonly row: string
  readonly server: string
  /** Median of the ratios of neighbouring runs, and their range. */
  readonly ratio: number
  readonly lowest: number
  readonly highest: number
  /** The figure itself with its unit. */
  readonly figure: string
  /** The highest ratio that is accepted; only of the server under test. */
  readonly gate: number | undefined
}

/** A piece of a stacked bar, from and to as ratios to the whole of the base. */
export interface PartBar {
  readonly row: string
  readonly server: string
  readonly part: string
  readonly from: number
  readonly to: number
}

export interface PlotData {
  /** The server that every figure is divided by; 1 on the scale. */
  readonly base: string
  /** Those with bars, the server under test first. */
  readonly servers: readonly string[]
  /** The rows with bars, in order: id and words. */
  readonly rows: readonly { readonly id: string; readonly work: string }[]
  readonly bars: readonly RatioBar[]
  /** Of the bars of several processes; empty where one node is measured. */
  readonly parts: readonly PartBar[]
}

/** Of which the parts of a figure, which are CPU time, add up to the figure. */
const cpuUnits: readonly string[] = ['µs', 'ms/s']
/** Of which more is better: a bar of cost would say the opposite. */
const gainUnits: readonly string[] = ['1/s']
/** With more than these a picture is no longer seen as a whole, and only the rows with a gate are drawn. */
const mostRows = 24

const titles: Readonly<Record<string, string>> = {
  belfry: 'Belfry',
  bare: 'bare uWebSockets.js server',
  'belfry-cluster': 'two Belfry nodes and a Redis',
  'belfry-workers': 'Belfry with two workers and a Redis',
  'soketi-cluster': 'two soketi nodes and a Redis',
}

/** What a reader calls the server. */
export function serverTitle(label: string): string {
  return titles[label] ?? label
}

/** Undefined when nothing was compared. With several processes only rows whose cost is CPU time, with the parts of it. */
export function plotData(results: ResultsFile): PlotData | undefined {
  const labels = labelsOf(results)
  const base = baseOf(results.suite, labels)
  if (base === undefined) return undefined
  const bars: RatioBar[] = []
  const parts: PartBar[] = []
  for (const { row } of results.compared) {
    if (gainUnits.includes(row.unit)) continue
    for (const server of labels) {
      const bar = server === base ? undefined : ratioBar(results, row.id, server, base)
      if (bar === undefined) continue
      if (results.suite !== 'node') {
        const pieces = cpuUnits.includes(row.unit) ? partBars(results, bar) : []
        if (pieces.length === 0) continue
        parts.push(...pieces)
      }
      bars.push(bar)
    }
  }
  if (bars.length === 0) return undefined
  const measured = results.compared
    .map(({ row: { id, work } }) => ({ id, work }))
    .filter(({ id }) => bars.some(({ row }) => row === id))
  const judged = measured.filter(({ id }) => bars.some(({ row, gate }) => row === id && gate !== undefined))
  const rows = measured.length > mostRows && judged.length > 0 ? judged : measured
  const isDrawn = ({ row }: RatioBar | PartBar) => rows.some(({ id }) => row === id)
  const drawn = bars.filter(isDrawn)
  const servers = labels.filter((label) => drawn.some(({ server }) => server === label))
  return { base, servers, rows, bars: drawn, parts: parts.filter(isDrawn) }
}

/** What is 1: the limit of the stack, or one node without a Redis; without it, the first reference. */
function baseOf(suite: ResultsFile['suite'], labels: readonly string[]): string | undefined {
  const references = labels.slice(1)
  const standard = suite === 'node' ? 'bare' : 'belfry'
  return references.includes(standard) ? standard : references[0]
}

/** Undefined where one of the two has no figure, or none that a ratio can be taken of. */
function ratioBar(results: ResultsFile, row: string, server: string, base: string): RatioBar | undefined {
  const values = results.values[row]?.[server] ?? []
  const ratios = pairRatios(values, results.values[row]?.[base] ?? [])
  const ratio = median(ratios)
  // The scale is logarithmic: what is not above 0 has no place on it.
  if (!(ratio > 0)) return undefined
  const compared = results.compared.find((one) => one.row.id === row)
  const isSubject = server === labelsOf(results)[0]
  const measured = values.filter((value) => !Number.isNaN(value))
  return {
    row,
    server,
    ratio,
    lowest: Math.min(...ratios.filter((one) => one > 0)),
    highest: Math.max(...ratios),
    figure: `${figure(median(measured))} ${compared?.row.unit ?? ''}`,
    gate: isSubject ? compared?.comparisons.find(({ label }) => label === base)?.gate?.gate : undefined,
  }
}

/** The pieces of one bar, side by side and together as long as it; none when the server is one process. */
function partBars(results: ResultsFile, { row, server, ratio }: RatioBar): PartBar[] {
  const runs = results.parts[row]?.[server] ?? []
  const names = Object.keys(runs[0] ?? {})
  if (names.length < 2) return []
  // What idling costs was taken off, so that a process that does nothing may be a little below nothing.
  const costs = names.map((name) => Math.max(0, median(runs.map((parts) => parts[name] ?? NaN))))
  const whole = costs.reduce((sum, cost) => sum + cost, 0)
  if (!(whole > 0)) return []
  let end = 0
  return names.map((part, index) => {
    const from = end
    end += (ratio * (costs[index] ?? 0)) / whole
    return { row, server, part, from, to: end }
  })
}
