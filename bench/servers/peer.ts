/** A server of others that is compared: what the ones built here do not need said of them. */
import type { Contender } from '../runner.js'
import type { Scenario } from '../scenario.js'
import type { ServerKind } from './server.js'

export interface Peer extends ServerKind {
  /** Fetches it, if that has not been done. @throws Error in one sentence when that fails */
  install(): Promise<void>
  /** False where its processes cannot be seen: only messages and latencies are looked at. */
  readonly costIsKnown: boolean
  /** Why this scenario means nothing there, in words; undefined: it is run. */
  lacks(scenario: Scenario): string | undefined
}

/** Makes a server ready to be started. @throws Error in one sentence when it cannot be fetched, or is not built */
export async function prepare(kind: ServerKind): Promise<void> {
  if (isPeer(kind)) await kind.install()
  kind.version()
}

export function costIsKnown(kind: ServerKind): boolean {
  return !isPeer(kind) || kind.costIsKnown
}

/** Why a scenario is not run against a server; undefined: it is run. */
export function leftOut(kind: ServerKind, scenario: Scenario): string | undefined {
  if (isPeer(kind)) {
    const reason = kind.lacks(scenario)
    if (reason !== undefined) return reason
  }
  if (scenario.needsRedis === true && !kind.usesRedis) return 'it has no Redis to look into'
  if (scenario.needsWebhooks === true && !kind.sendsWebhooks) return 'it sends no webhooks'
  return undefined
}

/** In words, a line for each server and reason: `left out, SERVER: SCENARIOS: REASON`. */
export function leftOutLines(scenarios: readonly Scenario[], contenders: readonly Contender[]): string[] {
  const names = new Map<string, { readonly label: string; readonly reason: string; readonly scenarios: string[] }>()
  for (const { label, kind } of contenders) {
    for (const scenario of scenarios) {
      const reason = leftOut(kind, scenario)
      if (reason === undefined) continue
      const key = `${label} ${reason}`
      const known = names.get(key) ?? { label, reason, scenarios: [] }
      names.set(key, known)
      known.scenarios.push(scenario.name)
    }
  }
  return [...names.values()].map((one) => `left out, ${one.label}: ${one.scenarios.join(', ')}: ${one.reason}`)
}

function isPeer(kind: ServerKind): kind is Peer {
  return 'install' in kind && 'lacks' in kind
}
