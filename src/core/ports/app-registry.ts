import type { App } from './app.js'

/** Finds apps. Synchronous on purpose: it is asked for every connection and every request. */
export interface AppRegistry {
  /** The app that owns this key, enabled or not. */
  byKey(key: string): App | undefined
  /** The app of this id, enabled or not. */
  byId(id: string): App | undefined
  all(): Iterable<App>
  /**
   * Calls back after apps were added, changed or removed while running. A changed app is a new object
   * with the same id. Returns a function that ends the watch.
   */
  onChange(listener: (change: AppChange) => void): () => void
}

export interface AppChange {
  /** Added or changed apps, as they are now. */
  readonly updated: readonly App[]
  /** Ids of apps that are gone. */
  readonly removed: readonly string[]
}
