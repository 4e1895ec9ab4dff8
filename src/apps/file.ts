/** Keeps a registry equal to the files its apps come from (R30). */
import type { Clock } from '../base/clock.js'
import type { AppSettings } from '../core/ports/app.js'
import type { AppChange } from '../core/ports/app-registry.js'
import type { Logger } from '../core/ports/logger.js'
import { WatchedFiles, type Cause, type Reading } from './watched-files.js'

/** What reading the configuration anew gave; `files` are all that were read for it, secrets in files of their own included. */
export type Reloaded =
  | { readonly ok: true; readonly apps: readonly AppSettings[]; readonly files: readonly string[] }
  | { readonly ok: false; readonly errors: readonly string[]; readonly files: readonly string[] }

export interface AppFilesOptions {
  /** The files the apps were first read from. */
  readonly files: readonly string[]
  /** Reads the configuration anew; must not throw. */
  readonly reload: () => Reloaded
  readonly registry: { replace(settings: readonly AppSettings[]): AppChange }
  readonly clock: Clock
  readonly logger: Logger
}

/** An app added, disabled, re-keyed or removed in the files is so in the registry soon after; broken files change nothing. */
export class AppFiles {
  readonly #options: AppFilesOptions
  readonly #watched: WatchedFiles
  #files: readonly string[]
  /** Refused content whose errors were logged. */
  #reported: string | undefined

  /** Begins to watch. */
  constructor(options: AppFilesOptions) {
    this.#options = options
    this.#files = options.files
    this.#watched = new WatchedFiles({ files: options.files, read: () => this.#read(), clock: options.clock })
  }

  stop(): void {
    this.#watched.stop()
  }

  /** Reads everything at once, changed or not: what SIGHUP asks for. */
  reload(): Promise<void> {
    return this.#watched.reload()
  }

  #read(): Reading {
    const reloaded = this.#options.reload()
    // A broken configuration may not have come to all its files, so the old ones stay watched.
    this.#files = reloaded.ok ? reloaded.files : [...new Set([...this.#files, ...reloaded.files])]
    return { files: this.#files, take: (content, cause) => this.#take(reloaded, content, cause) }
  }

  #take(reloaded: Reloaded, content: string, cause: Cause): void {
    const { registry, logger } = this.#options
    if (!reloaded.ok) {
      const isNew = this.#reported !== content
      this.#reported = content
      if (isNew)
        logger.error({ cause }, `configuration refused, the apps stay as they are: ${reloaded.errors.join(' ')}`)
      else if (cause === 'asked') logger.warn({ cause }, 'configuration still refused, the apps stay as they are')
      return
    }
    this.#reported = undefined
    const { updated, removed } = registry.replace(reloaded.apps)
    const fields = { cause, updated: updated.map((app) => app.id), removed }
    const text = `configuration read: apps added or changed: ${updated.length}, removed: ${removed.length}`
    if (cause === 'asked' || updated.length > 0 || removed.length > 0) logger.info(fields, text)
    else logger.debug(fields, text)
  }
}
