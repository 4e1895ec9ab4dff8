import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ContractSubject, ContractTraits, MakeSubject } from './subject.js'

/** What every Budget must do (src/core/ports/budget.ts, D8), as one node alone sees it. */
export function budgetContract(name: string, make: MakeSubject, { rateError }: ContractTraits): void {
  describe(`Budget of ${name}`, () => {
    let subject: ContractSubject
    beforeEach(async () => {
      subject = await make()
    })
    afterEach(() => subject.close())

    /** How many of so many single requests get through. */
    function taken(attempts: number, perSecond: number, appId = '1', kind: 'triggers' | 'reads' = 'triggers'): number {
      let count = 0
      for (let index = 0; index < attempts; index += 1) {
        if (subject.backend.budget.take(appId, kind, 1, perSecond)) count += 1
      }
      return count
    }

    function expectRate(count: number, expected: number): void {
      expect(count).toBeGreaterThanOrEqual(Math.floor(expected * (1 - rateError)))
      expect(count).toBeLessThanOrEqual(Math.ceil(expected * (1 + rateError)))
    }

    test('allows a second worth at once, and then the rate', async () => {
      expectRate(taken(500, 100), 100)
      await subject.pass(1000)
      expectRate(taken(500, 100), 100)
      let count = 0
      for (let step = 0; step < 20; step += 1) {
        await subject.pass(100)
        count += taken(50, 100)
      }
      expectRate(count, 200)
    })

    test('what was not used for long is not saved up', async () => {
      expectRate(taken(500, 100), 100)
      await subject.pass(3000)
      expectRate(taken(500, 100), 100)
    })

    test('a refused request takes nothing', async () => {
      const { budget } = subject.backend
      expectRate(taken(50, 100), 50)
      for (let index = 0; index < 100; index += 1) expect(budget.take('1', 'triggers', 90, 100)).toBe(false)
      expectRate(taken(500, 100), 50)
    })

    test('0 is no limit, and needs no share', async () => {
      expect(taken(10_000, 0)).toBe(10_000)
      expect(subject.backend.budget.take('1', 'reads', 1_000_000, 0)).toBe(true)
    })

    test('triggers and reads, and apps, each have their own', async () => {
      expectRate(taken(500, 100, '1', 'triggers'), 100)
      expectRate(taken(500, 100, '1', 'reads'), 100)
      expectRate(taken(500, 100, '__proto__', 'triggers'), 100)
      expect(taken(50, 100)).toBeLessThanOrEqual(100 * rateError)
    })

    test('a changed rate counts from then on', async () => {
      expectRate(taken(500, 100), 100)
      await subject.pass(1000)
      expectRate(taken(500, 10), 10)
      await subject.pass(1000)
      expectRate(taken(500, 10), 10)
    })

    test('admits connections up to the limit, and again after a release', async () => {
      const { budget } = subject.backend
      expect([1, 2, 3].map(() => budget.admit('1', 2))).toEqual([true, true, false])
      expect(budget.admit('__proto__', 2)).toBe(true)
      expect(await budget.connections('1')).toBe(2)
      budget.release('1')
      expect(await budget.connections('1')).toBe(1)
      expect([1, 2].map(() => budget.admit('1', 2))).toEqual([true, false])
    })

    test('counts connections also where there is no limit', async () => {
      const { budget } = subject.backend
      expect(await budget.connections('1')).toBe(0)
      for (let index = 0; index < 50; index += 1) expect(budget.admit('1', 0)).toBe(true)
      for (let index = 0; index < 20; index += 1) budget.release('1')
      expect(await budget.connections('1')).toBe(30)
      // A limit that is set below what is open refuses, and throws nobody out.
      expect(budget.admit('1', 10)).toBe(false)
      expect(await budget.connections('1')).toBe(30)
      expect(await budget.connections('2')).toBe(0)
    })
  })
}
