/**
 * The query of a REST request in the two forms a library may have signed: values percent-decoded, and values as they stand on
 * the wire (node, go and .NET put raw values there; 4.1). Names are decoded and lower-cased in both.
 */
export interface Query {
  readonly params: Params
  /** PARAMS of the string to sign: all but auth_signature, sorted by name, `name=value` joined by `&`. */
  readonly signed: string
  /** The same with the values undecoded; undefined when there was nothing to decode. */
  readonly raw: { readonly params: Params; readonly signed: string } | undefined
  /** A name given more than once that does not end in `[]`: such a request is refused. */
  readonly duplicate: string | undefined
}

/** Query parameters by name. Holds any name from outside, `__proto__` included, without an object of that shape. */
export class Params {
  readonly #names: readonly string[]
  readonly #values: readonly string[]

  constructor(names: readonly string[], values: readonly string[]) {
    this.#names = names
    this.#values = values
  }

  /** The value of a name, or undefined when it is absent. */
  get(name: string): string | undefined {
    const index = this.#names.indexOf(name)
    return index < 0 ? undefined : this.#values[index]
  }

  /** The values of a repeatable name (`channels[]`), in the order received. */
  all(name: string): string[] {
    return this.#values.filter((_, index) => this.#names[index] === name)
  }
}

const signatureName = 'auth_signature'

/** Reads a raw query string (without `?`). Total: invalid percent-encoding is kept as it stands. */
export function parseQuery(query: string): Query {
  return readSorted(query) ?? readAny(query)
}

/**
 * The common case at a tenth of the cost: names in lower case and in order, nothing to decode. Then what was signed is the query
 * itself, less the signature. Undefined when the query is not of that kind.
 */
function readSorted(query: string): Query | undefined {
  if (query.includes('%') || query.includes('+')) return undefined
  const names: string[] = []
  const values: string[] = []
  let previous = ''
  let signed = query
  for (let start = 0; start < query.length;) {
    const nextAmpersand = query.indexOf('&', start)
    const end = nextAmpersand < 0 ? query.length : nextAmpersand
    const equals = query.indexOf('=', start)
    if (equals < 0 || equals >= end) return undefined
    const name = query.slice(start, equals)
    if (name === signatureName) {
      if (signed !== query) return undefined
      signed = withoutPiece(query, start, end)
    } else {
      if (name <= previous || !isPlainName(name)) return undefined
      previous = name
    }
    names.push(name)
    values.push(query.slice(equals + 1, end))
    start = end + 1
  }
  if (query.endsWith('&')) return undefined
  return { params: new Params(names, values), signed, raw: undefined, duplicate: undefined }
}

/** The query without the parameter at `start`…`end` and without one of the ampersands beside it. */
function withoutPiece(query: string, start: number, end: number): string {
  if (start === 0) return query.slice(end + 1)
  return query.slice(0, start - 1) + query.slice(end)
}

/** Lower-case ASCII, so that neither decoding nor lower-casing could change it. */
function isPlainName(name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    const code = name.charCodeAt(index)
    if (code > 0x7f || (code >= 0x41 && code <= 0x5a)) return false
  }
  return true
}

/** Any query: one pass per step, in plain loops, because Ruby, Java and .NET send theirs unsorted. */
function readAny(query: string): Query {
  const encoded = query.includes('%') || query.includes('+')
  const names: string[] = []
  const rawValues: string[] = []
  for (const piece of query.split('&')) {
    if (piece === '') continue
    const equals = piece.indexOf('=')
    const name = equals < 0 ? piece : piece.slice(0, equals)
    names.push((encoded ? decodeQueryText(name) : name).toLowerCase())
    rawValues.push(equals < 0 ? '' : piece.slice(equals + 1))
  }
  const values = encoded ? rawValues.map(decodeQueryText) : rawValues
  // The sort is stable: values of one name keep the order they were given in.
  const order = names.map((_, index) => index).sort((one, other) => compare(names[one] ?? '', names[other] ?? ''))
  return {
    params: new Params(names, values),
    signed: signedText(order, names, values),
    raw: encoded ? { params: new Params(names, rawValues), signed: signedText(order, names, rawValues) } : undefined,
    duplicate: findDuplicate(order, names),
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function signedText(order: readonly number[], names: readonly string[], values: readonly string[]): string {
  let text = ''
  for (const index of order) {
    const name = names[index] ?? ''
    if (name !== signatureName) text += `${text === '' ? '' : '&'}${name}=${values[index] ?? ''}`
  }
  return text
}

function findDuplicate(order: readonly number[], names: readonly string[]): string | undefined {
  let previous: string | undefined
  for (const index of order) {
    const name = names[index] ?? ''
    if (name === previous && !name.endsWith('[]')) return name
    previous = name
  }
  return undefined
}

function decodeQueryText(text: string): string {
  return decodePercent(text.includes('+') ? text.replaceAll('+', ' ') : text)
}

const escapes = /(?:%[0-9A-Fa-f]{2})+/g

/** Percent-decodes as UTF-8. Total: an invalid escape stays as it stands, invalid UTF-8 becomes U+FFFD. */
export function decodePercent(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(escapes, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
}
