/** What a scenario is given and what it hands back. One file per scenario in `scenarios/`. */
import type { Load } from './load/load.js'
import type { WebhookReceiver } from './load/webhook-receiver.js'
import type { Meter } from './measure/meter.js'
import type { Latency } from './measure/statistics.js'
import type { RedisCommands } from './servers/server.js'

/** How long the parts of a scenario last. */
export interface Pace {
  /** Unmeasured work in front: compiles the server's hot code and fills its caches. */
  readonly warmupMs: number
  readonly measureMs: number
}

/** One run of a scenario: a freshly started server, and nothing connected to it yet. */
export interface ScenarioRun {
  readonly load: Load
  readonly meter: Meter
  readonly pace: Pace
  /** Of a server that has one. */
  readonly redis: RedisCommands | undefined
  /** Of a scenario that needs webhooks. */
  readonly webhooks: Webhooks | undefined
}

export interface Webhooks {
  /** To the app that has a webhook. */
  readonly load: Load
  readonly receiver: WebhookReceiver
}

export interface Reading {
  /** Id of a row in gates.ts. */
  readonly row: string
  /** In the row's unit. */
  readonly value: number
  /** How many units of work the value is an average of. */
  readonly operations: number
  /** From the first byte of the request to the last delivery and the answer. */
  readonly latency?: Latency
  /** What each process of the server has to do with the value. */
  readonly parts?: Readonly<Record<string, number>>
}

export interface Scenario {
  readonly name: string
  readonly rows: readonly string[]
  /** In the quick subset. */
  readonly quick: boolean
  /** Looks into the server's Redis: measured only where there is one. */
  readonly needsRedis?: boolean
  /** Measured only where webhooks are sent. */
  readonly needsWebhooks?: boolean
  run(run: ScenarioRun): Promise<Reading[]>
}
