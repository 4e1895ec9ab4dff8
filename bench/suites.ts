/** Scenarios that make one table, and whom they compare unless the command line says otherwise. */
import { rows } from './gates.js'
import type { Scenario } from './scenario.js'
import { clusterScenarios, nodeScenarios } from './scenarios/all.js'
import { workersScenarios } from './scenarios/workers.js'

export interface Suite {
  /** Names its table in README.md. */
  readonly name: 'node' | 'cluster' | 'workers'
  readonly server: string
  readonly references: readonly string[]
  readonly scenarios: readonly Scenario[]
}

export const suites: readonly Suite[] = [
  { name: 'node', server: 'belfry', references: ['bare'], scenarios: nodeScenarios },
  { name: 'cluster', server: 'belfry-cluster', references: ['belfry'], scenarios: clusterScenarios },
  { name: 'workers', server: 'belfry-workers', references: ['belfry'], scenarios: workersScenarios },
]

/**
 * All without a word; else those with one of the words in their name or a row's. A word that is the name of a suite means all of that,
 * and one that is the name of a scenario, of whichever suite, that alone.
 */
export function scenariosMeant({ name: suite, scenarios }: Suite, words: readonly string[]): readonly Scenario[] {
  if (words.length === 0) return scenarios
  const suiteNames = new Set<string>(suites.map(({ name }) => name))
  const names = new Set(suites.flatMap((one) => one.scenarios.map(({ name }) => name)))
  const means = (word: string, { name, rows }: Scenario) => {
    if (suiteNames.has(word)) return word === suite
    return names.has(word) ? word === name : [name, ...rows].some((text) => text.includes(word))
  }
  return scenarios.filter((scenario) => words.some((word) => means(word, scenario)))
}

/** Whether a gate asks something of one of its rows. */
export function isJudged({ rows: measured }: Scenario): boolean {
  return rows.some(({ id, against, most }) => {
    return measured.includes(id) && (most !== undefined || Object.keys(against).length > 0)
  })
}
