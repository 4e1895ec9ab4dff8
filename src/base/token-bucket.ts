/** Allows `ratePerSecond` on average and as many at once (burst = rate). What is larger than the burst waits for a full bucket and then owes the rest. */
export class TokenBucket {
  #tokens: number
  #ratePerSecond: number
  #filledAtMs: number

  constructor(ratePerSecond: number, nowMs: number) {
    this.#tokens = ratePerSecond
    this.#ratePerSecond = ratePerSecond
    this.#filledAtMs = nowMs
  }

  /** Changes the rate; tokens above the new burst are lost. */
  setRate(ratePerSecond: number): void {
    this.#ratePerSecond = ratePerSecond
    this.#tokens = Math.min(this.#tokens, ratePerSecond)
  }

  /** Takes `count` tokens if there are that many (or the bucket is full), none otherwise. `nowMs` is monotonic. */
  take(nowMs: number, count = 1): boolean {
    const elapsedMs = nowMs - this.#filledAtMs
    if (elapsedMs > 0) {
      this.#tokens = Math.min(this.#ratePerSecond, this.#tokens + (elapsedMs * this.#ratePerSecond) / 1000)
      this.#filledAtMs = nowMs
    }
    if (this.#tokens < Math.min(count, Math.max(1, this.#ratePerSecond))) return false
    this.#tokens -= count
    return true
  }
}
