import type { HttpEntrance, HttpReply } from '../core/ports/http.js'
import { corsHeaders, preflightReply } from './cors.js'
import type { Admitted } from './guard.js'
import { healthReply, type Readiness } from './health.js'
import { bodyTooLargeReply, internalErrorReply, overloadedReply } from './reply.js'
import type { Router } from './router.js'

export interface EntranceOptions {
  readonly router: Pick<Router, 'route'>
  /** The patterns of `http.cors.origins`. */
  readonly origins: readonly string[]
  readonly readiness: () => Readiness
  readonly observe: HttpEntrance<Admitted>['observe']
}

/** What a transport answers HTTP with: the REST API, health and CORS. */
export function httpEntrance({ router, origins, readiness, observe }: EntranceOptions): HttpEntrance<Admitted> {
  return {
    open: (method, path, origin): HttpReply | undefined => {
      if (method === 'GET' || method === 'HEAD') return healthReply(path, readiness(), 'public')
      return method === 'OPTIONS' ? preflightReply(origins, origin) : undefined
    },
    route: (method, path) => router.route(method, path),
    corsHeaders: (origin) => corsHeaders(origins, origin),
    readsOrigin: origins.length > 0,
    bodyTooLarge: bodyTooLargeReply,
    overloaded: overloadedReply,
    internalError: internalErrorReply,
    observe,
  }
}
