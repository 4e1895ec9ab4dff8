import type { Backend } from '../../src/core/ports/backend.js'
import type { TellsCounts } from '../../src/core/ports/occupancy-store.js'
import type { WantsTransition } from '../../src/core/ports/outbox.js'
import type { RecordingSink } from '../fakes/recording-sink.js'
import type { OutboxRecorder } from './outbox-recorder.js'

/** One started, empty backend under test. */
export interface ContractSubject {
  readonly backend: Backend
  /** What the backend was started with. */
  readonly sink: RecordingSink
  /** What its outbox was given, before the start. */
  readonly outboxListener: OutboxRecorder
  /** Resolves when so much time has passed for the backend. */
  pass(ms: number): Promise<void>
  /** Ends the backend and frees what it used. */
  close(): Promise<void>
}

/** Every backend under test is made with this: app `quiet` has no webhook, app `members` one for member_added only. */
export const wantsTransition: WantsTransition = (appId, type) =>
  appId !== 'quiet' && (appId !== 'members' || type === 'member_added')

/** The same: the counts of every other app are told. */
export const tellsCounts: TellsCounts = (appId) => appId !== 'quiet'

/** Makes a subject with nothing stored in it. */
export type MakeSubject = () => Promise<ContractSubject>

/** What a suite must know of a backend: how exact it is where the guarantees leave room, and what its runs cost. */
export interface ContractTraits {
  /** Relative error of a rate (D8): 0 for one process, 0.1 where slices are leased. */
  readonly rateError: number
  /** How long a member is held that leaves for a handover (D6): 0 = told at once. */
  readonly handoverMs: number
  /** Share of the random runs that is made, where each takes real time. */
  readonly scale: number
}

/** How many random runs are made of those that a backend without cost makes. */
export function runs(traits: ContractTraits, count: number): number {
  return Math.max(1, Math.round(count * traits.scale))
}
