/**
 * What webhooks must have told of who was where, computed from when clients came and went: nothing is asked of the servers.
 *
 *     const truth = new WebhookTruth(3000)
 *     const stay = truth.came(channel, user, sentMs, answeredMs)
 *     truth.left(stay, sentMs, sentMs + 500)                  // when at the earliest and the latest
 *     truth.faults(told)                                      // empty when what was told is what happened
 *
 * A transition that happened beyond doubt must be there, once; one that was cancelled by its opposite within the delay must not;
 * where the times leave both open (the members of a killed node) both are right, as long as what is told is consistent.
 */
import type { ReceivedEvent } from '../harness/webhook-receiver.js'

const faultsMax = 5

/** One connection in one channel. Times by Date.now(): between the two of a pair it came, or left. */
export interface Stay {
  readonly channel: string
  readonly user: string
  readonly cameMs: Span
  leftMs: Span | undefined
}

interface Span {
  readonly from: number
  readonly to: number
}

/** How often something began, at least and at most, and whether it lasts. */
interface Wanted {
  least: number
  most: number
  lasts: boolean
}

export class WebhookTruth {
  readonly stays: Stay[] = []
  readonly #delayMs: number
  readonly #slackMs: number
  readonly #byName = new Map<string, Stay[]>()

  /** @param slackMs what clocks and a busy machine may add to, or take from, the delay */
  constructor(delayMs: number, slackMs = 800) {
    this.#delayMs = delayMs
    this.#slackMs = slackMs
  }

  came(channel: string, user: string, from: number, to: number): Stay {
    const stay: Stay = { channel, user, cameMs: { from, to }, leftMs: undefined }
    this.stays.push(stay)
    for (const name of [channel, memberName(channel, user)]) {
      const list = this.#byName.get(name)
      if (list === undefined) this.#byName.set(name, [stay])
      else list.push(stay)
    }
    return stay
  }

  left(stay: Stay, from: number, to: number): void {
    stay.leftMs = { from, to }
  }

  /**
   * Whether somebody who comes now comes back so close to the delay that nobody can say whether both are told. A scenario that
   * avoids it can judge more.
   */
  isDoubtful(channel: string, user: string, nowMs: number): boolean {
    return [channel, memberName(channel, user)].some((name) => {
      const stays = this.#byName.get(name) ?? []
      if (stays.some(({ leftMs }) => leftMs === undefined)) return false
      const last = Math.max(0, ...stays.map(({ leftMs }) => leftMs?.to ?? 0))
      const first = Math.max(0, ...stays.map(({ leftMs }) => leftMs?.from ?? 0))
      const near = (ms: number) => Math.abs(ms - this.#delayMs) < 2 * this.#slackMs
      return stays.length > 0 && (near(nowMs - first) || near(nowMs - last) || (nowMs > first && nowMs < last))
    })
  }

  /** Transitions told beyond doubt, and those that may be or not. */
  counts(): { least: number; most: number } {
    const sum = { least: 0, most: 0 }
    for (const stays of this.#byName.values()) {
      const { least, most, lasts } = this.#wanted(stays)
      sum.least += 2 * least - (lasts ? 1 : 0)
      sum.most += 2 * most - (lasts ? 1 : 0)
    }
    return sum
  }

  /** Whether what was told so far ends in what is the case, for every channel and member. */
  isNetState(told: readonly ReceivedEvent[]): boolean {
    const net = new Map<string, boolean>()
    for (const event of told) net.set(nameOf(event), isBegin(event))
    for (const [name, lasts] of net) if (lasts && !this.#byName.has(name)) return false
    return [...this.#byName].every(([name, stays]) => (net.get(name) ?? false) === this.#wanted(stays).lasts)
  }

  /** What contradicts the truth, in words. @param told distinct events in the order in which they were first accepted */
  faults(told: readonly ReceivedEvent[]): string[] {
    const faults: string[] = []
    const histories = new Map<string, ReceivedEvent[]>()
    for (const event of told) histories.set(nameOf(event), [...(histories.get(nameOf(event)) ?? []), event])
    for (const name of histories.keys()) if (!this.#byName.has(name)) faults.push(`${name}: nobody was there`)
    for (const [name, stays] of this.#byName) {
      const history = histories.get(name) ?? []
      const fault = faultOf(history, this.#wanted(stays))
      if (fault !== undefined) faults.push(`${name}: ${fault}; told ${textOf(history)}; true ${staysText(stays)}`)
    }
    return faults
  }

  #wanted(stays: readonly Stay[]): Wanted {
    const lasts = stays.some(({ leftMs }) => leftMs === undefined)
    const possible = merged(stays.map(({ cameMs, leftMs }) => ({ from: cameMs.from, to: leftMs?.to ?? Infinity })))
    const sure = merged(stays.map(({ cameMs, leftMs }) => ({ from: cameMs.to, to: leftMs?.from ?? Infinity })))
    const least = 1 + gaps(possible).filter((ms) => ms >= this.#delayMs + this.#slackMs).length
    const most = 1 + gaps(sure).filter((ms) => ms >= this.#delayMs - this.#slackMs).length
    return { least, most: Math.max(least, most), lasts }
  }
}

export function firstFaults(faults: readonly string[]): readonly string[] {
  return faults.slice(0, faultsMax)
}

export function memberName(channel: string, user: string): string {
  return `${channel} ${user}`
}

/** What of a channel an event is about: its being occupied, or one member. */
export function nameOf({ channel, user_id: user }: ReceivedEvent): string {
  return user === undefined ? channel : memberName(channel, user)
}

export function isBegin({ name }: ReceivedEvent): boolean {
  return name === 'channel_occupied' || name === 'member_added'
}

function faultOf(history: readonly ReceivedEvent[], { least, most, lasts }: Wanted): string | undefined {
  const wrongTurn = history.findIndex((event, index) => isBegin(event) !== (index % 2 === 0))
  if (wrongTurn >= 0) return `number ${wrongTurn + 1} cannot follow the one before`
  const begins = Math.ceil(history.length / 2)
  if (begins < least) return `began ${begins} times, at least ${least} expected`
  if (begins > most) return `began ${begins} times, at most ${most} expected`
  return (history.length % 2 === 1) === lasts ? undefined : `should ${lasts ? 'last' : 'have ended'}`
}

/** In order, those that overlap or touch put together. */
function merged(spans: readonly Span[]): Span[] {
  const list: Span[] = []
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = list.at(-1)
    if (last === undefined || span.from > last.to) list.push(span)
    else list[list.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
  }
  return list
}

function gaps(spans: readonly Span[]): number[] {
  return spans.slice(1).map((span, index) => span.from - (spans[index]?.to ?? span.from))
}

function textOf(history: readonly ReceivedEvent[]): string {
  return history.length === 0 ? 'nothing' : history.map(({ name, id }) => `${name} ${id}`).join(', ')
}

function staysText(stays: readonly Stay[]): string {
  return stays
    .map(({ cameMs, leftMs }) => `${cameMs.from}-${leftMs === undefined ? 'now' : `${leftMs.from}..${leftMs.to}`}`)
    .join(', ')
}
