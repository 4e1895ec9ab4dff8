import type { Registry } from 'prom-client'
import { LatencyCounter } from '../core/counters.js'
import { LatencyHistogram } from './latency-histogram.js'
import { type LabelledValue, registerCounter } from './sample-metrics.js'

/** Routes are the router's own names; this bound holds if a caller ever passes a path by mistake. */
const routesMax = 64
const statusesPerRouteMax = 64

export type HttpObserver = (route: string, status: number, seconds: number) => void

/**
 * Counts finished HTTP requests: `http_requests_total{route,status}` and `http_request_duration_seconds`.
 * Plain numbers in two small maps: prom-client's own labelled counter hashes its labels each time.
 */
export function registerHttpMetrics(registry: Registry, prefix: string): HttpObserver {
  const counts = new Map<string, Map<number, { count: number }>>()
  registerCounter(registry, {
    name: `${prefix}http_requests_total`,
    help: 'HTTP requests answered, by route and status.',
    labelNames: ['route', 'status'],
    read: () => labelled(counts),
  })
  const duration = new LatencyCounter()
  new LatencyHistogram(
    registry,
    `${prefix}http_request_duration_seconds`,
    'Time from the end of the request to its answer.',
    duration,
  )
  return (route, status, seconds) => {
    const known = counts.get(route)?.get(status) ?? newCount(counts, route, status)
    known.count += 1
    duration.observe(seconds)
  }
}

function newCount(
  counts: Map<string, Map<number, { count: number }>>,
  route: string,
  status: number,
): { count: number } {
  let byStatus = counts.get(route)
  if (byStatus === undefined) {
    if (counts.size >= routesMax - 1 && route !== 'other') return countOf(counts, 'other', status)
    byStatus = new Map()
    counts.set(route, byStatus)
  }
  if (byStatus.size >= statusesPerRouteMax - 1 && status !== 0) return countOf(counts, route, 0)
  const count = { count: 0 }
  byStatus.set(status, count)
  return count
}

function countOf(
  counts: Map<string, Map<number, { count: number }>>,
  route: string,
  status: number,
): { count: number } {
  return counts.get(route)?.get(status) ?? newCount(counts, route, status)
}

function* labelled(counts: Map<string, Map<number, { count: number }>>): Iterable<LabelledValue<'route' | 'status'>> {
  for (const [route, byStatus] of counts) {
    for (const [status, { count }] of byStatus) yield { labels: { route, status: String(status) }, value: count }
  }
}
