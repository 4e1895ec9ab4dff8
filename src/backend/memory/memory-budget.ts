import type { Clock } from '../../base/clock.js'
import { TokenBucket } from '../../base/token-bucket.js'
import type { Budget } from '../../core/ports/budget.js'

interface Share {
  connections: number
  readonly buckets: Map<'triggers' | 'reads', TokenBucket>
}

/** Rates and connection counts of one process: its share is all of it. */
export class MemoryBudget implements Budget {
  readonly #clock: Clock
  readonly #shares = new Map<string, Share>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  take(appId: string, kind: 'triggers' | 'reads', count: number, perSecond: number): boolean {
    if (perSecond === 0) return true
    const { buckets } = this.#shareOf(appId)
    const nowMs = this.#clock.monotonicMs()
    let bucket = buckets.get(kind)
    if (bucket === undefined) {
      bucket = new TokenBucket(perSecond, nowMs)
      buckets.set(kind, bucket)
    }
    bucket.setRate(perSecond)
    return bucket.take(nowMs, count)
  }

  admit(appId: string, connectionsMax: number): boolean {
    const share = this.#shareOf(appId)
    if (connectionsMax > 0 && share.connections >= connectionsMax) return false
    share.connections += 1
    return true
  }

  release(appId: string): void {
    this.#shareOf(appId).connections -= 1
  }

  connections(appId: string): Promise<number> {
    return Promise.resolve(this.#shares.get(appId)?.connections ?? 0)
  }

  #shareOf(appId: string): Share {
    let share = this.#shares.get(appId)
    if (share === undefined) {
      share = { connections: 0, buckets: new Map() }
      this.#shares.set(appId, share)
    }
    return share
  }
}
