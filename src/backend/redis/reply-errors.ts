/** What Redis's error texts mean. */
import { ReplyError } from 'ioredis'

/**
 * Refused before anything was done: the server may not do it, not yet, or no longer. Redis 6.2 puts the error of a command in a
 * script behind a text of its own, `… @user_script: LINE: -CODE …`.
 */
const notExecuted =
  /^(?:ERR Error running script[^]*?: -)?(READONLY|LOADING|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|MASTERDOWN|NOREPLICAS|MISCONF|NOAUTH|BUSY) /

export type RefusalKind = 'moved' | 'readonly' | 'not executed' | 'noscript' | 'noperm' | 'refused'

export function refusalKind(text: string): RefusalKind {
  if (text.startsWith('NOSCRIPT')) return 'noscript'
  if (text.startsWith('NOPERM') || /ACL failure in script|user executing the script can't/.test(text)) return 'noperm'
  const code = notExecuted.exec(text)?.[1]
  if (code === undefined) return 'refused'
  if (code === 'MOVED' || code === 'ASK') return 'moved'
  return code === 'READONLY' ? 'readonly' : 'not executed'
}

/** The server's own words, without arguments that it quotes; undefined when the error is no answer of a server. */
export function replyText(error: unknown): string | undefined {
  // ioredis exports the class as `any`.
  if (!(error instanceof (ReplyError as typeof Error))) return undefined
  return error.message.replace(/,? with args beginning with:[^]*$/, '')
}

/** What may be logged of an error: never the error itself, because ioredis hangs the command with its arguments onto it. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ')
  return replyText(error) ?? (error instanceof Error ? error.message : String(error))
}
