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

/** How many entries one call of `sweep` looks at, so that a sweep stays short. */
const sweptMax = 1000

/** The last event of each cache channel, with a version that counts the publishes of all cache channels of this process. */
export class MemoryCache implements CacheStore {
  readonly #clock: Clock
  /** In order of their last publish. */
  readonly #entries = new Map<Topic, Entry>()
  #version = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Stores and returns the version. */
  set(topic: Topic, frame: string, ttlMs: number): number {
    this.#version += 1
    this.#entries.delete(topic)
    this.#entries.set(topic, { frame, version: this.#version, expiresAtMs: this.#clock.monotonicMs() + ttlMs })
    if (this.#entries.size > entriesMax) this.#dropOldest()
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

  /** Drops expired entries, the oldest publishes first. An entry behind one of a longer ttl waits for it. */
  sweep(): void {
    const nowMs = this.#clock.monotonicMs()
    let looked = 0
    for (const [topic, entry] of this.#entries) {
      looked += 1
      if (entry.expiresAtMs <= nowMs) this.#entries.delete(topic)
      if (looked >= sweptMax) return
    }
  }

  #dropOldest(): void {
    const oldest = this.#entries.keys().next()
    if (oldest.done !== true) this.#entries.delete(oldest.value)
  }
}
