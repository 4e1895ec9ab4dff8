import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Deque } from '../../../src/base/deque.js'

test('is what a plain list would be, whatever is done with it', () => {
  const operation = fc.oneof(
    fc.record({ type: fc.constant('push' as const), count: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ type: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ type: fc.constant('prepend' as const), count: fc.integer({ min: 0, max: 5 }) }),
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 20 }), (operations) => {
      const deque = new Deque<number>()
      let list: number[] = []
      let next = 0
      for (const { type, count } of operations) {
        const items = Array.from({ length: count }, () => next++)
        if (type === 'push') {
          for (const item of items) deque.push(item)
          list.push(...items)
        } else if (type === 'prepend') {
          deque.prepend(items)
          list = [...items, ...list]
        } else {
          const taken = items.map(() => deque.shift())
          expect(taken).toEqual(items.map((_item, index) => list[index]))
          list = list.slice(count)
        }
        expect(deque.length).toBe(list.length)
        expect(deque.first).toBe(list[0])
      }
      expect([...deque]).toEqual(list)
    }),
  )
})
