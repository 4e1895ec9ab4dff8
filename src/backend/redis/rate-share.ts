/** What a node reports of one rate (scripts/budget-take.lua). Whole tokens. */
export interface RateReport {
  readonly perSecond: number
  /** Taken since the last report, less what is given back. */
  readonly used: number
  /** Asked for since the last report, answered with yes or no. */
  readonly offered: number
  /** Wanted in advance, all or none. */
  readonly want: number
}

/** What the shared bucket answers. */
export interface RateAnswer {
  readonly granted: number
  /** Tokens in the bucket, after the report and the grant; below 0 when the nodes owe. */
  readonly level: number
  readonly fillPerSecond: number
  /** Tokens asked for on all nodes since the bucket was made. */
  readonly offered: number
}

/** Time between two reports of a rate that is asked for. */
const reportEveryMs = 100
/** Nothing asked for so long: what others did meanwhile is unknown, and the share starts anew. */
const restMs = 500
/** Above this the shares of two answers are not averaged. */
const continuousMs = 1000
const firstReportAfterMs = 1

/**
 * One rate of an app as one node sees it (D8). The node answers from a bucket of its own, the share, and reports what it used
 * ten times a second. Each answer sets the share to the node's part of the shared bucket; the part is what was asked of this
 * node out of all that was asked lately. What was given too much is settled as debt, so that the sum is exact over time.
 * A token that is rarer than the reports is not split: the node gets whole ones in advance (`want`).
 * Without answers the share goes on as it is.
 */
export class RateShare {
  readonly key: string
  readonly partition: number
  /** When to report, monotonic ms; Infinity = nothing to report. */
  dueMs = Infinity
  /** Monotonic ms; for forgetting. */
  takenAtMs = -Infinity
  #perSecond: number
  /** Part of the shared bucket, above 0, at most 1. */
  #weight: number
  #tokens: number
  #filledAtMs: number
  /** Paid for already: whole tokens got in advance. */
  #granted = 0
  #fillPerSecond: number
  #level: number
  #answeredAtMs: number
  #reportedAtMs = -Infinity
  #offeredBefore: number | undefined
  #used = 0
  #offered = 0
  /** Of the last refused request; 0 = none since the last report. */
  #refused = 0
  #underway:
    { readonly used: number; readonly offered: number; readonly returned: number; readonly want: number } | undefined

  /** @param nodes of the cluster, as far as known */
  constructor(key: string, partition: number, perSecond: number, nodes: number, nowMs: number) {
    this.key = key
    this.partition = partition
    this.#perSecond = perSecond
    this.#fillPerSecond = perSecond
    this.#level = perSecond
    this.#weight = 1 / nodes
    this.#tokens = this.#burst()
    this.#filledAtMs = nowMs
    this.#answeredAtMs = nowMs
  }

  /** Whether `trust` is due before the next `take`. */
  rested(nowMs: number): boolean {
    return nowMs - this.takenAtMs > restMs && this.#underway === undefined
  }

  /**
   * After a rest, while the server can be asked: the next requests need not wait for it. The share rises to what the bucket
   * must hold by now if nobody else used it, over the root of the number of nodes: more than a fair part, since bursts come to
   * one node, and little enough that the cluster repays within seconds when they come to all.
   */
  trust(nowMs: number, nodes: number): void {
    const filled = this.#level + ((nowMs - this.#answeredAtMs) * this.#fillPerSecond) / 1000
    const believed = Math.min(this.#perSecond, filled) - this.#used
    this.#weight = Math.max(this.#weight, 1 / nodes)
    this.#tokens = Math.max(this.#tokens, Math.min(believed, Math.max(1, believed / Math.sqrt(nodes))))
    this.#filledAtMs = nowMs
  }

  take(nowMs: number, count: number, perSecond: number): boolean {
    this.#setRate(perSecond)
    this.#fill(nowMs)
    this.takenAtMs = nowMs
    this.#offered += count
    if (this.dueMs === Infinity) {
      this.dueMs = Math.max(nowMs + firstReportAfterMs, this.#reportedAtMs + reportEveryMs)
    }
    // As in TokenBucket: what is larger than the bucket waits until it is full, and then owes the rest.
    if (this.#granted + Math.max(0, this.#tokens) < Math.min(count, this.#burst())) {
      this.#refused = count
      return false
    }
    const inAdvance = Math.min(this.#granted, count)
    this.#granted -= inAdvance
    this.#tokens -= count - inAdvance
    this.#used += count - inAdvance
    return true
  }

  /** What to report now; undefined when there is nothing. One report at a time: `answered` or `failed` must follow. */
  report(nowMs: number): RateReport | undefined {
    this.dueMs = Infinity
    if (this.#underway !== undefined) return undefined
    const returned = this.#offered === 0 ? this.#granted : 0
    if (this.#offered === 0 && this.#used === 0 && returned === 0) return undefined
    const underway = { used: this.#used, offered: this.#offered, returned, want: this.#wanted() }
    const { used, offered, want } = underway
    this.#underway = underway
    this.#granted -= returned
    this.#used = 0
    this.#offered = 0
    this.#refused = 0
    this.#reportedAtMs = nowMs
    return { perSecond: this.#perSecond, used: used - returned, offered, want }
  }

  answered(nowMs: number, answer: RateAnswer, nodes: number): void {
    const { offered, want } = this.#underway ?? { offered: 0, want: 0 }
    this.#weigh(nowMs, offered, answer.offered, nodes)
    this.#underway = undefined
    this.#granted += Math.min(want, answer.granted)
    this.#level = answer.level
    this.#fillPerSecond = answer.fillPerSecond
    this.#answeredAtMs = nowMs
    this.#tokens = Math.min(this.#burst(), this.#weight * answer.level) - this.#used
    this.#filledAtMs = nowMs
    // Once more without requests in between: then there is nothing to report, or granted tokens to give back.
    this.dueMs = this.#reportedAtMs + reportEveryMs
  }

  /** @param sent whether the server may have had the report */
  failed(nowMs: number, sent: boolean): void {
    const { used, returned } = this.#underway ?? { used: 0, returned: 0 }
    this.#underway = undefined
    if (!sent) {
      this.#used += used
      this.#granted += returned
    }
    this.unreachable(nowMs)
  }

  /** The server cannot be asked. What was used of the last share during an outage is not owed after it, save one second's worth. */
  unreachable(nowMs: number): void {
    this.#used = Math.min(this.#used, Math.max(1, this.#perSecond))
    this.dueMs = nowMs - this.takenAtMs > restMs ? Infinity : nowMs + reportEveryMs
  }

  #setRate(perSecond: number): void {
    if (perSecond === this.#perSecond) return
    this.#fillPerSecond = perSecond
    this.#perSecond = perSecond
    this.#tokens = Math.min(this.#tokens, this.#burst())
    this.#granted = Math.min(this.#granted, Math.max(1, perSecond))
  }

  #fill(nowMs: number): void {
    const elapsedMs = nowMs - this.#filledAtMs
    if (elapsedMs <= 0) return
    const full = Math.max(this.#tokens, this.#burst())
    this.#tokens = Math.min(full, this.#tokens + (elapsedMs * this.#fillPerSecond * this.#weight) / 1000)
    this.#filledAtMs = nowMs
  }

  /** The most the share holds. */
  #burst(): number {
    return Math.max(1, this.#perSecond * this.#weight)
  }

  /** In advance only what the share itself will not have by the next report. */
  #wanted(): number {
    const soon = this.#tokens + (reportEveryMs * this.#fillPerSecond * this.#weight) / 1000
    if (this.#refused === 0 || this.#granted >= this.#refused || soon >= Math.min(this.#refused, this.#burst()))
      return 0
    return this.#refused - this.#granted
  }

  #weigh(nowMs: number, own: number, total: number, nodes: number): void {
    const before = this.#offeredBefore
    this.#offeredBefore = total
    if (own === 0) return
    // A smaller sum than before: the bucket was made anew.
    const all = before !== undefined && total - before >= own ? total - before : Math.max(own, total)
    const part = own / all
    const continuous = before !== undefined && nowMs - this.#answeredAtMs < continuousMs
    const weight = continuous ? (this.#weight + part) / 2 : Math.max(part, 1 / nodes)
    this.#weight = Math.max(weight, 1 / (4 * nodes))
  }
}
