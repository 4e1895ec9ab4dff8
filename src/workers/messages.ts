/** What the parent and its workers say to each other over their channel. Workers say nothing to each other: that is Redis's part. */
import type { AppSettings } from '../core/ports/app.js'

/** What the parent asks; every question is answered once or, when the worker hangs or ends, never. */
export interface Answers {
  /** The metrics as JSON text, empty when metrics are off. */
  readonly metrics: string
  readonly state: WorkerState
  /** Reads the certificates again: why they were refused, or an empty text. */
  readonly certificates: string
}

export type Question = keyof Answers

export interface WorkerState {
  readonly ready: boolean
  /** As in the answer of `/ready`. */
  readonly reason: string | undefined
  readonly degraded: 'bus' | undefined
  readonly residentBytes: number
}

/** @typeParam Start what a worker needs to begin; only who composes both sides knows it */
export type ToWorker<Start = unknown> =
  | { readonly type: 'start'; readonly start: Start }
  | { readonly type: 'apps'; readonly apps: readonly AppSettings[] }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  | { readonly type: 'drain' }

export type FromWorker =
  | { readonly type: 'serving' }
  /** It cannot start, in one sentence; its end follows. */
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answers[Question] }

/** A message of a worker, or undefined for anything else that came through the channel. */
export function decodeFromWorker(message: unknown): FromWorker | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined
  if (message.type === 'serving') return { type: 'serving' }
  if (message.type === 'failed' && 'reason' in message && typeof message.reason === 'string')
    return { type: 'failed', reason: message.reason }
  if (message.type !== 'answer' || !('id' in message && 'answer' in message)) return undefined
  const { id, answer } = message
  return typeof id === 'number' && isAnswer(answer) ? { type: 'answer', id, answer } : undefined
}

function isAnswer(answer: unknown): answer is Answers[Question] {
  return typeof answer === 'string' || isState(answer)
}

function isState(answer: unknown): answer is WorkerState {
  if (typeof answer !== 'object' || answer === null || !('ready' in answer && 'residentBytes' in answer)) return false
  return typeof answer.ready === 'boolean' && typeof answer.residentBytes === 'number'
}
