import fc from 'fast-check'
import { fieldNames } from './field-names.js'

/** Names that are members of every JavaScript object, or mean something to the protocol. */
const words = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  ...fieldNames,
  'pusher:ping',
  'pusher:subscribe',
  'client-x',
  'private-a',
  'presence-a',
  'private-encrypted-cache-a',
  '#server-to-user-7',
  'cache-',
  '',
  '\u0000',
  '\ud800',
  '\udfff\ud800',
  '\u2028',
  '"',
  '\\',
  'é',
  '👩‍👩‍👧',
]

/** Any JavaScript string: words that matter, single UTF-16 units (lone surrogates included), readable text, glued together. */
export const hostileString: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...words) },
  { weight: 3, arbitrary: fc.string({ maxLength: 12 }) },
  {
    weight: 2,
    arbitrary: fc.string({ unit: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 6 }),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...words), fc.constantFrom(...words)).map(([a, b]) => a + b) },
)

/** Numbers as JSON may write them and JavaScript cannot hold them. */
const numberTexts = ['0', '-0', '7', '12345678901234567890', '1e400', '-1E-400', '1.10', '0.1e1', '9007199254740993']

const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r\n ')

/** Valid JSON text of any value, spaced and escaped as a stranger may write it. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'json' },
    hostileString.map((text) => literal(text)),
    fc.constantFrom('null', 'true', 'false', '{}', '[]', ...numberTexts),
    fc.array(tie('value'), { maxLength: 2 }).map((items) => `[${items.join(' ,')}]`),
    fc.array(fc.tuple(hostileString, tie('value')), { maxLength: 2 }).map((members) => objectText(members)),
  ),
})).value

/** A JSON string literal in one of the ways JSON allows: escaped where needed, or everywhere. */
export function literal(text: string): string {
  if (text.length % 3 !== 1) return JSON.stringify(text)
  let escaped = ''
  for (let at = 0; at < text.length; at += 1) escaped += `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`
  return `"${escaped}"`
}

/** @param gap white space between the tokens */
function objectText(members: readonly (readonly [string, string])[], gap = ''): string {
  const pairs = members.map(([name, value]) => `${gap}${literal(name)}${gap}:${gap}${value}`)
  return `{${pairs.join(`${gap},`)}}`
}

/** JSON text of an object with some of the given members, in any order, repeated ones and foreign ones included. */
export function objectWith(members: Readonly<Record<string, fc.Arbitrary<string>>>): fc.Arbitrary<string> {
  const known = Object.entries(members).map(([name, value]) => fc.tuple(fc.constant(name), value))
  const foreign = fc.tuple(hostileString, jsonText)
  return fc
    .tuple(fc.array(fc.oneof(...known, ...known, foreign), { maxLength: 5 }), space)
    .map(([some, gap]) => gap + objectText(some, gap) + gap)
}

const mutations = ['none', 'none', 'none', 'cut', 'drop', 'double', 'swap'] as const

/** The text as it is, or with one place cut, doubled or replaced, so that it is nearly valid. */
export function mutated(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const place = fc.double({ min: 0, max: 0.999, noNaN: true })
  return fc
    .tuple(text, fc.constantFrom(...mutations), place, fc.nat({ max: 0xffff }))
    .map(([whole, kind, where, unit]) => mutate(whole, kind, Math.floor(where * whole.length), unit))
}

function mutate(whole: string, kind: (typeof mutations)[number], at: number, unit: number): string {
  switch (kind) {
    case 'none':
      return whole
    case 'cut':
      return whole.slice(0, at)
    case 'drop':
      return whole.slice(0, at) + whole.slice(at + 1)
    case 'double':
      return whole.slice(0, at) + whole.slice(Math.max(0, at - 5))
    case 'swap':
      return whole.slice(0, at) + String.fromCharCode(unit) + whole.slice(at + 1)
  }
}
