import { describe, expect, test } from 'vitest'
import { PendingCalls } from '../../../../src/backend/redis/pending.js'
import { ManualClock } from '../../../fakes/manual-clock.js'

const limits = { calls: 5, bytes: 100, overdueMs: 300 }

/** Lets the time pass and what looks at it after the loop has turned. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 25) {
    clock.advance(Math.min(25, ms - passed))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('pending calls', () => {
  test('each timeout is kept to within a step, in the order of the calls', async () => {
    const clock = new ManualClock()
    const pending = new PendingCalls(clock, limits)
    const late: string[] = []
    pending.start(1000, 1, () => late.push('slow'))
    pending.start(200, 1, () => late.push('quick 1'))
    await pass(clock, 50)
    pending.start(200, 1, () => late.push('quick 2'))
    await pass(clock, 125)
    expect(late).toEqual([])
    await pass(clock, 50)
    expect(late).toEqual(['quick 1'])
    await pass(clock, 50)
    expect(late).toEqual(['quick 1', 'quick 2'])
    await pass(clock, 800)
    expect(late).toEqual(['quick 1', 'quick 2', 'slow'])
  })

  test('the timer runs only while something is pending', async () => {
    const clock = new ManualClock()
    const pending = new PendingCalls(clock, limits)
    expect(clock.timers).toBe(0)
    const call = pending.start(1000, 1, () => undefined)
    expect(clock.timers).toBe(1)
    pending.end(call)
    await pass(clock, 50)
    expect(clock.timers).toBe(0)
  })

  test('what came while the process was busy is not late', async () => {
    const clock = new ManualClock()
    const pending = new PendingCalls(clock, limits)
    let late = false
    const call = pending.start(100, 1, () => (late = true))
    clock.advance(5000)
    // The answer is read after the timers and before the look.
    pending.end(call)
    await new Promise((resolve) => setImmediate(resolve))
    expect(late).toBe(false)
  })

  test('calls and bytes are bounded until the answer comes, late or not', async () => {
    const clock = new ManualClock()
    const pending = new PendingCalls(clock, limits)
    const first = pending.start(100, 60, () => undefined)
    expect(pending.admits(40)).toBe(true)
    expect(pending.admits(41)).toBe(false)
    await pass(clock, 200)
    expect(pending.admits(41)).toBe(false)
    pending.end(first)
    pending.end(first)
    expect(pending.admits(100)).toBe(true)
    for (let index = 0; index < 5; index += 1) pending.start(100, 0, () => undefined)
    expect(pending.admits(0)).toBe(false)
    expect(pending.count).toBe(5)
  })

  test('overdue follows the oldest call without an answer, late ones included', async () => {
    const clock = new ManualClock()
    const pending = new PendingCalls(clock, limits)
    const old = pending.start(100, 1, () => undefined)
    await pass(clock, 250)
    const young = pending.start(100, 1, () => undefined)
    expect(pending.overdue).toBe(false)
    await pass(clock, 100)
    expect(pending.overdue).toBe(true)
    pending.end(old)
    expect(pending.overdue).toBe(false)
    pending.end(young)
  })

  test('a long life of many calls keeps its order and forgets what is done', async () => {
    const clock = new ManualClock()
    const pending = new PendingCalls(clock, { calls: 100_000, bytes: 100_000, overdueMs: 300 })
    const open = []
    let late = 0
    for (let round = 0; round < 20_000; round += 1) {
      open.push(pending.start(1000, 1, () => (late += 1)))
      if (open.length > 50) pending.end(open.shift()!)
    }
    expect(pending.count).toBe(50)
    await pass(clock, 1100)
    expect(late).toBe(50)
    expect(pending.count).toBe(50)
  })
})
