/** What the address and the headers of a webhook may be. Each message continues the sentence "KEY is VALUE, but …". */

const urlCharsMax = 2000
const headersMax = 32
const headerCharsMax = 4096

/** A token of HTTP: what a header's name is. */
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
/** Other characters have no encoding that both sides agree on, and control characters end a header. */
const headerValue = /^[ -~]*$/

/** Set for each request, or part of how it is sent. In small letters. */
const reservedHeaders = new Set([
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-belfry-delivery',
  'x-pusher-key',
  'x-pusher-signature',
])

/** What is wrong with an address that begins with http:// or https:// and holds no spaces; undefined when nothing is. */
export function addressProblem(address: string): string | undefined {
  if (address.length > urlCharsMax) return `must not be longer than ${urlCharsMax} characters`
  if (!URL.canParse(address)) return 'must be a whole address, like https://example.com/hook'
  if (address.includes('#')) return 'must not have a # and what follows it, which is never sent'
  const { username, password } = new URL(address)
  if (!isDecodable(username) || !isDecodable(password))
    return 'has a % in its user or password that is not written as %25'
  return undefined
}

/** A problem with one header, or, without its name, with all of them: a name that is wrong may be a secret in the wrong place. */
export interface HeaderProblem {
  readonly name?: string
  readonly message: string
}

export function headerProblems(headers: Readonly<Record<string, string>>): HeaderProblem[] {
  const problems: HeaderProblem[] = []
  const entries = Object.entries(headers)
  if (entries.length > headersMax) problems.push({ message: `must not hold more than ${headersMax} headers` })
  const known = new Set<string>()
  for (const [index, [name, value]] of entries.entries()) {
    if (!headerName.test(name)) {
      problems.push({
        message: `the name of header ${index + 1} may hold only letters, digits and ! # $ % & ' * + - . ^ _ \` | ~`,
      })
      continue
    }
    const lower = name.toLowerCase()
    if (reservedHeaders.has(lower)) problems.push({ name, message: 'is a header that Belfry itself sends' })
    else if (known.has(lower)) problems.push({ name, message: 'the same name stands there in other capitals' })
    else if (!headerValue.test(value)) problems.push({ name, message: 'may hold only printable ASCII characters' })
    else if (value.length > headerCharsMax)
      problems.push({ name, message: `must not be longer than ${headerCharsMax} characters` })
    known.add(lower)
  }
  return problems
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    // A % that begins no escape.
    return false
  }
}
