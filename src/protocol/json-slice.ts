/**
 * Finds pieces of JSON text without re-serialising them: number precision, key order and spacing of a publisher's `data` must
 * reach the subscribers unchanged (2.1, 4.3). Everything here is total and linear in the text, and uses no recursion: 50 000
 * levels cost no stack. On text that `JSON.parse` refuses the result means nothing, but nothing throws.
 */

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/**
 * The exact text of a top-level member's value, without the white space around it.
 * @param text JSON text that `JSON.parse` accepted
 * @returns undefined when the text is no object or has no such member; of a repeated member the last one, as `JSON.parse` does
 */
export function memberSlice(text: string, name: string): string | undefined {
  let at = skipSpace(text, 0)
  if (text.charCodeAt(at) !== openBrace) return undefined
  let foundStart = -1
  let foundEnd = -1
  do {
    const keyStart = skipSpace(text, at + 1)
    if (text.charCodeAt(keyStart) !== quote) break
    const keyEnd = endOfString(text, keyStart)
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const valueEnd = endOfValue(text, valueStart)
    if (isKey(text, keyStart, keyEnd, name)) {
      foundStart = valueStart
      foundEnd = valueEnd
    }
    at = skipSpace(text, valueEnd)
  } while (text.charCodeAt(at) === comma)
  return foundStart < 0 ? undefined : text.slice(foundStart, foundEnd)
}

/**
 * The exact texts of an array's elements, in order.
 * @param text JSON text that `JSON.parse` accepted
 * @returns empty when the text is no array
 */
export function elementSlices(text: string): string[] {
  const slices: string[] = []
  let at = skipSpace(text, 0)
  if (text.charCodeAt(at) !== openBracket) return slices
  do {
    const start = skipSpace(text, at + 1)
    const end = endOfValue(text, start)
    if (end > start) slices.push(text.slice(start, end))
    at = skipSpace(text, end)
  } while (text.charCodeAt(at) === comma)
  return slices
}

/** Whether objects and arrays are nested more than `levelsMax` deep; `{}` is one level. Brackets in strings do not count. */
export function depthExceeds(text: string, levelsMax: number): boolean {
  let depth = 0
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = endOfString(text, at)
      continue
    }
    if (code === openBrace || code === openBracket) {
      depth += 1
      if (depth > levelsMax) return true
    } else if (code === closeBrace || code === closeBracket) depth -= 1
    at += 1
  }
  return false
}

/** The index after the value that starts at `start`. */
function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === quote) return endOfString(text, start)
  return first === openBrace || first === openBracket ? endOfContainer(text, start) : endOfScalar(text, start)
}

function endOfContainer(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = endOfString(text, at)
      continue
    }
    at += 1
    if (code === openBrace || code === openBracket) depth += 1
    else if (code === closeBrace || code === closeBracket) {
      depth -= 1
      if (depth === 0) return at
    }
  }
  return at
}

/** Numbers and the three words: up to the next separator. */
function endOfScalar(text: string, start: number): number {
  let at = start
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === comma || code === closeBrace || code === closeBracket || code === colon || isSpace(code)) break
    at += 1
  }
  return at
}

/** The index after the string whose opening quote is at `start`: after the first quote behind an even run of backslashes. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  for (;;) {
    const found = text.indexOf('"', at)
    if (found < 0) return text.length
    let runStart = found
    while (runStart > at && text.charCodeAt(runStart - 1) === backslash) runStart -= 1
    if ((found - runStart) % 2 === 0) return found + 1
    at = found + 1
  }
}

function skipSpace(text: string, start: number): number {
  let at = start
  while (isSpace(text.charCodeAt(at))) at += 1
  return at
}

/** JSON's four kinds of white space; NaN behind the end of the text is none of them. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

/** Whether the key between the quotes at `start` and before `end` is `name`, written with escapes or without. */
function isKey(text: string, start: number, end: number, name: string): boolean {
  const length = end - start - 2
  if (length < name.length) return false
  const key = text.slice(start + 1, end - 1)
  if (!key.includes('\\')) return key === name
  try {
    return JSON.parse(`"${key}"`) === name
  } catch {
    // Only text that JSON.parse refused as a whole can have such a key.
    return false
  }
}
