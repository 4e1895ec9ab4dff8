import type { Clock } from '../base/clock.js'
import { shuffled } from '../base/random.js'
import { errors } from '../protocol/errors.js'
import type { Hub } from './hub.js'
import type { Connection } from './local-state.js'

/** How often some connections are closed while draining. */
const stepMs = 50

/**
 * Closes every connection with 4200, spread evenly and in random order over the period, because clients come back at once and
 * without jitter of their own. Connections in presence channels go last: their members are away for the shortest time.
 */
export async function closeAllPaced(hub: Hub, clock: Clock, periodMs: number): Promise<void> {
  const waiting = closingOrder(hub)
  const startedAtMs = clock.monotonicMs()
  const total = waiting.length
  // Twice the even share: a loop that was held up catches up without a burst.
  const stepMax = periodMs === 0 ? total : Math.ceil((2 * total * stepMs) / periodMs)
  let closed = 0
  while (closed < total) {
    const elapsedMs = clock.monotonicMs() - startedAtMs
    const due = Math.min(total, closed + stepMax, Math.ceil((total * (elapsedMs + stepMs)) / Math.max(1, periodMs)))
    for (; closed < due; closed += 1) waiting[closed]?.end(errors.reconnect())
    if (closed < total) await sleep(clock, stepMs)
  }
}

/** Closes what is open now, at once: connections that slipped in while others were being closed. */
export function closeAllNow(hub: Hub): void {
  for (const connection of closingOrder(hub)) connection.end(errors.reconnect())
}

function closingOrder(hub: Hub): Connection[] {
  const others: Connection[] = []
  const members: Connection[] = []
  for (const local of hub.apps.values()) {
    for (const connection of local.connections.values()) (isMember(connection) ? members : others).push(connection)
  }
  return [...shuffled(others), ...shuffled(members)]
}

function isMember(connection: Connection): boolean {
  for (const subscription of connection.subscriptions?.values() ?? []) {
    if (subscription.channel.traits.presence) return true
  }
  return false
}

function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve)
  })
}
