import { expect } from 'vitest'
import type { ProxyKind } from './proxy.js'
import type { Edit } from './snippet.js'
import { Stage, type Check } from './stage.js'

/** An important line of a snippet: without it, or with another in its place, this check fails in this way. */
export interface Line {
  readonly edit: Edit
  readonly check: Check
  readonly symptom: RegExp
}

/** Of these lines, those to try: all with BELFRY_TEST_LINES=1, else none. That a line is needed does not change from day to day. */
export function tried(lines: readonly Line[]): readonly Line[] {
  return process.env['BELFRY_TEST_LINES'] === undefined ? [] : lines
}

export function lineTitle({ edit, check }: Line): string {
  return edit.becomes === ''
    ? `${check.name} without ${edit.line}`
    : `${check.name} with ${edit.becomes.split('\n', 1).join('').trim()}`
}

/** Plays the check on the changed snippet; it must fail, and not because the proxy does not start. */
export async function expectFailure(kind: ProxyKind, { edit, check, symptom }: Line): Promise<void> {
  const stage = new Stage(kind, [edit])
  const failure = await stage.play(check).then(
    () => 'nothing failed',
    (error: unknown) => String(error),
  )
  expect(stage.hasProxy, failure).toBe(true)
  expect(failure).toMatch(symptom)
}
