import type { Clock } from '../../base/clock.js'
import type { Topic } from '../../core/ports/broker.js'
import type { CachedEvent, CacheStore } from '../../core/ports/cache-store.js'

interface Entry {
  readonly frame: string
  readonly version: number
  readonly expiresAtMs: number
}

/** Cached events at any time; above, the one published longest ago goes. */
const entriesMax = 100_000

/** How long one miss of a topic is the only one that is told, and the topics with one at any time. */
const missMs = 1000
const missesMax = 100_000

/** How many entries one call of `sweep` looks at, so that a sweep stays short. */
const sweptMax = 1000

/** The last event of each cache channel, with a version that counts the publishes of all cache channels of this process. */
export class MemoryCache implements CacheStore {
  readonly #clock: Clock
  /** In order of their last publish. */
  readonly #entries = new Map<Topic, Entry>()
  /** Topic → when the next miss may be told, in order of that time. */
  readonly #misses = new Map<Topic, number>()
  #version = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Stores and returns the version. */
  set(topic: Topic, frame: string, ttlMs: number): number {
    this.#version += 1
    this.#entries.delete(topic)
    this.#entries.set(topic, { frame, version: this.#version, expiresAtMs: this.#clock.monotonicMs() + ttlMs })
    if (this.#entries.size > entriesMax) dropFirst(this.#entries)
    return this.#version
  }

  get(topic: Topic): Promise<CachedEvent | undefined> {
    const entry = this.#entries.get(topic)
    if (entry === undefined) return Promise.resolve(undefined)
    const expiresInMs = entry.expiresAtMs - this.#clock.monotonicMs()
    if (expiresInMs > 0) return Promise.resolve({ frame: entry.frame, version: entry.version, expiresInMs })
    this.#entries.delete(topic)
    return Promise.resolve(undefined)
  }

  claimMiss(topic: Topic): Promise<boolean> {
    const nowMs = this.#clock.monotonicMs()
    if ((this.#misses.get(topic) ?? nowMs) > nowMs) return Promise.resolve(false)
    this.#misses.delete(topic)
    this.#misses.set(topic, nowMs + missMs)
    if (this.#misses.size > missesMax) dropFirst(this.#misses)
    return Promise.resolve(true)
  }

  /** Drops expired entries, the oldest publishes first. An entry behind one of a longer ttl waits for it. */
  sweep(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [topic, untilMs] of this.#misses) {
      if (untilMs > nowMs) break
      this.#misses.delete(topic)
    }
    let looked = 0
    for (const [topic, entry] of this.#entries) {
      looked += 1
      if (entry.expiresAtMs <= nowMs) this.#entries.delete(topic)
      if (looked >= sweptMax) return
    }
  }
}

function dropFirst(map: Map<Topic, unknown>): void {
  const first = map.keys().next()
  if (first.done !== true) map.delete(first.value)
}
