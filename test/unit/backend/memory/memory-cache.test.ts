import { expect, test } from 'vitest'
import { MemoryCache } from '../../../../src/backend/memory/memory-cache.js'
import { ManualClock } from '../../../fakes/manual-clock.js'

test('misses that were told are forgotten when there are too many, the oldest first', async () => {
  const clock = new ManualClock()
  const cache = new MemoryCache(clock)
  for (let index = 0; index <= 100_000; index += 1) void cache.claimMiss(`1/cache-${index}`)
  expect(await cache.claimMiss('1/cache-1')).toBe(false)
  expect(await cache.claimMiss('1/cache-0')).toBe(true)
  // That one took the place of the next.
  expect(await cache.claimMiss('1/cache-1')).toBe(true)
  clock.advance(999)
  cache.sweep()
  expect(await cache.claimMiss('1/cache-0')).toBe(false)
  clock.advance(1)
  cache.sweep()
  expect(await cache.claimMiss('1/cache-0')).toBe(true)
})
