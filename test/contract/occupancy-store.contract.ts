import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.js'
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

    test('tells each change once, in order, to a node that is subscribed', async () => {
      const { backend, sink } = subject
      await backend.broker.subscribe('1/a')
      for (const count of [1, 2, 5, 5, 2, 0, 0]) await backend.occupancy.set('1/a', count)
      expect(await sink.countsAtLeast('1/a', 5)).toEqual([1, 2, 5, 2, 0])
      await backend.occupancy.set('1/a', 7)
      expect(await sink.countsAtLeast('1/a', 6)).toEqual([1, 2, 5, 2, 0, 7])
    })

    test('when nobody waits, tells the last one last, and none twice in a row', async () => {
      const { backend, sink } = subject
      await backend.broker.subscribe('1/a')
      const counts = Array.from({ length: 40 }, (_none, index) => index + 1)
      await Promise.all(counts.map((count) => backend.occupancy.set('1/a', count)))
      await backend.occupancy.set('1/a', 0)
      await eventually('the count 0 is told', () => sink.countsOf('1/a').at(-1) === 0)
      const told = sink.countsOf('1/a')
      expect(told.slice(0, -1)).toEqual([...new Set(told.slice(0, -1))].sort((one, other) => one - other))
      expect(told.at(-2)).toBe(40)
    })

    test('tells a new subscriber its count also when changes cancelled each other out', async () => {
      const { backend, sink } = subject
      await backend.broker.subscribe('1/a')
      for (let count = 1; count <= 6; count += 1) void backend.occupancy.set('1/a', count)
      await eventually('the count 6 is told', () => sink.countsOf('1/a').at(-1) === 6)
      for (let change = 0; change < 8; change += 1) {
        // One leaves, and another comes before the store could be told.
        const before = sink.countsOf('1/a').length
        await Promise.all([backend.occupancy.set('1/a', 5), backend.occupancy.set('1/a', 6)])
        await eventually('told', () => sink.countsOf('1/a').length > before && sink.countsOf('1/a').at(-1) === 6)
      }
    })

    test('tells no counts of presence channels, nor of apps that do not want them', async () => {
      const { backend, sink } = subject
      for (const topic of ['1/presence-a', 'quiet/a', '1/a']) {
        await backend.broker.subscribe(topic)
        await backend.occupancy.set(topic, 3)
      }
      await sink.countsAtLeast('1/a', 1)
      expect(sink.counts).toEqual([{ topic: '1/a', total: 3 }])
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
