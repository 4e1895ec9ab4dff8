import { createHash, createHmac } from 'node:crypto'
import type { Credentials } from './raw-client.js'

export interface RestAnswer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
  json(): unknown
}

export interface RestTarget extends Credentials {
  /** `http://127.0.0.1:PORT`, with the path prefix if there is one. */
  readonly url: string
  readonly appId: string
}

/** Signs as the libraries do (4.1) and sends. @param path from `/apps` on, or relative to the app (`events`) */
export async function rest(
  target: RestTarget,
  method: 'GET' | 'POST',
  path: string,
  options: { query?: Readonly<Record<string, string>>; body?: unknown; timestampS?: number } = {},
): Promise<RestAnswer> {
  const fullPath = path.startsWith('/') ? path : `/apps/${target.appId}/${path}`
  const body =
    options.body === undefined ? '' : typeof options.body === 'string' ? options.body : JSON.stringify(options.body)
  const response = await fetch(`${target.url}${fullPath}?${signedQuery(target, method, fullPath, body, options)}`, {
    method,
    ...(body === '' ? {} : { body, headers: { 'content-type': 'application/json' } }),
  })
  const text = await response.text()
  return { status: response.status, text, headers: response.headers, json: () => JSON.parse(text) as unknown }
}

export function signedQuery(
  { key, secret }: Credentials,
  method: string,
  path: string,
  body: string,
  options: { query?: Readonly<Record<string, string>>; timestampS?: number } = {},
): string {
  const params: Record<string, string> = {
    auth_key: key,
    auth_timestamp: String(options.timestampS ?? Math.floor(Date.now() / 1000)),
    auth_version: '1.0',
    ...options.query,
  }
  if (body !== '') params['body_md5'] = createHash('md5').update(body).digest('hex')
  const sorted = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))
  const text = `${method}\n${path}\n${sorted.map(([name, value]) => `${name.toLowerCase()}=${value}`).join('&')}`
  const signature = createHmac('sha256', secret).update(text).digest('hex')
  return `${sorted.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}&auth_signature=${signature}`
}
