/** Reads a `.env` file the way Laravel does: comments, `export`, quotes, and `${NAME}` for an earlier or an outer variable. */

export interface DotenvResult {
  readonly variables: ReadonlyMap<string, string>
  /** Lines that could not be read, as `line 3 has …`; never their content. */
  readonly problems: readonly string[]
}

type Variables = Readonly<Record<string, string | undefined>>

const assignment = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)[ \t]*=[ \t]*/
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' }

/** @param outer variables of the process, which `${NAME}` prefers as Laravel does */
export function parseDotenv(text: string, outer: Variables): DotenvResult {
  const variables = new Map<string, string>()
  const problems: string[] = []
  const lookUp = (name: string) => outer[name] ?? variables.get(name)
  const source = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  let position = 0
  while (position < source.length) {
    const { end, entry, problem } = readEntry(source, position, lookUp)
    if (entry !== undefined) variables.set(entry.name, entry.value)
    if (problem !== undefined) problems.push(`line ${lineOf(source, position)} ${problem}`)
    position = end
  }
  return { variables, problems }
}

interface Entry {
  readonly end: number
  readonly entry?: { readonly name: string; readonly value: string }
  readonly problem?: string
}

type LookUp = (name: string) => string | undefined

/** One line, or more when a quoted value goes over several. */
function readEntry(source: string, start: number, lookUp: LookUp): Entry {
  const lineEnd = endOfLine(source, start)
  const indented = source.slice(start, lineEnd)
  const line = indented.trimStart()
  if (line === '' || line.startsWith('#')) return { end: lineEnd + 1 }
  const match = assignment.exec(line)
  if (match === null) {
    // A bare name sets nothing.
    const bare = /^(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_.]*[ \t]*(#.*)?$/.test(line)
    return bare ? { end: lineEnd + 1 } : { end: lineEnd + 1, problem: 'is no NAME=value' }
  }
  const name = match[1] ?? ''
  const valueStart = start + (indented.length - line.length) + match[0].length
  const quote = source[valueStart]
  if (quote !== '"' && quote !== "'") {
    const plain = source
      .slice(valueStart, lineEnd)
      .replace(/(^|[ \t])#.*$/, '')
      .trim()
    return { end: lineEnd + 1, entry: { name, value: interpolate(plain, lookUp) } }
  }
  const close = closingQuote(source, valueStart)
  if (close === undefined) return { end: lineEnd + 1, problem: 'has a quote that is never closed' }
  const inner = source.slice(valueStart + 1, close)
  const end = endOfLine(source, close) + 1
  if (!/^[ \t]*(#.*)?$/.test(source.slice(close + 1, end - 1)))
    return { end, problem: 'goes on after the closing quote' }
  return { end, entry: { name, value: quote === "'" ? inner : expandQuoted(inner, lookUp) } }
}

/** Position of the quote that closes the one at `open`; a backslash protects the next character of a double-quoted value. */
function closingQuote(source: string, open: number): number | undefined {
  const quote = source[open]
  for (let index = open + 1; index < source.length; index++) {
    if (quote === '"' && source[index] === '\\') index++
    else if (source[index] === quote) return index
  }
  return undefined
}

function expandQuoted(inner: string, lookUp: LookUp): string {
  return inner.replace(
    /\\(.)|\$\{([A-Za-z0-9_.]+)\}/gs,
    (whole, escaped: string | undefined, name: string | undefined) => {
      if (name !== undefined) return lookUp(name) ?? whole
      return escapes[escaped ?? ''] ?? whole
    },
  )
}

/** A name nobody knows stays as it is written. */
function interpolate(value: string, lookUp: LookUp): string {
  return value.replace(/\$\{([A-Za-z0-9_.]+)\}/g, (whole, name: string) => lookUp(name) ?? whole)
}

function endOfLine(source: string, from: number): number {
  const newline = source.indexOf('\n', from)
  return newline < 0 ? source.length : newline
}

function lineOf(source: string, position: number): number {
  return source.slice(0, position).split('\n').length
}
