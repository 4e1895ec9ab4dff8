import { expect, test } from 'vitest'
import { PendingWrites } from '../../../src/core/pending-writes.js'
import { ManualClock } from '../../fakes/manual-clock.js'
import { settle } from './node-fixture.js'

/** Tells when it is over. */
function observed(wait: Promise<void>): { isOver: boolean } {
  const state = { isOver: false }
  void wait.then(() => (state.isOver = true))
  return state
}

test('whoever waits for the writes goes on with the last of them, failed ones included', async () => {
  const clock = new ManualClock()
  const writes = new PendingWrites()
  const ends: (() => void)[] = []
  writes.watch(new Promise<void>((resolve) => ends.push(resolve)))
  writes.watch(new Promise<void>((_, reject) => ends.push(() => reject(new Error('down')))))
  const waits = [observed(writes.settled(clock, 2000)), observed(writes.settled(clock, 2000))]
  ends[0]?.()
  await settle()
  expect(waits.map(({ isOver }) => isOver)).toEqual([false, false])
  ends[1]?.()
  await settle()
  expect(waits.map(({ isOver }) => isOver)).toEqual([true, true])
  expect(clock.timers).toBe(0)
  await writes.settled(clock, 2000)
})

test('a write that does not end is waited for only so long', async () => {
  const clock = new ManualClock()
  const writes = new PendingWrites()
  writes.watch(new Promise(() => undefined))
  const wait = observed(writes.settled(clock, 2000))
  clock.advance(1999)
  await settle()
  expect(wait.isOver).toBe(false)
  clock.advance(1)
  await settle()
  expect(wait.isOver).toBe(true)
})
