import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countedHead, decodeMessage } from '../../../../src/backend/redis/wire.js'

describe('the count of a channel on the bus', () => {
  test.each([0, 1, 100, Number.MAX_SAFE_INTEGER])('%i', (total) => {
    expect(decodeMessage(`${countedHead('a1b2')}${total}\n`)).toEqual({ type: 'counted', total })
  })

  test.each([
    ['no line break', '1n a1b2 5'],
    ['a body', '1n a1b2 5\nmore'],
    ['a second line break', '1n a1b2 5\n\n'],
    ['no number', '1n a1b2 \n'],
    ['no field for the number', '1n a1b2\n'],
    ['no origin', '1n  5\n'],
    ['one field too many', '1n a1b2 5 6\n'],
    ['a negative number', '1n a1b2 -1\n'],
    ['a fraction', '1n a1b2 1.5\n'],
    ['an exponent', '1n a1b2 1e3\n'],
    ['a word', '1n a1b2 NaN\n'],
    ['a number that is not exact', '1n a1b2 9007199254740993\n'],
    ['a number without end', `1n a1b2 ${'9'.repeat(40)}\n`],
    ['space around the number', '1n a1b2 \t5\n'],
    ['another version', '2n a1b2 5\n'],
    ['a head without end', `1n ${'a'.repeat(300)} 5\n`],
  ])('with %s is junk', (_what, payload) => {
    expect(decodeMessage(payload)).toBeUndefined()
  })

  test('whatever follows its type never throws, and is a whole number or junk', () => {
    const digits = fc.string({ unit: fc.constantFrom('0', '9', '-', '.', 'e', ' ', '\n'), maxLength: 20 })
    const field = fc.oneof(digits, fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(field, (rest) => {
        const message = decodeMessage(`1n ${rest}`)
        if (message !== undefined) {
          expect(message.type === 'counted' && Number.isSafeInteger(message.total) && message.total >= 0).toBe(true)
        }
      }),
    )
  })
})

describe('an entry of the outbox on the bus', () => {
  test('with its id', () => {
    expect(decodeMessage('1o 1700000000000-3\n')).toEqual({ type: 'appended', id: '1700000000000-3' })
  })

  test.each([
    '1o\n',
    '1o \n',
    '1o 5\n',
    '1o 5-\n',
    '1o -5\n',
    '1o 5-5',
    '1o 5-5 6\n',
    '1o 5-5\nmore',
    '1o 5-5x\n',
    `1o ${'9'.repeat(16)}-0\n`,
  ])('%j is junk', (payload) => {
    expect(decodeMessage(payload)).toBeUndefined()
  })
})
