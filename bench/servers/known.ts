import { bare } from './bare.js'
import { belfry } from './belfry.js'
import { belfryCluster } from './belfry-cluster.js'
import { belfryWorkers } from './belfry-workers.js'
import { byUrlName, serverByUrl } from './by-url.js'
import type { ByUrl } from './by-url.js'
import type { ServerKind } from './server.js'
import { soketiCluster } from './soketi-cluster.js'
import { soketi } from './soketi.js'

const known: readonly ServerKind[] = [belfry, belfryCluster, belfryWorkers, bare, soketi, soketiCluster]

/** What `--server` and `--vs` understand. */
export const serverNames: readonly string[] = [...known.map(({ name }) => name), byUrlName]

/** @throws Error naming the known ones */
export function serverByName(name: string, byUrl?: ByUrl): ServerKind {
  if (name === byUrlName) {
    if (byUrl === undefined) throw new Error(`the server "${byUrlName}" needs --url ws://HOST:PORT`)
    return serverByUrl(byUrl)
  }
  const kind = known.find((server) => server.name === name)
  if (kind === undefined) throw new Error(`unknown server "${name}"; known: ${serverNames.join(', ')}`)
  return kind
}

/** What a name means where several nodes are compared. */
export function clusterFormOf(name: string): string {
  return name === soketi.name ? soketiCluster.name : name
}
