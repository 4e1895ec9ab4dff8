/**
 * The words the configuration tree (schema.ts) is written in. Each makes a zod schema, from which the types and the validation
 * come, and notes the facts zod has no place for; environment names, flags, the reference page and redaction come from those.
 */
import { z } from 'zod'

export type KeyKind = 'text' | 'whole' | 'toggle' | 'choice' | 'texts' | 'list' | 'map' | 'group'

export interface KeyFacts {
  readonly kind: KeyKind
  readonly description: string
  readonly unit?: Unit
  /** Never shown. Such a key has a twin `…File` that names the file it is read from. */
  readonly secret?: true
  /** An address: shown without its login and its query, which are often secrets. */
  readonly address?: true
  /** For the reference page, when the default is no plain value. */
  readonly defaultText?: string
  /** A group that may also be given as this one word. */
  readonly word?: string
  /** The keys of a group, or of one element of a list of groups. */
  readonly shape?: Shape
}

export type Unit = 'ms' | 's' | 'bytes' | 'percent' | 'per second' | 'characters'
export type Shape = Readonly<Record<string, z.ZodType>>

const factsBySchema = new WeakMap<z.core.$ZodType, KeyFacts>()

/** What was declared about a key. Every key of the tree has facts; a test walks all of them. */
export function factsOf(schema: z.ZodType): KeyFacts {
  const facts = factsBySchema.get(schema)
  if (facts === undefined) throw new Error('a configuration key was not made by declare.ts')
  return facts
}

/** As `factsOf`, for schemas that may be inner parts of a key. */
export function factsIfDeclared(schema: z.core.$ZodType): KeyFacts | undefined {
  return factsBySchema.get(schema)
}

/** Attaches facts to a schema that none of the words below makes. */
export function declare<S extends z.ZodType>(schema: S, facts: KeyFacts): S {
  factsBySchema.set(schema, facts)
  return schema
}

/** What a text must look like; `hint` continues the sentence "it …". */
export interface TextRule {
  readonly pattern: RegExp
  readonly hint: string
}

export function text(description: string, options: { default: string; rule?: TextRule }): z.ZodDefault<z.ZodString> {
  return declare(ruled(options.rule).default(options.default), { kind: 'text', description })
}

export function requiredText(description: string, rule?: TextRule): z.ZodString {
  return declare(ruled(rule).min(1), { kind: 'text', description })
}

export function optionalText(
  description: string,
  options: { rule?: TextRule; defaultText?: string } = {},
): z.ZodOptional<z.ZodString> {
  const { rule, ...facts } = options
  return declare(ruled(rule).min(1).optional(), { kind: 'text', description, ...facts })
}

/** A text that is never shown. Its shape must also have `…File`, made by `fileOf`. */
export function secret(description: string, rule?: TextRule): z.ZodOptional<z.ZodString> {
  return declare(ruled(rule).min(1).optional(), { kind: 'text', description, secret: true })
}

/** The twin of a secret: the file to read it from, so that it stands in no configuration, environment or process list. */
export function fileOf(name: string): z.ZodOptional<z.ZodString> {
  return declare(z.string().min(1).optional(), { kind: 'text', description: `File that holds \`${name}\`.` })
}

export interface WholeOptions {
  readonly default: number
  readonly min: number
  readonly max: number
  readonly unit?: Unit
}

/** A whole number. Where 0 is allowed the description says what it means. */
export function whole(description: string, options: WholeOptions): z.ZodDefault<z.ZodInt> {
  const schema = z.int().min(options.min).max(options.max).default(options.default)
  return declare(schema, { kind: 'whole', description, ...(options.unit === undefined ? {} : { unit: options.unit }) })
}

export function toggle(description: string, options: { default: boolean }): z.ZodDefault<z.ZodBoolean> {
  return declare(z.boolean().default(options.default), { kind: 'toggle', description })
}

export function choice<const Words extends readonly [string, ...string[]]>(
  description: string,
  words: Words,
  options: { default: Words[number] },
): z.ZodDefault<z.ZodEnum<{ [Word in Words[number]]: Word }>> {
  const schema = z.enum(words).default(options.default as never)
  return declare(schema, { kind: 'choice', description })
}

export function texts(
  description: string,
  options: { default: string[]; item?: z.ZodString },
): z.ZodDefault<z.ZodArray<z.ZodString>> {
  return declare(z.array(options.item ?? z.string().min(1)).default(options.default), { kind: 'texts', description })
}

/** Keys that belong together; always there, because each of them has a default. */
export function group<S extends Shape>(description: string, shape: S): z.ZodPrefault<z.ZodObject<S, z.core.$strict>> {
  const schema = z.strictObject(shape)
  // Every key of such a group has a default, which the compiler cannot see for an open S.
  return declare(schema.prefault({} as z.input<typeof schema>), { kind: 'group', description, shape })
}

/** Keys that belong together and may be left out as a whole. */
export function optionalGroup<S extends Shape>(
  description: string,
  shape: S,
): z.ZodOptional<z.ZodObject<S, z.core.$strict>> {
  return declare(z.strictObject(shape).optional(), { kind: 'group', description, shape })
}

/** A list of groups, empty by default. Where it has a maximum the description says so. */
export function list<S extends Shape>(
  description: string,
  item: z.ZodObject<S, z.core.$strict>,
  options: { max?: number } = {},
): z.ZodDefault<z.ZodArray<z.ZodObject<S, z.core.$strict>>> {
  const items = options.max === undefined ? z.array(item) : z.array(item).max(options.max)
  return declare(items.default([]), { kind: 'list', description, shape: item.shape })
}

function ruled(rule: TextRule | undefined): z.ZodString {
  return rule === undefined ? z.string() : z.string().regex(rule.pattern, { error: rule.hint })
}
