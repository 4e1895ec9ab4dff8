/** Replaces every `…File` of the draft by what the file holds (R30: read anew with every load). */
import { parse } from 'yaml'
import { factsOf, type KeyFacts, type Shape } from './declare.js'
import { isObject, type Draft } from './draft.js'
import type { Path } from './keys.js'
import { configSchema } from './schema.js'

/** Reads a text file whole; throws when it cannot. */
export type ReadText = (path: string) => string

export function readSecretFiles(draft: Draft, readText: ReadText): void {
  visit(draft, [], configSchema.shape, readText)
}

function visit(draft: Draft, path: Path, shape: Shape, readText: ReadText): void {
  for (const [name, schema] of Object.entries(shape)) {
    const facts = factsOf(schema)
    const own = [...path, name]
    if (facts.secret === true) readTwin(draft, own, [...path, `${name}File`], facts, readText)
    if (facts.shape === undefined) continue
    const value = draft.get(own)
    if (Array.isArray(value)) for (const index of value.keys()) visit(draft, [...own, index], facts.shape, readText)
    else if (isObject(value)) visit(draft, own, facts.shape, readText)
  }
}

function readTwin(draft: Draft, path: Path, filePath: Path, facts: KeyFacts, readText: ReadText): void {
  const file = draft.get(filePath)
  // Anything but a name is refused by the schema.
  if (typeof file !== 'string' || file === '') return
  const fileLabel = draft.labelOf(filePath)
  if (draft.get(path) !== undefined) {
    draft.problems.push(`${draft.labelOf(path)} and ${fileLabel} are both set: keep one of them.`)
    draft.delete(filePath)
    return
  }
  const value = readValue(draft, file, fileLabel, facts, readText)
  if (value === undefined) return
  draft.fill(path, value, file)
  draft.delete(filePath)
}

function readValue(draft: Draft, file: string, label: string, facts: KeyFacts, readText: ReadText): unknown {
  let text: string
  try {
    text = readText(file).replace(/[\r\n]+$/, '')
  } catch (error) {
    draft.problems.push(
      `${label} names ${file}, which cannot be read (${errorCode(error)}): check the path and its permissions.`,
    )
    return undefined
  }
  if (facts.kind === 'text') {
    if (text === '') draft.problems.push(`${label} names ${file}, which is empty: put the value into it.`)
    return text === '' ? undefined : text
  }
  try {
    return parse(text, { prettyErrors: false }) as unknown
  } catch {
    draft.problems.push(`${label} names ${file}, which is neither YAML nor JSON: correct it.`)
    return undefined
  }
}

/** `ENOENT` and the like; never a message, which may quote content. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error'
}
