import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { depthExceeds, elementSlices, memberSlice } from '../../src/protocol/json-slice.js'

const numRuns = Number(process.env['BELFRY_TEST_FUZZ_RUNS'] ?? 100_000)

const space = fc.constantFrom('', '', '', ' ', '\n', '\t \r')
const stringText = fc.constantFrom(
  '""',
  '"a"',
  '"\\""',
  '"\\\\"',
  '"\\\\\\""',
  '"}],:{["',
  '"\\u0022"',
  '"data"',
  '"ü😀"',
  '"\\ud800"',
  '"//"',
)
const scalarText = fc.oneof(
  stringText,
  fc.constantFrom('0', '-1.50e+10', '12345678901234567890', 'true', 'false', 'null'),
)
const keyText = fc.constantFrom(
  '"data"',
  '"data"',
  '"d\\u0061ta"',
  '"dat"',
  '"data\\""',
  '"\\\\data"',
  '""',
  '"__proto__"',
  '"batch"',
)
const { valueText } = fc.letrec<{ valueText: string }>((tie) => ({
  valueText: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalarText,
    fc
      .tuple(space, fc.array(tie('valueText'), { maxLength: 3 }), space)
      .map(([before, values, after]) => `[${before}${values.join(`${after},${before}`)}${after}]`),
    fc
      .tuple(space, fc.array(fc.tuple(keyText, tie('valueText')), { maxLength: 3 }))
      .map(
        ([gap, members]) => `{${gap}${members.map(([name, value]) => `${name}${gap}:${gap}${value}`).join(',')}${gap}}`,
      ),
  ),
}))
const members = fc.array(fc.tuple(keyText, valueText), { maxLength: 5 })

it('memberSlice: the exact text of the last member of that name', () => {
  fc.assert(
    fc.property(members, space, (list, gap) => {
      const text = `${gap}{${gap}${list.map(([name, value]) => `${name}${gap}:${gap}${value}${gap}`).join(`,${gap}`)}}${gap}`
      for (const name of ['data', '__proto__', 'batch', 'absent', '', 'data"', '\\data']) {
        const expected = list.findLast(([written]) => JSON.parse(written) === name)?.[1]
        if (memberSlice(text, name) !== expected) throw new Error(`${name} of ${text}`)
      }
    }),
    { numRuns },
  )
})

it('elementSlices: the exact texts of the elements', () => {
  fc.assert(
    fc.property(fc.array(valueText, { maxLength: 5 }), space, (values, gap) => {
      const text = `${gap}[${gap}${values.join(`${gap},${gap}`)}${gap}]${gap}`
      if (!isDeepStrictEqual(elementSlices(text), values)) throw new Error(text)
    }),
    { numRuns },
  )
})

it('depthExceeds: as deep as the parsed value', () => {
  fc.assert(
    fc.property(valueText, (text) => {
      const levels = depthOf(text)
      if (depthExceeds(text, levels) || (levels > 0 && !depthExceeds(text, levels - 1))) throw new Error(text)
    }),
    { numRuns },
  )
})

it('any text: no function throws, and what JSON.parse accepts is sliced as it parses', () => {
  const piece = fc.constantFrom(...Array.from('{}[]":,\\ \n0a'), '"data"', '{"data":', '\\"', '\\\\', '"a":', '\ud800')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join('')
      const slice = memberSlice(text, 'data')
      const elements = elementSlices(text)
      depthExceeds(text, 3)
      const value = parsed(text)
      if (value === undefined) return
      const data =
        typeof value === 'object' && value !== null
          ? (Object.getOwnPropertyDescriptor(value, 'data')?.value as unknown)
          : undefined
      if (!isDeepStrictEqual(slice === undefined ? undefined : parsed(slice), data)) throw new Error(text)
      if (!isDeepStrictEqual(elements.map(parsed), Array.isArray(value) ? value : [])) throw new Error(text)
    }),
    { numRuns },
  )
})

it('the generators make valid JSON', () => {
  for (const text of fc.sample(valueText, { numRuns: 500, seed: 1 }))
    expect(() => JSON.parse(text) as unknown).not.toThrow()
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Levels of brackets outside of strings, by taking the strings away first. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (const bracket of text.replaceAll(/"(?:[^"\\]|\\.)*"/gs, '').replaceAll(/[^[\]{}]/g, '')) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}
