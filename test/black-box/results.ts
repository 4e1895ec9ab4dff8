/** What the plays of scenarios came to. */
import type { Row } from './run.js'

/** One play of a scenario, when it has ended. */
export interface Play {
  readonly rows: readonly Row[]
  /** What was thrown. */
  readonly problem: string | undefined
  /** Why it cannot run on this machine. */
  readonly skipped: string | undefined
}

/** `late`: everything is true, and some of it took too long. */
export type Outcome = 'passed' | 'late' | 'failed' | 'skipped'

export interface Result {
  readonly id: string
  /** Two when the first was late and another was allowed. */
  readonly plays: readonly Play[]
  readonly outcome: Exclude<Outcome, 'late'>
}

export function outcomeOf({ rows, problem, skipped }: Play): Outcome {
  if (problem !== undefined) return 'failed'
  if (skipped !== undefined) return 'skipped'
  const failed = failedRows(rows)
  if (failed.length === 0) return 'passed'
  return failed.every(({ timed }) => timed) ? 'late' : 'failed'
}

/**
 * Plays once, and when that was only late, and it may be played again, once more.
 *
 * @param play is told whether being late may be made good
 */
export async function playOnceOrTwice(
  id: string,
  again: boolean,
  play: (mayRepeat: boolean) => Promise<Play>,
): Promise<Result> {
  const first = await play(again)
  const outcome = outcomeOf(first)
  if (outcome !== 'late') return { id, plays: [first], outcome }
  if (!again) return { id, plays: [first], outcome: 'failed' }
  const second = await play(false)
  return { id, plays: [first, second], outcome: outcomeOf(second) === 'passed' ? 'passed' : 'failed' }
}

/** What failed, and what was late once; nothing when all was well. */
export function summary(results: readonly Result[]): string[] {
  return results.flatMap(({ id, plays, outcome }) => {
    const complaints = plays.flatMap(complaintsOf)
    if (outcome === 'passed')
      return plays.length === 1 ? [] : [`${id} was late, held when played again:`, ...complaints]
    return outcome === 'failed' ? [`${id} failed${plays.length === 1 ? '' : ', played twice'}:`, ...complaints] : []
  })
}

/** The last line of the output. */
export function countsLine(results: readonly Result[]): string {
  const count = (wanted: Outcome) => results.filter(({ outcome }) => outcome === wanted).length
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`
}

function complaintsOf({ rows, problem }: Play): string[] {
  const lines = failedRows(rows).map(
    ({ name, measured, wanted }) => `  NOT  ${name.trim()}: ${measured}, wanted ${wanted}`,
  )
  return problem === undefined ? lines : [...lines, `  ${problem.split('\n', 1)[0] ?? ''}`]
}

function failedRows(rows: readonly Row[]): Row[] {
  return rows.filter(({ holds }) => holds === false)
}
