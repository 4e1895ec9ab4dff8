import type { App, AppSettings } from '../../src/core/ports/app.js'
import type { AppChange, AppRegistry } from '../../src/core/ports/app-registry.js'
import { HmacKey } from '../../src/protocol/signature.js'

/** A registry whose apps a test names and changes. */
export class FixedRegistry implements AppRegistry {
  #apps: App[]
  readonly #listeners = new Set<(change: AppChange) => void>()

  constructor(settings: readonly AppSettings[]) {
    this.#apps = settings.map(appOf)
  }

  byKey(key: string): App | undefined {
    return this.#apps.find((app) => app.signers.has(key))
  }

  byId(id: string): App | undefined {
    return this.#apps.find((app) => app.id === id)
  }

  all(): Iterable<App> {
    return this.#apps
  }

  onChange(listener: (change: AppChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  replace(settings: readonly AppSettings[]): void {
    const removed = this.#apps.filter((app) => !settings.some(({ id }) => id === app.id)).map(({ id }) => id)
    this.#apps = settings.map(appOf)
    for (const listener of this.#listeners) listener({ updated: this.#apps, removed })
  }
}

export function appOf(settings: AppSettings): App {
  const { keys, ...rest } = settings
  return { ...rest, signers: new Map(keys.map(({ key, secret }) => [key, new HmacKey(secret)])) }
}
