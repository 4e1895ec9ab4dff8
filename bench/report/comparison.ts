/** From raw values to rows with medians, ratios and verdicts. */
import { rows, verdict } from '../gates.js'
import type { Gate, Row, Verdict } from '../gates.js'
import { median, pairRatios } from '../measure/statistics.js'
import type { Contender, Results } from '../runner.js'
import { costIsKnown } from '../servers/peer.js'

export interface Comparison {
  /** Reference's label. */
  readonly label: string
  readonly median: number
  /** Median of the ratios of neighbouring runs. */
  readonly ratio: number
  readonly lowest: number
  readonly highest: number
  readonly gate: Gate | undefined
  /** `limit`: over the gate, and so is the bare server, which nothing on this stack is below. */
  readonly verdict: Verdict | 'limit' | undefined
}

export interface ComparedRow {
  readonly row: Row
  readonly median: number
  readonly p99Ms: number | undefined
  /** What each process of the server under test has to do with the median; empty when it is one. */
  readonly parts: Readonly<Record<string, number>>
  /** About the figure itself, where something is asked of it. */
  readonly verdict: Verdict | undefined
  readonly comparisons: readonly Comparison[]
}

/** The measured rows in the order of gates.ts; `contenders` with the server under test first. */
export function compare({ values, latencies, parts }: Results, contenders: readonly Contender[]): ComparedRow[] {
  const [subject, ...references] = contenders
  if (subject === undefined) return []
  const compared: ComparedRow[] = []
  for (const row of rows) {
    const byLabel = values.get(row.id)
    const own = byLabel?.get(subject.label)
    if (own === undefined) continue
    const figure = median(measured(own))
    const p99s = (latencies.get(row.id)?.get(subject.label) ?? []).map(({ p99Ms }) => p99Ms)
    compared.push({
      row,
      median: figure,
      p99Ms: p99s.length === 0 ? undefined : median(p99s),
      parts: medians(parts.get(row.id)?.get(subject.label) ?? []),
      verdict: row.most === undefined || Number.isNaN(figure) ? undefined : verdict(figure, row.most),
      comparisons: references.map((reference) =>
        compareWith(row, own, byLabel?.get(reference.label) ?? [], floor(byLabel, references), subject, reference),
      ),
    })
  }
  return compared
}

/** The figures of the bare server, where it is one of those compared. */
function floor(
  byLabel: ReadonlyMap<string, readonly number[]> | undefined,
  references: readonly Contender[],
): readonly number[] {
  const bare = references.find(({ kind }) => kind.name === 'bare')
  return (bare === undefined ? undefined : byLabel?.get(bare.label)) ?? []
}

function compareWith(
  row: Row,
  own: readonly number[],
  theirs: readonly number[],
  bare: readonly number[],
  subject: Contender,
  reference: Contender,
): Comparison {
  const ratios = pairRatios(own, theirs)
  const ratio = median(ratios)
  // What cannot be measured is not a failure.
  const gate = costIsKnown(subject.kind) ? row.against[reference.kind.name] : undefined
  return {
    label: reference.label,
    median: median(measured(theirs)),
    ratio,
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
    gate,
    verdict: gate === undefined || Number.isNaN(ratio) ? undefined : verdictWithLimit(ratio, gate, bare, theirs),
  }
}

/** Against the bare server itself nothing is out of reach: its ratio to itself is 1, and no gate is below that. */
function verdictWithLimit(ratio: number, gate: Gate, bare: readonly number[], theirs: readonly number[]) {
  const word = verdict(ratio, gate)
  return word === 'OVER' && median(pairRatios(bare, theirs)) > gate.gate ? 'limit' : word
}

function medians(runs: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(runs[0] ?? {})
  if (names.length < 2) return {}
  return Object.fromEntries(names.map((name) => [name, median(runs.map((parts) => parts[name] ?? NaN))]))
}

function measured(values: readonly number[]): number[] {
  return values.filter((value) => !Number.isNaN(value))
}
