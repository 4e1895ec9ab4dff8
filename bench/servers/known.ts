import { bare } from './bare.js'
import { belfry } from './belfry.js'
import { belfryCluster } from './belfry-cluster.js'
import type { ServerKind } from './server.js'

const known: readonly ServerKind[] = [belfry, belfryCluster, bare]

/** @throws Error naming the known ones */
export function serverByName(name: string): ServerKind {
  const kind = known.find((server) => server.name === name)
  if (kind === undefined) throw new Error(`unknown server "${name}"; known: ${known.map((s) => s.name).join(', ')}`)
  return kind
}
