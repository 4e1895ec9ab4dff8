/** Random choices that a seed repeats: the same seed gives the same sessions. */
export class Random {
  #state: number

  /** @param seed any whole number */
  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 to `below` − 1 (mulberry32). */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0
  }

  pick<Value>(values: readonly [Value, ...Value[]]): Value {
    return values[this.below(values.length)] ?? values[0]
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count)
    for (let at = 0; at < count; at += 1) bytes[at] = this.below(256)
    return bytes
  }

  /** A generator of its own, so that what one connection draws does not depend on how fast another is. */
  fork(): Random {
    return new Random(this.below(4_294_967_296))
  }
}
