import { describe, expect, it } from 'vitest'
import { depthExceeds, elementSlices, memberSlice } from '../../../src/protocol/json-slice.js'

describe('memberSlice', () => {
  it.each([
    ['{"data":1}', '1'],
    ['{"data":12345678901234567890}', '12345678901234567890'],
    ['{"data":1.10e+5}', '1.10e+5'],
    ['{"data":{"b":1, "a":2}}', '{"b":1, "a":2}'],
    ['{ "x" : [1,{"data":9}] , "data" :  [ 1 , "]" ] }', '[ 1 , "]" ]'],
    ['\n\t{\r"data"\n:\ttrue\n}', 'true'],
    ['{"data":"a\\"b\\\\"}', '"a\\"b\\\\"'],
    ['{"data":"\\\\\\\\","x":"\\\\\\""}', '"\\\\\\\\"'],
    ['{"data":null,"z":{}}', 'null'],
    ['{"d\\u0061ta":[7]}', '[7]'],
    ['{"data":1,"data":2}', '2'],
    ['{"data":1,"d\\u0061ta":{}}', '{}'],
    ['{"\\"data":1,"data":3}', '3'],
    ['{"__proto__":{"data":1},"data":4}', '4'],
    ['{"data":""}', '""'],
    ['{"data":"}{][,:"}', '"}{][,:"'],
  ])('of %s', (text, expected) => {
    expect(memberSlice(text, 'data')).toBe(expected)
  })

  it.each([
    '{}',
    '[]',
    '"data"',
    'null',
    '1',
    '[{"data":1}]',
    '{"x":{"data":1}}',
    '{"dat":1,"data1":2}',
    '{"x":"\\"data\\":1"}',
  ])('finds nothing in %s', (text) => {
    expect(memberSlice(text, 'data')).toBeUndefined()
  })

  it('keeps 50 000 levels without a deep stack', () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000)
    expect(memberSlice(`{"a":1,"data":${deep},"b":2}`, 'data')).toBe(deep)
  })

  it('is linear: a million backslashes, quotes and members take no time worth naming', () => {
    const texts = [
      `{"data":"${'\\\\'.repeat(500_000)}"}`,
      `{"data":"${'\\"'.repeat(500_000)}"}`,
      `{${'"a":1,'.repeat(150_000)}"data":1}`,
      `{"${'\\u0061'.repeat(150_000)}":1,"data":1}`,
    ]
    const startMs = performance.now()
    for (const text of texts) expect(memberSlice(text, 'data')).toBeDefined()
    expect(performance.now() - startMs).toBeLessThan(1000)
  })

  it.each([
    '',
    '{',
    '{"',
    '{"data',
    '{"data"',
    '{"data":',
    '{"data":"',
    '{"data":[',
    '{"data":1,',
    '{,}',
    '{"\\":1}',
    '{"\\u00":1}',
    '}',
    '{"a"}',
  ])('ends on the broken text %s', (text) => {
    expect(() => memberSlice(text, 'data')).not.toThrow()
  })
})

describe('elementSlices', () => {
  it.each([
    ['[]', []],
    ['[ ]', []],
    ['{}', []],
    ['[1, {"a":[1,2]} ,"x,y" , null]', ['1', '{"a":[1,2]}', '"x,y"', 'null']],
    [' [[],[[]]] ', ['[]', '[[]]']],
  ])('of %s', (text, expected) => {
    expect(elementSlices(text)).toEqual(expected)
  })

  it.each(['[', '[,', '[1', '[1,', '["', '[[', ']'])('ends on the broken text %s', (text) => {
    expect(() => elementSlices(text)).not.toThrow()
  })
})

describe('depthExceeds', () => {
  it.each([
    ['1', 0, false],
    ['{}', 0, true],
    ['{}', 1, false],
    ['{"a":[]}', 1, true],
    ['{"a":[]}', 2, false],
    ['[[],[],[]]', 2, false],
    ['["[[[[","{{{\\"[["]', 1, false],
    ['', 0, false],
    ['"[', 0, false],
  ])('%s has more than %i levels: %s', (text, levelsMax, expected) => {
    expect(depthExceeds(text, levelsMax)).toBe(expected)
  })

  it('answers for 50 000 levels', () => {
    expect(depthExceeds('['.repeat(50_000) + ']'.repeat(50_000), 64)).toBe(true)
  })
})
