import { describe, expect, it } from 'vitest'
import { compare } from '../../../bench/report/comparison.js'
import type { Contender, Results } from '../../../bench/runner.js'
import { serverByName } from '../../../bench/servers/known.js'

const contender = (name: string): Contender => ({ label: name, kind: serverByName(name) })

/** Of the row "fanout-1KB": gates 1.25 against the bare server and 0.25 against soketi. */
function verdicts(values: Readonly<Record<string, readonly number[]>>) {
  const results: Results = {
    values: new Map([['fanout-1KB', new Map(Object.entries(values).map(([name, list]) => [name, [...list]]))]]),
    latencies: new Map(),
    parts: new Map(),
    failures: [],
    profiles: new Map(),
  }
  const [row] = compare(results, Object.keys(values).map(contender))
  return Object.fromEntries((row?.comparisons ?? []).map(({ label, verdict }) => [label, verdict]))
}

describe('the verdict against another server', () => {
  it('is "limit" where the bare server is over the gate too', () => {
    expect(verdicts({ belfry: [6, 6, 6], bare: [6, 6, 6], soketi: [12, 12, 12] })).toEqual({
      bare: 'goal',
      soketi: 'limit',
    })
  })

  it('is "OVER" where the bare server is not', () => {
    expect(verdicts({ belfry: [6], bare: [2], soketi: [12] })).toEqual({ bare: 'OVER', soketi: 'OVER' })
  })

  it('is "OVER" where the bare server was not measured', () => {
    expect(verdicts({ belfry: [6], soketi: [12] })).toEqual({ soketi: 'OVER' })
    expect(verdicts({ belfry: [6], bare: [NaN], soketi: [12] })).toMatchObject({ soketi: 'OVER' })
  })

  it('stays what it is at or below the gate', () => {
    expect(verdicts({ belfry: [3], bare: [4], soketi: [12] })).toMatchObject({ soketi: 'at the gate' })
    expect(verdicts({ belfry: [1], bare: [4], soketi: [12] })).toMatchObject({ soketi: 'goal' })
  })

  it('takes the pairs one by one, because the machine drifts between them', () => {
    expect(verdicts({ belfry: [6, 12, 60], bare: [6, 12, 60], soketi: [60, 120, 600] })).toEqual({
      bare: 'goal',
      soketi: 'goal',
    })
  })
})
