import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ContractSubject, MakeSubject } from './subject.js'

/** What every OccupancyStore must do (src/core/ports/occupancy-store.ts), as one node alone sees it. */
export function occupancyStoreContract(name: string, make: MakeSubject): void {
  describe(`OccupancyStore of ${name}`, () => {
    let subject: ContractSubject
    beforeEach(async () => {
      subject = await make()
    })
    afterEach(() => subject.close())

    test('tells when a channel becomes occupied and vacated', async () => {
      const { occupancy } = subject.backend
      expect(await occupancy.set('1/a', 1)).toEqual({ total: 1, became: 'occupied' })
      expect(await occupancy.set('1/a', 5)).toEqual({ total: 5, became: 'same' })
      expect(await occupancy.set('1/a', 5)).toEqual({ total: 5, became: 'same' })
      expect(await occupancy.set('1/a', 0)).toEqual({ total: 0, became: 'vacated' })
      expect(await occupancy.set('1/a', 0)).toEqual({ total: 0, became: 'same' })
    })

    test('answers in the order asked when nobody waits', async () => {
      const { occupancy } = subject.backend
      const answers = await Promise.all([1, 2, 0, 3, 0].map((count) => occupancy.set('1/a', count)))
      expect(answers.map(({ became }) => became)).toEqual(['occupied', 'same', 'vacated', 'occupied', 'vacated'])
      expect(await occupancy.total('1/a')).toBe(0)
    })

    test('lists the occupied channels of one app, by prefix', async () => {
      const { occupancy } = subject.backend
      await occupancy.set('1/a', 2)
      await occupancy.set('1/presence-a', 1)
      await occupancy.set('1/presence-b', 3)
      await occupancy.set('1/gone', 1)
      await occupancy.set('1/gone', 0)
      await occupancy.set('2/presence-a', 9)
      expect(sorted(await occupancy.list('1', ''))).toEqual([
        ['a', 2],
        ['presence-a', 1],
        ['presence-b', 3],
      ])
      expect(sorted(await occupancy.list('1', 'presence-'))).toEqual([
        ['presence-a', 1],
        ['presence-b', 3],
      ])
      expect(sorted(await occupancy.list('1', 'x'))).toEqual([])
      expect(sorted(await occupancy.list('unknown', ''))).toEqual([])
    })

    test('a prefix is text, not a pattern', async () => {
      const { occupancy } = subject.backend
      await occupancy.set('1/a.b', 1)
      await occupancy.set('1/axb', 1)
      expect([...(await occupancy.list('1', 'a.')).keys()]).toEqual(['a.b'])
      for (const prefix of ['*', '?', '[a]', '.*', '%']) expect((await occupancy.list('1', prefix)).size).toBe(0)
    })

    test('agrees with a model, over apps and names of every kind', async () => {
      const topics = ['1/a', '1/ab', '11/a', '1/__proto__', '__proto__/a', 'constructor/constructor']
      const sets = fc.array(fc.tuple(fc.constantFrom(...topics), fc.nat(3)), { maxLength: 40 })
      await fc.assert(
        fc.asyncProperty(sets, async (history) => {
          const fresh = await make()
          try {
            const model = new Map<string, number>()
            for (const [topic, count] of history) {
              const before = model.get(topic) ?? 0
              const became = before > 0 === count > 0 ? 'same' : count > 0 ? 'occupied' : 'vacated'
              expect(await fresh.backend.occupancy.set(topic, count)).toEqual({ total: count, became })
              model.set(topic, count)
            }
            for (const appId of ['1', '11', '__proto__', 'constructor']) {
              const expected = [...model]
                .filter(([topic, count]) => topic.startsWith(`${appId}/`) && count > 0)
                .map(([topic, count]): [string, number] => [topic.slice(appId.length + 1), count])
              expect(sorted(await fresh.backend.occupancy.list(appId, ''))).toEqual(sorted(new Map(expected)))
            }
            for (const topic of topics) expect(await fresh.backend.occupancy.total(topic)).toBe(model.get(topic) ?? 0)
          } finally {
            await fresh.close()
          }
        }),
        { numRuns: 60 },
      )
    })
  })
}

function sorted(list: ReadonlyMap<string, number>): [string, number][] {
  return [...list].sort(([one], [other]) => (one < other ? -1 : 1))
}
