/** Notices that files hold something else than before. */
import { createHash } from 'node:crypto'
import { watch, type FSWatcher } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock, Timer } from '../base/clock.js'

/** Why files were read: somebody asked (SIGHUP), or they changed. */
export type Cause = 'asked' | 'changed'

/** What one reading of the files gave, before anything is done with it. */
export interface Reading {
  /** All files that were read for it; these are watched from now on. */
  readonly files: readonly string[]
  /** Puts it into effect. `content` identifies what the files hold. */
  take(content: string, cause: Cause): void | Promise<void>
}

export interface WatchedFilesOptions {
  /** The files to begin with. */
  readonly files: readonly string[]
  /** Reads them anew; must not throw. */
  readonly read: () => Reading
  readonly clock: Clock
}

/** Notifications get lost on network file systems and with some container mounts, so the files are also looked at this often. */
const pollPeriodMs = 4000
/** A file counts as written when it did not change for so long: half of a file may be a valid list of half the apps. */
const settleMs = 200
/** A reading can name other files, whose content must belong to what was read: then everything is read again. */
const readingsMax = 3

/**
 * Watches content, not names or times: Kubernetes exchanges a link two levels up, editors write a new file under the old name.
 * A change is taken within `pollPeriodMs` + `settleMs`.
 */
export class WatchedFiles {
  readonly #read: () => Reading
  readonly #clock: Clock
  #files: readonly string[]
  /** Content that was taken. Undefined at first: a change since the caller's own first reading must not be missed. */
  #taken: string | undefined
  /** Marks of the files while they held what was taken: as long as they are the same, nothing is read. */
  #marks: string | undefined
  #watchers: FSWatcher[] = []
  readonly #poll: Timer
  #settling: Timer | undefined
  /** What is being done; one thing after the other. */
  #turn: Promise<void> = Promise.resolve()
  #lookQueued = false
  #stopped = false

  /** Begins to watch. */
  constructor(options: WatchedFilesOptions) {
    this.#read = options.read
    this.#clock = options.clock
    this.#files = options.files
    this.#listen()
    this.#poll = options.clock.every(pollPeriodMs, () => this.#look(undefined))
    this.#look(undefined)
  }

  stop(): void {
    this.#stopped = true
    this.#poll.stop()
    this.#settling?.stop()
    for (const watcher of this.#watchers) watcher.close()
  }

  /** Reads the files at once, changed or not. */
  reload(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#takeAnew('asked'))
    return this.#turn
  }

  /** @param seen the content of a look `settleMs` ago: when it is still the same, it has been written to its end */
  #look(seen: string | undefined): void {
    if (this.#lookQueued || this.#stopped) return
    this.#lookQueued = true
    this.#turn = this.#turn.then(async () => {
      this.#lookQueued = false
      const marks = await marksOf(this.#files)
      if (marks === this.#marks && this.#taken !== undefined) return
      const content = await contentOf(this.#files)
      if (content === this.#taken) {
        this.#marks = marks
        return
      }
      if (content === seen) await this.#takeAnew('changed')
      else this.#lookAgain(content)
    })
  }

  #lookAgain(seen: string | undefined): void {
    this.#settling?.stop()
    if (!this.#stopped) this.#settling = this.#clock.after(settleMs, () => this.#look(seen))
  }

  async #takeAnew(cause: Cause): Promise<void> {
    for (let readings = 1; readings <= readingsMax; readings++) {
      const files = this.#files
      // Before the reading: what changes in between is seen by the next look.
      const content = await contentOf(files)
      if (this.#stopped) return
      const reading = this.#read()
      this.#files = reading.files
      const sameFiles = reading.files.length === files.length && reading.files.every((file) => files.includes(file))
      if (!sameFiles) this.#listen()
      if (!sameFiles && readings < readingsMax) continue
      this.#taken = content
      await reading.take(content, cause)
      return
    }
  }

  #listen(): void {
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
    for (const folder of new Set(this.#files.map((file) => dirname(file)))) {
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#lookAgain(undefined))
        watcher.on('error', () => watcher.close())
        this.#watchers.push(watcher)
      } catch {
        // A folder that is missing or cannot be watched: the poll is enough.
        continue
      }
    }
  }
}

/** What the file system says of the files without reading them: another file, size or time is a reason to read. */
async function marksOf(files: readonly string[]): Promise<string> {
  const marks = files.map(async (file) => {
    const found = await stat(file, { bigint: true }).catch(() => undefined)
    return found === undefined ? 'missing' : `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`
  })
  return (await Promise.all(marks)).join(' ')
}

/** A digest of what the files hold, as `Reading.take` gets it; that a file cannot be read is content too. */
export async function contentOf(files: readonly string[]): Promise<string> {
  const digest = createHash('sha256')
  for (const file of files) {
    const bytes = await readFile(file).catch(() => undefined)
    digest.update(`${file}\0${bytes === undefined ? 'unreadable' : bytes.length}\0`)
    if (bytes !== undefined) digest.update(bytes)
  }
  return digest.digest('hex')
}
