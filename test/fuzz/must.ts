/** What `expect` does, cheap enough for a hundred thousand cases. @throws Error when it does not hold */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`does not hold: ${what}`)
}

export function parseAny(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (_notJson) {
    return undefined
  }
}

/** The object a text holds; undefined when it is no JSON object. */
export function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = parseAny(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
