/** Ids of the outbox's entries: `MS-NUMBER`, as Redis gives them to the entries of a stream. '' stands before the first. */

/** Short enough that both parts are exact numbers. */
const pattern = /^\d{1,15}-\d{1,15}$/

export function isEntryId(text: string): boolean {
  return pattern.test(text)
}

export function isAfter(id: string, other: string): boolean {
  const [ms, number] = partsOf(id)
  const [otherMs, otherNumber] = partsOf(other)
  return ms > otherMs || (ms === otherMs && number > otherNumber)
}

/** The smallest id after this one. */
export function nextId(id: string): string {
  const [ms, number] = partsOf(id)
  return `${ms}-${number + 1}`
}

function partsOf(id: string): readonly [number, number] {
  const dash = id.indexOf('-')
  return id === '' ? [-1, 0] : [Number(id.slice(0, dash)), Number(id.slice(dash + 1))]
}
