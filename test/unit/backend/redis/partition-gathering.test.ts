import { expect, test } from 'vitest'
import { Partition, type Surroundings } from '../../../../src/backend/redis/partition.js'
import { ManualClock } from '../../../fakes/manual-clock.js'

// What a partition asks of its surroundings here is the time.
function partitionWith(clock: ManualClock): Partition {
  return new Partition(0, { clock } as unknown as Surroundings, () => undefined)
}

test('publishes wait for the other nodes after an outage, but not for ever', () => {
  const clock = new ManualClock()
  const partition = partitionWith(clock)
  clock.advance(60_000)
  partition.upSinceMs = clock.monotonicMs()
  expect(partition.gathering).toBe(true)
  partition.gathered = true
  expect(partition.gathering).toBe(false)
  partition.gathered = false
  clock.advance(1999)
  expect(partition.gathering).toBe(true)
  clock.advance(1)
  expect(partition.gathering).toBe(false)
})
