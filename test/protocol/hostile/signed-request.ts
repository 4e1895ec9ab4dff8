import { createHash, createHmac } from 'node:crypto'
import { appId, credentials } from './hostile-server.js'

/** What of a request is not as it should be; everything else is made right. */
export interface RequestParts {
  readonly method?: string
  /** Default POST /apps/3/events. */
  readonly path?: string
  readonly body?: string | Buffer
  /** Added to the query, or, by name, replacing what is there; undefined leaves a parameter out. Values are signed. */
  readonly query?: Readonly<Record<string, string | undefined>>
  /** Written behind the query as it is, not signed. */
  readonly querySuffix?: string
  /** Default: made with the right secret. */
  readonly signature?: string
  /** Header lines in place of `Content-Length`, each ending in CRLF. */
  readonly framing?: string
  /** What follows the head in place of the body. */
  readonly sent?: string | Buffer
}

export const eventsPath = `/apps/${appId}/events`
export const goodBody = '{"name":"e","channel":"nobody-listens","data":"x"}'

/** A whole HTTP request, signed as the libraries do (4.1). */
export function signedRequest(parts: RequestParts = {}): Buffer {
  const { method = 'POST', path = eventsPath, framing, querySuffix = '' } = parts
  const body = Buffer.from(parts.body ?? (method === 'POST' ? goodBody : ''))
  const params: Record<string, string | undefined> = {
    auth_key: credentials.key,
    auth_timestamp: String(Math.floor(Date.now() / 1000)),
    auth_version: '1.0',
    ...(body.length > 0 ? { body_md5: createHash('md5').update(body).digest('hex') } : {}),
    ...parts.query,
  }
  const sorted = Object.entries(params)
    .filter((pair): pair is [string, string] => pair[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const text = sorted.map(([name, value]) => `${name}=${value}`).join('&')
  const signature = parts.signature ?? hmac(`${method}\n${path}\n${text}`)
  const query = sorted.map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`).join('&')
  const target = `${path}?${query}&auth_signature=${percentEncode(signature)}${querySuffix}`
  const length = framing ?? (method === 'POST' ? `Content-Length: ${body.length}\r\n` : '')
  const head = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(parts.sent ?? body)])
}

export function chunked(...chunks: readonly (string | Buffer)[]): Buffer {
  const encoded = chunks.flatMap((chunk) => {
    const bytes = Buffer.from(chunk)
    return [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]
  })
  return Buffer.concat([...encoded, Buffer.from('0\r\n\r\n')])
}

function hmac(text: string): string {
  return createHmac('sha256', credentials.secret).update(text).digest('hex')
}

/** As UTF-8, in which a lone surrogate becomes U+FFFD as it does for the signature; `encodeURIComponent` alone would throw. */
function percentEncode(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString())
}
