import type { HttpReply } from '../core/ports/http.js'

/** Whether this node should get traffic. */
export interface Readiness {
  readonly ready: boolean
  /** Why not, in a few words for the operator (`draining`, `connections`, `memory`, `bus`). */
  readonly reason?: string | undefined
  /** Ready although the bus is not proven, because no node may stay without an endpoint for ever. */
  readonly degraded?: 'bus' | undefined
}

/** Probes answer on both ports; the front page and what old clients ask for only on the public one (docs/operating.md). */
export type HealthPort = 'public' | 'metrics'

const okReply: HttpReply = text(200, 'OK')
const degradedReply: HttpReply = { ...okReply, headers: { 'X-Belfry-Degraded': 'bus' } }

/** Statistics of old pusher-js versions are swallowed (6.3); they are sent from any page. */
const timelineReply: HttpReply = {
  status: 200,
  body: '{}',
  contentType: 'application/json',
  headers: { 'Access-Control-Allow-Origin': '*' },
}

/**
 * The answer to a GET of one of the health paths, or undefined when the path is none of them.
 * @param path without the configured prefix and without the query
 */
export function healthReply(path: string, readiness: Readiness, port: HealthPort): HttpReply | undefined {
  switch (path) {
    case '/live':
      return okReply
    case '/ready':
    case '/up':
    case '/health':
      return readinessReply(readiness)
    case '/accept-traffic':
      return port === 'public' ? readinessReply(readiness) : undefined
    case '/':
    case '':
      return port === 'public' ? okReply : undefined
    default:
      return port === 'public' && path.startsWith('/timeline/v2/') ? timelineReply : undefined
  }
}

/**
 * What the bus says of readiness. A Redis that is lost to all nodes must not leave clients without any endpoint, so it alone keeps
 * a node from being ready only for a while.
 * @param downMs how long the bus has not been proven; undefined = it is
 * @param readyAfterMs after which time without it the node is ready all the same; 0 = never
 */
export function busReadiness(downMs: number | undefined, readyAfterMs: number): Readiness {
  if (downMs === undefined) return { ready: true }
  return readyAfterMs > 0 && downMs >= readyAfterMs ? { ready: true, degraded: 'bus' } : { ready: false, reason: 'bus' }
}

function readinessReply(readiness: Readiness): HttpReply {
  if (!readiness.ready) return text(503, `Not ready: ${readiness.reason ?? 'starting'}\n`)
  return readiness.degraded === undefined ? okReply : degradedReply
}

function text(status: number, body: string): HttpReply {
  return { status, body, contentType: 'text/plain; charset=utf-8' }
}
