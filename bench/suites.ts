/** Scenarios that make one table, and whom they compare unless the command line says otherwise. */
import type { Scenario } from './scenario.js'
import { clusterScenarios, nodeScenarios } from './scenarios/all.js'

export interface Suite {
  /** Names its table in README.md. */
  readonly name: 'node' | 'cluster'
  readonly server: string
  readonly references: readonly string[]
  readonly scenarios: readonly Scenario[]
}

export const suites: readonly Suite[] = [
  { name: 'node', server: 'belfry', references: ['bare'], scenarios: nodeScenarios },
  { name: 'cluster', server: 'belfry-cluster', references: ['belfry'], scenarios: clusterScenarios },
]
