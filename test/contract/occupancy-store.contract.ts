import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runs, type ContractSubject, type ContractTraits, type MakeSubject } from './subject.js'

/** What every OccupancyStore must do (src/core/ports/occupancy-store.ts), as one node alone sees it. */
export function occupancyStoreContract(name: string, make: MakeSubject, traits: ContractTraits): void {
  describe(`OccupancyStore of ${name}`, () => {
    let subject: ContractSubject
    beforeEach(async () => {
      subject = await make()
    })
    afterEach(() => subject.close())

    test('answers with what is stored then', async () => {
      const { occupancy } = subject.backend
      for (const count of [1, 5, 5, 2, 0, 0]) {
        expect(await occupancy.set('1/a', count)).toMatchObject({ total: count })
        expect(await occupancy.total('1/a')).toBe(count)
      }
    })

    test('when nobody waits, what was said last is true in the end', async () => {
      const { occupancy } = subject.backend
      for (const counts of [
        [1, 2, 0, 3, 0],
        [2, 0, 5, 7, 6],
      ]) {
        const answers = await Promise.all(counts.map((count) => occupancy.set('1/a', count)))
        expect(answers.at(-1)).toMatchObject({ total: counts.at(-1) })
        for (const { total } of answers) expect(counts).toContain(total)
        expect(await occupancy.total('1/a')).toBe(counts.at(-1))
      }
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
              expect(await fresh.backend.occupancy.set(topic, count)).toMatchObject({ total: count })
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
        { numRuns: runs(traits, 60) },
      )
    })
  })
}

function sorted(list: ReadonlyMap<string, number>): [string, number][] {
  return [...list].sort(([one], [other]) => (one < other ? -1 : 1))
}
