/** A server that can be compared. A new one is a file with a `ServerKind` and a line in `known.ts`. */
import type { Target } from '../load/target.js'

export interface ServerKind {
  /** As in `--server NAME` and `--vs NAME`, and the key of `against` in gates.ts. */
  readonly name: string
  /** Program and version, for the report. @throws Error in one sentence when the server is not installed or built */
  version(): string
  /** Starts a process of its own on a free port and resolves once it is ready. */
  start(options: StartOptions): Promise<RunningServer>
}

export interface StartOptions {
  /** Put in front of the script's path on node's command line (a profile). */
  readonly nodeArguments: readonly string[]
}

export interface RunningServer {
  readonly target: Target
  readonly pid: number
  /** The end of what it has printed, to explain a failure. */
  output(): string
  /** Ends it and waits for its end. `gently` leaves time to write a profile. */
  stop(gently: boolean): Promise<void>
}

/** The one app of every server; the numbers are nobody's. */
export const benchApp = { id: '1', key: 'bench-key', secret: 'bench-secret-of-no-value' } as const
