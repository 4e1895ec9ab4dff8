/**
 * Whether a browser's Origin may connect. Patterns: `*` (everyone, also clients that send no Origin), a full origin
 * (`https://example.com`, port included when it has one), a bare host (any scheme and port), and either with `*.` before the
 * host (its subdomains at any depth, not the host itself). Case does not matter.
 */
export function originAllowed(origin: string, patterns: readonly string[]): boolean {
  if (patterns.includes('*')) return true
  const given = splitOrigin(origin)
  if (given === undefined) return false
  return patterns.some((pattern) => matches(given, pattern.toLowerCase()))
}

interface Origin {
  readonly scheme: string
  readonly host: string
  readonly port: string
}

function matches(given: Origin, pattern: string): boolean {
  const wanted = splitOrigin(pattern.includes('://') ? pattern : `any://${pattern}`)
  if (wanted === undefined) return false
  if (wanted.scheme !== 'any' && (wanted.scheme !== given.scheme || wanted.port !== given.port)) return false
  if (wanted.scheme === 'any' && wanted.port !== '' && wanted.port !== given.port) return false
  return wanted.host.startsWith('*.') ? given.host.endsWith(wanted.host.slice(1)) : wanted.host === given.host
}

function splitOrigin(origin: string): Origin | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[^/:[\]]+)(?::(\d+))?\/?$/.exec(origin.toLowerCase())
  if (match === null) return undefined
  const [, scheme = '', host = '', port = ''] = match
  return { scheme, host, port: port === defaultPorts[scheme] ? '' : port }
}

const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' }
