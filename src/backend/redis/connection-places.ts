/** What a node reports of an app's connections (scripts/budget-connections.lua). */
export interface PlacesReport {
  readonly used: number
  /** Free places wanted in reserve. */
  readonly want: number
  readonly limit: number
}

export interface PlacesAnswer {
  /** Used by this node and in reserve for it. */
  readonly reserved: number
  /** The same of all nodes. */
  readonly reservedByAll: number
}

/** Other nodes, and REST, know a change after so long (D8: 200 ms). */
const reportAfterMs = 100
/** What is free is asked for again so often while there is a limit and somebody else to take it. */
const refreshEveryMs = 500
/** So fast may others fill what was free at the last answer. */
const othersPerSecond = 1000
const soonMs = 1
/** A slice is this part of the limit. */
const slicesPerLimit = 50

/**
 * The connections of one app as one node sees them (D8). With a limit, every node has a few places in reserve and admits from
 * them without asking. A burst larger than the reserve is admitted from what was free in the cluster at the last answer, less what
 * others may have taken since: a client that is refused does not come back, so far from the limit nobody is refused.
 */
export class ConnectionPlaces {
  readonly key: string
  readonly partition: number
  /** When to report, monotonic ms; Infinity = nothing to report. */
  dueMs = Infinity
  /** Monotonic ms; for forgetting. */
  changedAtMs: number
  #used = 0
  #limit = 0
  #reserved = 0
  /** Of the last answer. */
  #reservedByAll = 0
  #spareAtAnswer = 0
  #answeredAtMs: number | undefined
  #reportedAtMs = -Infinity
  #admitted = 0
  #refused = false

  constructor(key: string, partition: number, nowMs: number) {
    this.key = key
    this.partition = partition
    this.changedAtMs = nowMs
  }

  get used(): number {
    return this.#used
  }

  /** Whether the server may hold an entry of this node. */
  get told(): boolean {
    return this.#reserved > 0 || this.#used > 0
  }

  /**
   * @param limit 0 = none
   * @param nodes of the cluster, as far as known
   * @param up whether the server can be asked
   */
  admit(nowMs: number, limit: number, nodes: number, up: boolean): boolean {
    this.#setLimit(limit)
    this.changedAtMs = nowMs
    if (limit > 0 && (this.#used >= limit || this.#used >= this.#ceiling(nowMs, nodes, up))) {
      this.#refused = true
      this.#dueBy(this.#used < limit && this.#free() > 0 ? nowMs + soonMs : this.#reportedAtMs + reportAfterMs)
      return false
    }
    this.#used += 1
    this.#admitted += 1
    const low = limit > 0 && nodes > 1 && (this.#reserved - this.#used) * 2 < this.#spareAtAnswer
    const unknown = limit > 0 && this.#answeredAtMs === undefined
    this.#dueBy(low || unknown ? nowMs + soonMs : Math.max(nowMs, this.#reportedAtMs) + reportAfterMs)
    return true
  }

  release(nowMs: number): void {
    this.changedAtMs = nowMs
    this.#used = Math.max(0, this.#used - 1)
    this.#dueBy(Math.max(nowMs, this.#reportedAtMs) + reportAfterMs)
  }

  /** Reports on the next occasion, changed or not: renews this node's entry. */
  renew(nowMs: number): void {
    this.#dueBy(nowMs)
  }

  /** @param nodes of the cluster, as far as known */
  report(nowMs: number, nodes: number): PlacesReport {
    const slice = this.#slice()
    const asked = this.#admitted > 0 || this.#refused
    const want = asked ? Math.max(slice, 2 * this.#admitted) : Math.floor(slice / nodes)
    this.dueMs = Infinity
    this.#admitted = 0
    this.#refused = false
    this.#reportedAtMs = nowMs
    return { used: this.#used, want: this.#limit > 0 ? want : 0, limit: this.#limit }
  }

  answered(nowMs: number, answer: PlacesAnswer, nodes: number): void {
    this.#reserved = answer.reserved
    this.#reservedByAll = answer.reservedByAll
    this.#spareAtAnswer = Math.max(0, answer.reserved - this.#used)
    this.#answeredAtMs = nowMs
    if (this.#limit > 0 && nodes > 1 && this.told) this.#dueBy(nowMs + refreshEveryMs)
  }

  /** The server did not answer. Reports count from scratch, so the next one makes it good. */
  failed(nowMs: number): void {
    if (this.told) this.#dueBy(nowMs + reportAfterMs)
  }

  /** How many connections this node may have without asking. */
  #ceiling(nowMs: number, nodes: number, up: boolean): number {
    if (this.#answeredAtMs === undefined)
      return nodes === 1 ? this.#limit : Math.max(1, Math.floor(this.#limit / nodes))
    const free = this.#free()
    if (nodes === 1) return this.#reserved + free
    // During an outage every node has its part of what was free before.
    if (!up) return this.#reserved + Math.floor(free / nodes)
    const takenMax = ((nowMs - this.#answeredAtMs) * othersPerSecond) / 1000
    const certain = Math.min(free, Math.max(1, Math.floor(this.#slice() / nodes)))
    return this.#reserved + Math.max(certain, Math.floor((free - takenMax) / nodes))
  }

  /** As of the last answer. */
  #free(): number {
    return Math.max(0, this.#limit - this.#reservedByAll)
  }

  #slice(): number {
    return Math.max(1, Math.floor(this.#limit / slicesPerLimit))
  }

  #setLimit(limit: number): void {
    if (limit === this.#limit) return
    this.#limit = limit
    // Places of the old limit are no longer sure.
    this.#reserved = Math.min(this.#reserved, this.#used)
  }

  #dueBy(ms: number): void {
    this.dueMs = Math.min(this.dueMs, ms)
  }
}
