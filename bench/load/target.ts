import { createHash, createHmac } from 'node:crypto'

/** Where a server listens and which app to use there. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly app: { readonly id: string; readonly key: string; readonly secret: string }
}

export function hmacHex(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex')
}

/**
 * A complete signed REST request as bytes. It may be sent again for ten minutes, so it is built before the clock starts.
 * @param query further parameters, keys in alphabetical order and after `auth_version` and `body_md5`
 */
export function signedRequest(target: Target, method: 'GET' | 'POST', path: string, body = '', query = ''): Buffer {
  const { id, key, secret } = target.app
  const fullPath = `/apps/${id}${path}`
  const md5 = body === '' ? '' : `&body_md5=${createHash('md5').update(body).digest('hex')}`
  const time = Math.floor(Date.now() / 1000)
  const parameters = `auth_key=${key}&auth_timestamp=${time}&auth_version=1.0${md5}${query === '' ? '' : `&${query}`}`
  const signature = hmacHex(secret, `${method}\n${fullPath}\n${parameters}`)
  const head = [
    `${method} ${fullPath}?${parameters}&auth_signature=${signature} HTTP/1.1`,
    `Host: ${target.host}:${target.port}`,
    'User-Agent: belfry-bench',
    'Accept: */*',
  ]
  if (body !== '') head.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`)
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}
