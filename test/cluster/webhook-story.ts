/** What may be asked of the attempts a webhook receiver saw, whatever happened. */
import type { Attempt, ReceivedEvent } from '../harness/webhook-receiver.js'

/** Distinct events, each where it was accepted for the first time, in that order. */
export function acceptedFirst(attempts: readonly Attempt[]): ReceivedEvent[] {
  const byId = new Map<string, ReceivedEvent>()
  for (const { status, events } of attempts) {
    if (status === 200) for (const event of events) if (!byId.has(event.id)) byId.set(event.id, event)
  }
  return [...byId.values()]
}

/** Attempts at events, beyond the first of each. */
export function repeats(attempts: readonly Attempt[]): number {
  const ids = new Set<string>()
  let count = 0
  for (const { events } of attempts) {
    count += events.length
    for (const { id } of events) ids.add(id)
  }
  return count - ids.size
}

/** Of events that were accepted more than once: when for the first time. */
export function acceptedAgain(attempts: readonly Attempt[]): number[] {
  const firstMs = new Map<string, number>()
  const again: number[] = []
  for (const { status, atMs, events } of attempts) {
    if (status !== 200) continue
    for (const { id } of events) {
      const known = firstMs.get(id)
      if (known === undefined) firstMs.set(id, atMs)
      else again.push(known)
    }
  }
  return again
}

/** Ids that stood for two different events. */
export function idsOfTwoEvents(attempts: readonly Attempt[]): string[] {
  const texts = new Map<string, string>()
  const wrong = new Set<string>()
  for (const event of attempts.flatMap(({ events }) => events)) {
    const text = `${event.name} ${event.channel} ${event.user_id ?? ''}`
    if ((texts.get(event.id) ?? text) !== text) wrong.add(event.id)
    texts.set(event.id, text)
  }
  return [...wrong]
}

/**
 * How old the oldest event was in an attempt that was not its first, in ms; 0 when nothing was repeated. An end (channel_vacated,
 * member_removed) counts from when its delay was over.
 */
export function oldestRepeatMs(attempts: readonly Attempt[], delayMs: number): number {
  const seen = new Set<string>()
  let oldest = 0
  for (const { atMs, events } of attempts) {
    for (const event of events) {
      if (seen.has(event.id)) oldest = Math.max(oldest, atMs - dueMs(event, delayMs))
      seen.add(event.id)
    }
  }
  return oldest
}

/** Attempts at events that were older than that and not tried for the first time: ids, and when. Ages as in oldestRepeatMs(). */
export function lateRepeats(
  attempts: readonly Attempt[],
  olderThanMs: number,
  delayMs: number,
): { id: string; atMs: number }[] {
  const seen = new Set<string>()
  const late: { id: string; atMs: number }[] = []
  for (const { atMs, events } of attempts) {
    for (const event of events) {
      if (seen.has(event.id) && atMs - dueMs(event, delayMs) > olderThanMs) late.push({ id: event.id, atMs })
      seen.add(event.id)
    }
  }
  return late
}

/** Where the id of a transition, `PARTITION-MS-NUMBER`, stands in its partition. @throws Error when it is none */
export function placeOf(id: string): { partition: number; ms: number; number: number } {
  const match = /^(\d+)-(\d+)-(\d+)$/.exec(id)
  if (match === null) throw new Error(`no id of a transition: ${id}`)
  const [partition = 0, ms = 0, number = 0] = match.slice(1).map(Number)
  return { partition, ms, number }
}

/**
 * Pairs of one channel that were accepted in the wrong order. A begin (channel_occupied, member_added) is told at once, an end
 * after the delay: two begins, and two ends, come as they happened; a begin before every end that happened after it; an end
 * before every begin that happened when its delay was over.
 */
export function wrongOrders(told: readonly ReceivedEvent[], delayMs: number): string[] {
  const byChannel = new Map<string, ReceivedEvent[]>()
  for (const event of told) byChannel.set(event.channel, [...(byChannel.get(event.channel) ?? []), event])
  const wrong: string[] = []
  for (const [channel, events] of byChannel) {
    for (const [index, later] of events.entries()) {
      const overtaken = events.slice(0, index).find((earlier) => mustPrecede(later, earlier, delayMs))
      if (overtaken !== undefined) {
        wrong.push(
          `${channel}: ${later.name} ${later.user_id ?? ''} ${later.id} after ${overtaken.name} ${overtaken.id}`,
        )
      }
    }
  }
  return wrong
}

const clockSlackMs = 1000

/** Whether the one must have been told before the other. */
function mustPrecede(one: ReceivedEvent, other: ReceivedEvent, delayMs: number): boolean {
  const [a, b] = [placeOf(one.id), placeOf(other.id)]
  const isEarlier = a.ms < b.ms || (a.ms === b.ms && a.number < b.number)
  const [endsOne, endsOther] = [isEnd(one), isEnd(other)]
  if (endsOne && !endsOther) return a.ms + delayMs + clockSlackMs < b.ms
  return isEarlier
}

function dueMs(event: ReceivedEvent, delayMs: number): number {
  return placeOf(event.id).ms + (isEnd(event) ? delayMs : 0)
}

function isEnd({ name }: ReceivedEvent): boolean {
  return name === 'channel_vacated' || name === 'member_removed'
}
