/** A server that can be compared. A new one is a file with a `ServerKind` and a line in `known.ts`. */
import type { Target } from '../load/target.js'

export interface ServerKind {
  /** As in `--server NAME` and `--vs NAME`, and the key of `against` in gates.ts. */
  readonly name: string
  /** It has a Redis, which a scenario may look into and disturb. */
  readonly usesRedis: boolean
  readonly sendsWebhooks: boolean
  /** Program and version, for the report. @throws Error in one sentence when the server is not installed or built */
  version(): string
  /** Starts processes of its own on free ports and resolves once they are ready. */
  start(options: StartOptions): Promise<RunningServer>
}

export interface StartOptions {
  /** Put in front of the script's path on node's command line (a profile). */
  readonly nodeArguments: readonly string[]
  /** Where webhooks of the second app go; without one there is no second app. */
  readonly webhookUrl?: string
}

/** What is measured: one process tree, or several that do one work together. */
export interface RunningServer {
  /** Where each node listens; one, or more that are one server together. */
  readonly targets: readonly [Target, ...Target[]]
  /** The root of each process tree, by the name its share of the cost is shown under. */
  readonly parts: readonly Part[]
  readonly redis?: RedisCommands
  /** The end of what it has printed, to explain a failure. */
  output(): string
  /** Ends it and waits for its end. `gently` leaves time to write a profile. */
  stop(gently: boolean): Promise<void>
}

export interface Part {
  readonly name: string
  readonly pid: number
}

/** The Redis behind a server. */
export interface RedisCommands {
  /** @throws Error when Redis refuses the command or does not answer within 5 s */
  command(name: string, ...args: (string | number)[]): Promise<unknown>
}

/** The app of every server; the numbers are nobody's. */
export const benchApp = { id: '1', key: 'bench-key', secret: 'bench-secret-of-no-value' } as const

/** The same with a webhook, beside it. */
export const hookedApp = { id: '2', key: 'hooked-key', secret: 'hooked-secret-of-no-value' } as const
