import type { Backend } from '../../src/core/ports/backend.js'
import type { RecordingSink } from '../fakes/recording-sink.js'

/** One started, empty backend under test. */
export interface ContractSubject {
  readonly backend: Backend
  /** What the backend was started with. */
  readonly sink: RecordingSink
  /** Resolves when so much time has passed for the backend. */
  pass(ms: number): Promise<void>
  /** Ends the backend and frees what it used. */
  close(): Promise<void>
}

/** Makes a subject with nothing stored in it. */
export type MakeSubject = () => Promise<ContractSubject>

/** How exact a backend is where the guarantees leave room. */
export interface ContractTolerance {
  /** Relative error of a rate (D8): 0 for one process, 0.1 where slices are leased. */
  readonly rateError: number
}
