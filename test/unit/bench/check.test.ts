import { describe, expect, it } from 'vitest'
import { check, profileCommand } from '../../../bench/check.js'
import type { Attempt } from '../../../bench/check.js'
import { rows } from '../../../bench/gates.js'
import { compare } from '../../../bench/report/comparison.js'
import type { Results } from '../../../bench/runner.js'
import type { Scenario } from '../../../bench/scenario.js'
import { bare } from '../../../bench/servers/bare.js'
import { belfry } from '../../../bench/servers/belfry.js'

const contenders = [
  { label: 'belfry', kind: belfry },
  { label: 'bare', kind: bare },
]

const scenario = (name: string, ...ids: string[]): Scenario => ({
  name,
  rows: ids.length > 0 ? ids : [name],
  quick: true,
  run: () => Promise.resolve([]),
})
const scenarios = [scenario('trigger-one'), scenario('presence', 'presence-join', 'presence-leave')]

/** Row → the ratios of its pairs. Every reference costs 10. */
type Ratios = Readonly<Record<string, readonly number[]>>

const fine: Ratios = { 'trigger-one': [1], 'presence-join': [1], 'presence-leave': [1] }

function attemptOf(ratios: Ratios, failures: readonly string[] = []): Attempt {
  const values: Results['values'] = new Map()
  for (const [row, list] of Object.entries(ratios)) {
    values.set(
      row,
      new Map([
        ['belfry', list.map((ratio) => 10 * ratio)],
        ['bare', list.map(() => 10)],
      ]),
    )
  }
  const results: Results = { values, latencies: new Map(), parts: new Map(), failures: [], profiles: new Map() }
  return { compared: compare(results, contenders), failures }
}

/** What is measured instead, attempt by attempt, and what was asked for each time. */
function runner(...attempts: readonly Attempt[]) {
  const asked: string[][] = []
  const measure = (meant: readonly Scenario[]) => {
    const attempt = attempts[asked.length]
    asked.push(meant.map(({ name }) => name))
    return attempt === undefined ? Promise.reject(new Error('one attempt too many')) : Promise.resolve(attempt)
  }
  return { asked, measure }
}

/** Of trigger-one against bare. */
const gate = 1.6

describe('the check of the quick subset', () => {
  it('measures once when no row is over its gate', async () => {
    const { asked, measure } = runner(attemptOf(fine))
    expect(await check(scenarios, measure)).toMatchObject({ isGood: true })
    expect(asked).toEqual([['trigger-one', 'presence']])
  })

  it('knows the gate of the row it is tested with', () => {
    expect(rows.find(({ id }) => id === 'trigger-one')?.against['bare']).toEqual({ gate, goal: 1.3 })
  })

  it('takes a median within 10 % above the gate for noise', async () => {
    const { asked, measure } = runner(attemptOf({ ...fine, 'trigger-one': [1.09 * gate] }))
    expect(await check(scenarios, measure)).toMatchObject({ isGood: true })
    expect(asked).toHaveLength(1)
  })

  it('goes by the median of the pairs, not by single ones', async () => {
    const { asked, measure } = runner(attemptOf({ ...fine, 'trigger-one': [9, 1, 9, 1, 1] }))
    expect(await check(scenarios, measure)).toMatchObject({ isGood: true })
    expect(asked).toHaveLength(1)
  })

  it('measures what is over once more, and nothing else, and lets it pass when it is not over again', async () => {
    const { asked, measure } = runner(attemptOf({ ...fine, 'trigger-one': [2] }), attemptOf({ 'trigger-one': [1.7] }))
    const { isGood, lines } = await check(scenarios, measure)
    expect(isGood).toBe(true)
    expect(lines.join()).toContain('trigger-one')
    expect(asked).toEqual([['trigger-one', 'presence'], ['trigger-one']])
  })

  it('fails when the same row is over twice, with the ratios and the command that profiles it', async () => {
    const { asked, measure } = runner(attemptOf({ ...fine, 'trigger-one': [2] }), attemptOf({ 'trigger-one': [1.9] }))
    const { isGood, lines } = await check(scenarios, measure)
    expect(isGood).toBe(false)
    expect(lines[0]).toBe('trigger-one: 2.00 × bare with a gate of 1.60, then 1.90 × bare with a gate of 1.60')
    expect(lines[1]).toContain('npm run bench -- trigger-one --profile')
    expect(asked).toHaveLength(2)
  })

  it('fails for one of several rows alone, and profiles by the name of the scenario', async () => {
    const dear = { ...fine, 'presence-leave': [2] }
    const { measure } = runner(attemptOf(dear), attemptOf({ 'presence-join': [1], 'presence-leave': [2] }))
    const { isGood, lines } = await check(scenarios, measure)
    expect(isGood).toBe(false)
    expect(lines).toHaveLength(2)
    expect(lines[1]).toContain(profileCommand('presence'))
  })

  it('does not fail when another row is over in the second attempt than in the first', async () => {
    const { measure } = runner(
      attemptOf({ ...fine, 'presence-join': [2] }),
      attemptOf({ 'presence-join': [1], 'presence-leave': [2] }),
    )
    expect(await check(scenarios, measure)).toMatchObject({ isGood: true })
  })

  it('fails at once when a message was not right', async () => {
    const { asked, measure } = runner(attemptOf(fine, ['trigger-one, belfry, run 1: lost 1']))
    expect(await check(scenarios, measure)).toEqual({ isGood: false, lines: ['trigger-one, belfry, run 1: lost 1'] })
    expect(asked).toHaveLength(1)
  })

  it('fails when a message was not right in the second attempt', async () => {
    const { measure } = runner(
      attemptOf({ ...fine, 'trigger-one': [2] }),
      attemptOf({ 'trigger-one': [1] }, ['lost 1']),
    )
    expect(await check(scenarios, measure)).toEqual({ isGood: false, lines: ['lost 1'] })
  })

  it('does not take a row without a ratio, or nothing at all, for a good one', async () => {
    const gone = runner(attemptOf({ ...fine, 'trigger-one': [] }))
    expect(await check(scenarios, gone.measure)).toEqual({ isGood: false, lines: ['trigger-one: no ratio to bare'] })
    const nothing = runner(attemptOf({}))
    expect(await check(scenarios, nothing.measure)).toMatchObject({ isGood: false })
  })
})
