import { expect, test } from 'vitest'
import { isAfter, isEntryId, nextId } from '../../../src/core/entry-id.js'

test('ids are ordered by their numbers, after the beginning', () => {
  const ordered = ['', '0-0', '0-1', '9-0', '9-9', '9-10', '10-0', '1700000000000-0', '1700000000000-12']
  for (const [index, id] of ordered.entries()) {
    for (const [otherIndex, other] of ordered.entries()) expect(isAfter(id, other)).toBe(index > otherIndex)
  }
})

test('the next id has nothing between', () => {
  expect(nextId('1700000000000-9')).toBe('1700000000000-10')
})

test.each(['', '-', '5', '5-', '-5', '5-5-5', ' 5-5', '5-5\n', '1e3-0', '+5-5', `${'9'.repeat(16)}-0`])(
  '%j is none',
  (text) => {
    expect(isEntryId(text)).toBe(false)
  },
)
