import { describe, expect, it } from 'vitest'
import { rows, verdict } from '../../../bench/gates.js'
import { clusterScenarios, nodeScenarios } from '../../../bench/scenarios/all.js'
import { workersScenarios } from '../../../bench/scenarios/workers.js'
import { isJudged, scenariosMeant, suites } from '../../../bench/suites.js'

describe('the verdict on a ratio', () => {
  const gate = { gate: 2, goal: 1.5 }

  it.each([
    [0.5, 'goal'],
    [1.5, 'goal'],
    [1.51, 'in gate'],
    [1.79, 'in gate'],
    [1.81, 'at the gate'],
    [2, 'at the gate'],
    [2.19, 'at the gate'],
    [2.21, 'OVER'],
    [Infinity, 'OVER'],
  ])('of %d is "%s" where the gate is 2 and the goal 1.5', (ratio, word) => {
    expect(verdict(ratio, gate)).toBe(word)
  })

  it('never calls a ratio that reaches the goal "at the gate"', () => {
    expect(verdict(1.15, { gate: 1.2, goal: 1.15 })).toBe('goal')
  })
})

const scenarios = [...nodeScenarios, ...clusterScenarios, ...workersScenarios]

describe('the rows', () => {
  it('are each measured by one scenario, and no scenario has a row that is not there', () => {
    const measured = scenarios.flatMap(({ rows: own }) => own)
    expect(measured.toSorted()).toEqual(rows.map(({ id }) => id).toSorted())
    expect(new Set(measured).size).toBe(measured.length)
  })

  it('have a goal that is not above the gate', () => {
    for (const { id, against, most } of rows) {
      for (const { gate, goal } of [...Object.values(against), ...(most === undefined ? [] : [most])]) {
        expect(goal, id).toBeLessThanOrEqual(gate)
      }
    }
  })

  it('of the quick subset have a gate against the bare server', () => {
    const quick = nodeScenarios.filter((one) => one.quick).flatMap(({ rows: own }) => own)
    expect(quick.length).toBeGreaterThan(0)
    for (const id of quick) expect(rows.find((row) => row.id === id)?.against['bare'], id).toBeDefined()
  })

  it.each([
    ['fanout-100B', { bare: { gate: 1.25, goal: 1.1 }, soketi: { gate: 0.6, goal: 0.5 } }],
    ['read-list', { bare: { gate: 2, goal: 1.5 } }],
    ['presence-1000-join', {}],
    ['cluster-trigger-apart', { belfry: { gate: 4, goal: 3 }, 'soketi-cluster': { gate: 0.45, goal: 0.3 } }],
  ])('ask of %s what was decided', (id, against) => {
    expect(rows.find((row) => row.id === id)?.against).toEqual(against)
  })
})

describe('the scenarios of which a gate asks something', () => {
  const judged = scenarios.filter(isJudged).map(({ name }) => name)

  it('measure a row with a gate, against whomever, or of the figure itself', () => {
    expect(judged).toEqual(expect.arrayContaining(['fanout-100B', 'idle', 'cluster-list', 'webhook-transition']))
  })

  it('are not those that are only shown', () => {
    for (const shown of ['fanout-5000-100B', 'hold', 'cluster-members', 'workers-accept']) {
      expect(judged).not.toContain(shown)
    }
  })
})

describe('the scenarios that words mean', () => {
  const namedIn = (suite: string, ...words: string[]) => {
    const meant = suites.find(({ name }) => name === suite)
    return meant === undefined ? [] : scenariosMeant(meant, words).map(({ name }) => name)
  }
  const named = (...words: string[]) => namedIn('node', ...words)

  it('are all without a word, and those that have it in their name or a row', () => {
    expect(named()).toHaveLength(nodeScenarios.length)
    expect(named('fanout-5000')).toEqual([
      'fanout-5000-100B',
      'fanout-5000-100B-16',
      'fanout-5000-1KB',
      'fanout-5000-1KB-16',
    ])
    expect(named('start-rss')).toEqual(['idle'])
  })

  it('are one alone where the word is its name', () => {
    expect(named('fanout-100B')).toEqual(['fanout-100B'])
    expect(named('presence')).toEqual(['presence'])
    expect(namedIn('workers', 'presence')).toEqual([])
    expect(namedIn('workers', 'presence', 'workers-presence')).toEqual(['workers-presence'])
  })

  it('are those of one suite where the word is its name', () => {
    expect(named('node')).toHaveLength(nodeScenarios.length)
    expect(namedIn('cluster', 'node')).toEqual([])
    expect(namedIn('cluster', 'cluster')).toHaveLength(clusterScenarios.length)
    expect(namedIn('workers', 'workers')).toHaveLength(workersScenarios.length)
  })

  it('are none where nothing is called so', () => {
    expect(named('nothing')).toEqual([])
  })
})
