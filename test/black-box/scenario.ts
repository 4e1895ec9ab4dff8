import type { Run } from './run.js'

/** `fast` fits into the checks before a merge; `long` is the full length of the contract where `normal` is shorter. */
export type Mode = 'fast' | 'normal' | 'long'

/** One row of the numbers to hold, played against a real process. */
export interface Scenario {
  readonly id: string
  /** What happens, in a line. */
  readonly title: string
  /** Roughly how long it takes, in seconds. */
  readonly seconds: Readonly<Record<Mode, number>>
  /** Fails by a criterion that does not hold or by throwing; both end in FAILS. */
  run(run: Run): Promise<void>
}
