/** The apps of a list, looked up by key and by id. */
import { assert } from '../base/assert.js'
import type { App, AppSettings } from '../core/ports/app.js'
import type { AppChange, AppRegistry } from '../core/ports/app-registry.js'
import { HmacKey } from '../protocol/signature.js'

interface Entry {
  readonly app: App
  /** The settings as text, secrets included: what tells a changed app from an equal one. */
  readonly fingerprint: string
}

/** An `AppRegistry` whose whole list can be exchanged while it is in use. */
export class StaticAppRegistry implements AppRegistry {
  #byId: ReadonlyMap<string, Entry> = new Map()
  #byKey: ReadonlyMap<string, App> = new Map()
  #settings: readonly AppSettings[] = []
  readonly #listeners = new Set<(change: AppChange) => void>()

  /** @param settings apps with ids and keys that occur once each */
  constructor(settings: readonly AppSettings[]) {
    this.replace(settings)
  }

  /** The list as it was last given. */
  get settings(): readonly AppSettings[] {
    return this.#settings
  }

  byKey(key: string): App | undefined {
    return this.#byKey.get(key)
  }

  byId(id: string): App | undefined {
    return this.#byId.get(id)?.app
  }

  *all(): Iterable<App> {
    for (const { app } of this.#byId.values()) yield app
  }

  onChange(listener: (change: AppChange) => void): () => void {
    // A listener of one's own per call, so that the same function may watch twice.
    const own = (change: AppChange) => listener(change)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Makes `settings` the list of apps and tells the listeners what became different. An unchanged app stays the same object. */
  replace(settings: readonly AppSettings[]): AppChange {
    const byId = new Map<string, Entry>()
    const byKey = new Map<string, App>()
    const updated: App[] = []
    for (const one of settings) {
      assert(!byId.has(one.id), `app id ${one.id} is listed twice`)
      const fingerprint = JSON.stringify(one)
      const before = this.#byId.get(one.id)
      const entry = before?.fingerprint === fingerprint ? before : { app: appOf(one), fingerprint }
      if (entry !== before) updated.push(entry.app)
      byId.set(one.id, entry)
      for (const { key } of one.keys) {
        assert(!byKey.has(key), `key ${key} belongs to two apps`)
        byKey.set(key, entry.app)
      }
    }
    const removed = [...this.#byId.keys()].filter((id) => !byId.has(id))
    this.#byId = byId
    this.#byKey = byKey
    this.#settings = settings
    const change = { updated, removed }
    if (updated.length > 0 || removed.length > 0) for (const listener of [...this.#listeners]) listener(change)
    return change
  }
}

function appOf({ keys, ...settings }: AppSettings): App {
  return { ...settings, signers: new Map(keys.map(({ key, secret }) => [key, new HmacKey(secret)])) }
}
