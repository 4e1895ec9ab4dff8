import type { App } from '../../core/ports/app.js'
import type { CoreApi } from '../../core/ports/api.js'
import type { HttpReply } from '../../core/ports/http.js'
import { refuse, restErrors } from '../../protocol/rest-errors.js'
import type { Params } from '../../protocol/rest-query.js'
import { refusalReply } from '../reply.js'

/** What the REST API counts; the apps' counters stand behind it. */
export interface RestCounting {
  /** A request with a wrong or missing signature, or another fault of 4.1, for an app that exists. */
  authFailed(appId: string): void
  /** A request answered 429. */
  rateLimited(appId: string, kind: 'triggers' | 'reads'): void
}

export interface HandlerContext {
  readonly core: CoreApi
  readonly counting: RestCounting
}

/** An authentic request: signature, clock and body MD5 are checked, nothing else. */
export interface Call {
  readonly app: App
  readonly params: Params
  readonly body: Buffer
  /** The channel or user that the path names, decoded; empty where there is none. */
  readonly target: string
}

/** @throws BrokerError when the other nodes did not confirm or cannot be asked: answered 503 */
export type Handler = (context: HandlerContext, call: Call) => Promise<HttpReply>

/** The answer 429 when the app's rate is used up. Asked for after validation: what is refused costs the app nothing. */
export function takeBudget(
  context: HandlerContext,
  app: App,
  kind: 'triggers' | 'reads',
  count: number,
): HttpReply | undefined {
  if (context.core.takeBudget(app, kind, count)) return undefined
  context.counting.rateLimited(app.id, kind)
  return refusalReply(
    kind === 'triggers'
      ? refuse(restErrors.triggerRate, app.limits.triggersPerSecond)
      : refuse(restErrors.readRate, app.limits.readsPerSecond),
  )
}
