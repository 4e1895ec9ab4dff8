/** Says in one sentence each what is wrong with a value: what, the limit, the value (never a secret's), what to do. */
import type { z } from 'zod'
import { shownAddress } from './addresses.js'
import { factsOf, type KeyFacts, type Shape } from './declare.js'
import type { Draft, Problem } from './draft.js'
import { pathText, type Path } from './keys.js'
import { nearestName } from './nearest.js'
import { configSchema } from './schema.js'

type Issue = z.core.$ZodIssue

export function sentencesOf(issues: readonly Issue[], draft: Draft): Problem[] {
  return issues.flatMap((issue) => sentences(issue, [], draft))
}

function sentences(issue: Issue, parent: Path, draft: Draft): Problem[] {
  const path = [...parent, ...keyPath(issue.path)]
  const label = draft.labelOf(path)
  const value = shown(draft.get(path), factsAt(path))
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((name) => unknownKey(name, path, draft))
    case 'invalid_union':
      return union(issue, path, draft)
    case 'invalid_type':
      if (draft.get(path) === undefined) return [missing(label, path)]
      return [`${label} is ${value}, but must be ${typeName(issue)}: correct it.`]
    case 'invalid_value':
      return [`${label} is ${value}, but must be ${wordList(issue.values)}: ${advice(draft.get(path), issue.values)}`]
    case 'too_small':
      return [tooSmall(issue, label, value)]
    case 'too_big':
      return [tooBig(issue, label, value, draft.get(path))]
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
      return [`${label} is ${value}, but ${issue.message}: correct it.`]
  }
}

function missing(label: string, path: Path): Problem {
  const description = factsAt(path)?.description ?? ''
  return `${label} is missing: set it${description === '' ? '' : ` (${lowerFirst(description.replace(/\.$/, ''))})`}.`
}

function tooSmall(issue: z.core.$ZodIssueTooSmall, label: string, value: string): Problem {
  if (issue.origin === 'string') return `${label} is empty: give it a value or leave it out.`
  if (value === '0') return `${label} is 0, which does not mean "no limit" here: give at least ${issue.minimum}.`
  return `${label} is ${value}, but must be at least ${issue.minimum}: give a larger number.`
}

function tooBig(issue: z.core.$ZodIssueTooBig, label: string, shownValue: string, value: unknown): string {
  if (Array.isArray(value))
    return `${label} has ${value.length} entries, but may have at most ${issue.maximum}: remove some.`
  return `${label} is ${shownValue}, but may be at most ${issue.maximum}: give a smaller number.`
}

/** A union reports the alternative that came furthest into the value; a text of its own, if the schema has one, wins. */
function union(issue: z.core.$ZodIssueInvalidUnion, path: Path, draft: Draft): Problem[] {
  const value = draft.get(path)
  if (value === undefined) return [missing(draft.labelOf(path), path)]
  const word = factsAt(path)?.word
  if (word !== undefined && typeof value !== 'object') {
    return [
      `${draft.labelOf(path)} is ${shown(value, factsAt(path))}, but must be ${word} or the single keys: correct it.`,
    ]
  }
  const furthest = issue.errors.find((branch) =>
    branch.some((inner) => inner.code !== 'invalid_type' || inner.path.length > 0),
  )
  if (issue.message === 'Invalid input' && furthest !== undefined) {
    return furthest.flatMap((inner) => sentences(inner, path, draft))
  }
  return [`${draft.labelOf(path)} is ${shown(value, factsAt(path))}, but ${issue.message}: correct it.`]
}

function unknownKey(name: string, path: Path, draft: Draft): Problem {
  const siblings = Object.keys(shapeAt(path) ?? {})
  const nearest = nearestName(name, siblings) ?? placeOf(name, shapeAt(path) ?? {})
  const label = draft.labelOf([...path, name])
  if (nearest === undefined) return `${label} is not a known key: remove it, or look it up in docs/configuration.md.`
  return `${label} is not a known key: did you mean ${pathText([...path, ...nearest.split('.')])}?`
}

/** Where a key with exactly this name stands further down, as `limits.eventBytes`. */
function placeOf(name: string, shape: Shape): string | undefined {
  for (const [group, schema] of Object.entries(shape)) {
    const facts = factsOf(schema)
    if (facts.kind !== 'group' || facts.shape === undefined) continue
    if (Object.hasOwn(facts.shape, name)) return `${group}.${name}`
  }
  return undefined
}

/** A value as a message may show it: short, without a secret and without the login of an address. */
export function shown(value: unknown, facts: KeyFacts | undefined): string {
  if (facts?.secret === true) return 'set'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a group of keys'
  if (typeof value !== 'string') return String(value)
  const plain = facts?.address === true ? shownAddress(value) : value.replace(/\/\/[^/@]*@/, '//…@')
  return JSON.stringify(plain.length > 60 ? `${plain.slice(0, 60)}…` : plain)
}

function typeName(issue: z.core.$ZodIssueInvalidType): string {
  switch (String(issue.expected)) {
    case 'number':
    case 'int':
      return 'a whole number'
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'a list'
    case 'object':
    case 'record':
      return 'a group of keys'
    case 'string':
      return 'text (in YAML: put it into quotes)'
    default:
      return issue.expected
  }
}

function wordList(values: readonly unknown[]): string {
  const words = values.map(String)
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function advice(value: unknown, values: readonly unknown[]): string {
  const nearest = typeof value === 'string' ? nearestName(value, values.map(String)) : undefined
  return nearest === undefined ? 'choose one of them.' : `did you mean ${nearest}?`
}

function factsAt(path: Path): KeyFacts | undefined {
  let shape: Shape | undefined = configSchema.shape
  let facts: KeyFacts | undefined
  for (const part of path) {
    if (typeof part === 'number') continue
    const schema = shape?.[part]
    // An element of a list or a map has the facts of the whole.
    if (schema === undefined) return facts?.kind === 'map' ? facts : undefined
    facts = factsOf(schema)
    shape = facts.shape
  }
  return facts
}

function shapeAt(path: Path): Shape | undefined {
  return path.length === 0 ? configSchema.shape : factsAt(path)?.shape
}

function keyPath(path: readonly PropertyKey[]): Path {
  return path.map((part) => (typeof part === 'symbol' ? part.toString() : part))
}

function lowerFirst(sentence: string): string {
  // Not of an abbreviation.
  return /^[A-Z][a-z ]/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence
}
