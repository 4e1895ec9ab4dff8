import type { HttpReply } from '../core/ports/http.js'
import { refuse, restErrors, type Refusal } from '../protocol/rest-errors.js'

/** Tried again after this long: budgets fill within a second, and the bus proof comes every two. */
const retryAfterSeconds = '1'

/** The answer to an accepted trigger, exactly `{}` (4.3). One object for all. */
export const emptyObjectReply: HttpReply = jsonReply('{}')

/** The answer of the deprecated trigger: 202 and nothing (4.10). */
export const acceptedReply: HttpReply = { status: 202, body: '', contentType: 'text/plain; charset=utf-8' }

/** For the transport: it has too many requests in work and read nothing of this one. */
export const overloadedReply: HttpReply = refusalReply(refuse(restErrors.overloaded))

/** For the transport: `handle` rejected, which is a fault of ours. */
export const internalErrorReply: HttpReply = refusalReply(refuse(restErrors.internal))

/** For the transport: the body is, or becomes, larger than the route allows. */
export function bodyTooLargeReply(bodyBytesMax: number): HttpReply {
  return refusalReply(refuse(restErrors.bodyTooLarge, bodyBytesMax))
}

export function jsonReply(body: string): HttpReply {
  return { status: 200, body, contentType: 'application/json' }
}

/** Error bodies are plain text that ends in a newline (section 4); 429 and 503 say when to try again. */
export function refusalReply(refusal: Refusal): HttpReply {
  const reply = { status: refusal.status, body: `${refusal.text}\n`, contentType: 'text/plain; charset=utf-8' } as const
  const retry = refusal.status === 429 || refusal.status === 503
  return retry ? { ...reply, headers: { 'Retry-After': retryAfterSeconds } } : reply
}

/** Tells a reply from the other things that a step of the way may return. */
export function isReply(value: object): value is HttpReply {
  return 'status' in value
}
