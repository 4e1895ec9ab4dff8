import type { Clock } from '../base/clock.js'
import { shuffled } from '../base/random.js'
import { errors, type ProtocolError } from '../protocol/errors.js'
import type { Hub } from './hub.js'
import type { Connection } from './local-state.js'

/** How often some connections are closed while draining. */
const stepMs = 50

export interface Drain {
  /** Over so long the closes are spread. */
  readonly periodMs: number
  /**
   * `at-once`: 4200. `after-a-second`: 4100, for a node without another one. pusher-js, refused when it comes back at once, tries
   * again only after 15 s; after 4100 it waits for a second, in which the node starts again.
   */
  readonly reconnect: 'at-once' | 'after-a-second'
}

/**
 * Closes every connection, spread evenly and in random order over the period, because clients come back without
 * jitter of their own. Connections in presence channels go last: their members are away for the shortest time.
 */
export async function closeAllPaced(hub: Hub, clock: Clock, { periodMs, reconnect }: Drain): Promise<void> {
  const error = errorOf(reconnect)
  const waiting = closingOrder(hub)
  const startedAtMs = clock.monotonicMs()
  const total = waiting.length
  // Twice the even share: a loop that was held up catches up without a burst.
  const stepMax = periodMs === 0 ? total : Math.ceil((2 * total * stepMs) / periodMs)
  let closed = 0
  while (closed < total) {
    const elapsedMs = clock.monotonicMs() - startedAtMs
    const due = Math.min(total, closed + stepMax, Math.ceil((total * (elapsedMs + stepMs)) / Math.max(1, periodMs)))
    for (; closed < due; closed += 1) waiting[closed]?.handOver(error)
    if (closed < total) await sleep(clock, stepMs)
  }
}

/** Closes what is open now, at once: connections that slipped in while others were being closed. */
export function closeAllNow(hub: Hub, { reconnect }: Drain): void {
  const error = errorOf(reconnect)
  for (const connection of closingOrder(hub)) connection.handOver(error)
}

function errorOf(reconnect: Drain['reconnect']): ProtocolError {
  return reconnect === 'at-once' ? errors.reconnect() : errors.restarting()
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
