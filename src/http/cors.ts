import { originAllowed } from '../core/origin.js'
import type { HttpReply } from '../core/ports/http.js'

/** How long a browser may keep the answer to a preflight: Chromium's maximum. */
const preflightMaxAgeSeconds = '7200'

const anyOrigin = { 'Access-Control-Allow-Origin': '*' } as const
const refusedHeaders = { Vary: 'Origin' } as const
const preflightHeaders = {
  'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
  'Access-Control-Allow-Headers': 'Content-Type, X-Pusher-Library',
  'Access-Control-Max-Age': preflightMaxAgeSeconds,
} as const

/**
 * The CORS headers of a reply, or undefined when the origin is not allowed or CORS is not configured.
 * @param origins the patterns of `http.cors.origins`, as those of an app's `allowedOrigins`
 * @param origin the request's Origin header; empty when it has none
 */
export function corsHeaders(origins: readonly string[], origin: string): Readonly<Record<string, string>> | undefined {
  if (origins.includes('*')) return anyOrigin
  return originAllowed(origin, origins) ? { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' } : undefined
}

/** The answer to OPTIONS, or undefined when CORS is not configured: then OPTIONS is a method like any unknown one. */
export function preflightReply(origins: readonly string[], origin: string): HttpReply | undefined {
  if (origins.length === 0) return undefined
  const allowed = corsHeaders(origins, origin)
  const headers = allowed === undefined ? refusedHeaders : { ...allowed, ...preflightHeaders }
  return { status: 204, body: '', contentType: 'text/plain; charset=utf-8', headers }
}
