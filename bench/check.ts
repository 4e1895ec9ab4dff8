/**
 * The decision of `--check`: whether the quick subset has become dearer than its gates allow. One bad median on a busy machine is
 * noise; the same row above its gate by more than the band in two attempts, one after the other, is not.
 */
import type { ComparedRow } from './report/comparison.js'
import type { Scenario } from './scenario.js'

/** Without an attempt of so many pairs the median says nothing. */
export const checkPairs = 5

export interface Attempt {
  readonly compared: readonly ComparedRow[]
  /** Messages that were not right, and runs that did not end. */
  readonly failures: readonly string[]
}

export interface CheckResult {
  readonly isGood: boolean
  /** What to print. */
  readonly lines: readonly string[]
}

/** Measures these scenarios once, all pairs. */
export type Measure = (scenarios: readonly Scenario[]) => Promise<Attempt>

/**
 * Measures, and what is over its gate once more. A message that was not right fails at once: that is never noise. A row that was not
 * measured, although it has a gate, fails as well.
 */
export async function check(scenarios: readonly Scenario[], measure: Measure): Promise<CheckResult> {
  const first = await measure(scenarios)
  const wrong = problems(first)
  if (wrong.length > 0) return bad(wrong)
  const suspected = overGate(first)
  if (suspected.size === 0) return { isGood: true, lines: ['No row is over its gate.'] }
  const again = scenarios.filter(({ rows }) => rows.some((row) => suspected.has(row)))
  const second = await measure(again)
  const wrongThen = problems(second)
  if (wrongThen.length > 0) return bad(wrongThen)
  const stillOver = new Map([...overGate(second)].filter(([row]) => suspected.has(row)))
  if (stillOver.size === 0) {
    return { isGood: true, lines: [`Over the gate once and not again: ${[...suspected.keys()].join(', ')}.`] }
  }
  const dear = again.filter(({ rows }) => rows.some((row) => stillOver.has(row)))
  return bad([
    ...[...stillOver].map(([row, text]) => `${row}: ${suspected.get(row) ?? ''}, then ${text}`),
    ...dear.map(({ name }) => `What it does with its time: ${profileCommand(name)}`),
  ])
}

export function profileCommand(scenario: string): string {
  return `npm run bench -- ${scenario} --profile --runs 1 --vs none`
}

function bad(lines: readonly string[]): CheckResult {
  return { isGood: false, lines }
}

/** Row → its ratio in words, of those over a gate by more than the band. */
function overGate({ compared }: Attempt): Map<string, string> {
  const over = new Map<string, string>()
  for (const { row, comparisons } of compared) {
    for (const { label, ratio, gate, verdict } of comparisons) {
      if (gate === undefined || verdict !== 'OVER') continue
      over.set(row.id, `${ratio.toFixed(2)} × ${label} with a gate of ${gate.gate.toFixed(2)}`)
    }
  }
  return over
}

function problems({ compared, failures }: Attempt): readonly string[] {
  if (failures.length > 0) return failures
  if (compared.length === 0) return ['nothing was measured']
  return compared.flatMap(({ row, comparisons }) =>
    comparisons
      .filter(({ gate, verdict }) => gate !== undefined && verdict === undefined)
      .map(({ label }) => `${row.id}: no ratio to ${label}`),
  )
}
