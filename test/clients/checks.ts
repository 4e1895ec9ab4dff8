/** What the programs of this folder report, by name. */

/** Of a library for backends, which speaks the REST API and signs. */
const httpChecks = [
  'trigger',
  'trigger-multi',
  'trigger-exclude',
  'trigger-batch',
  'trigger-info',
  'channels',
  'channel',
  'users',
  'auth-private',
  'auth-presence',
  'auth-encrypted',
  'auth-user',
  'terminate',
  'user-event',
  'encrypted-trigger',
  'webhook',
  'wrong-secret',
] as const

/** Of a library that holds a WebSocket. */
const socketChecks = [
  'connect',
  'public',
  'private',
  'presence',
  'encrypted',
  'client-event',
  'unsubscribe',
  'silence',
  'restart',
  'refused',
  'wrong-key',
] as const

export type Kind = 'http' | 'websocket'

export type CheckName = (typeof httpChecks)[number] | (typeof socketChecks)[number]

export interface CheckResult {
  readonly name: string
  readonly ok: boolean
  /** What was seen and what was wanted; '' when it is ok. */
  readonly detail: string
}

export function checksOf(kind: Kind): readonly CheckName[] {
  return kind === 'http' ? httpChecks : socketChecks
}
