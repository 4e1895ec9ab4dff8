import { RefusedAddress } from './guarded-lookup.js'

export const cut = 'the connection was closed before the answer'

/** Whether the other side has closed the connection, perhaps before it saw the request. */
export function wasCut(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ECONNRESET' || code === 'EPIPE'
}

/**
 * Why a request got no answer, for a log line. Made from the error's code only: messages of Node hold header values and
 * what the receiver has sent.
 */
export function reasonOf(error: unknown, hostname: string): string {
  if (error instanceof RefusedAddress) return error.message
  const code = codeOf(error)
  switch (code) {
    case 'ECONNREFUSED':
      return 'the connection was refused'
    case 'ECONNRESET':
    case 'EPIPE':
      return cut
    case 'ETIMEDOUT':
      return 'the connection was not accepted in time'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no route to the receiver'
    case 'ENOTFOUND':
      return `the name ${hostname} does not exist`
    case 'EAI_AGAIN':
      return `the name ${hostname} cannot be looked up just now`
    case 'EMFILE':
    case 'ENFILE':
      return 'this machine has too many files open'
    case 'HPE_HEADER_OVERFLOW':
      return 'the headers of the answer are too large'
    case 'ERR_INVALID_CHAR':
    case 'ERR_INVALID_HTTP_TOKEN':
      return 'a header of this webhook holds characters that cannot be sent'
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate of the receiver is not for ${hostname}`
    case 'CERT_HAS_EXPIRED':
      return 'the certificate of the receiver has expired'
    default:
      return fromKindOf(code)
  }
}

function fromKindOf(code: string): string {
  if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`
  // The names OpenSSL gives to what is wrong with a chain of certificates.
  if (/CERT|SIGNED|ISSUER|SIGNATURE|CRL|^INVALID_(?:CA|PURPOSE)$/.test(code) && !code.startsWith('ERR_'))
    return `the certificate of the receiver is not trusted (${code}): name its authority in NODE_EXTRA_CA_CERTS`
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_'))
    return `no TLS connection came about (${code})`
  return code === '' ? 'the request failed' : `the request failed (${code})`
}

/** Empty when there is none, or when it is no constant. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return ''
  return typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(error.code) ? error.code : ''
}
