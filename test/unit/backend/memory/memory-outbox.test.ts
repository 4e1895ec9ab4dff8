import { expect, test } from 'vitest'
import { MemoryOutbox, outboxEntriesMax } from '../../../../src/backend/memory/memory-outbox.js'
import { BusCounters } from '../../../../src/core/counters.js'
import { OutboxRecorder } from '../../../contract/outbox-recorder.js'
import { ManualClock } from '../../../fakes/manual-clock.js'

test('is bounded: above, the oldest go and are counted', async () => {
  const counters = new BusCounters()
  const outbox = new MemoryOutbox(() => true, new ManualClock(), counters)
  const more = 15_000
  for (let index = 0; index < outboxEntriesMax + more; index += 1) {
    outbox.append('1', 'subscription_count', 'a', { count: index })
  }
  expect(counters.outboxDropped).toBe(more)
  const { entries: kept } = await outbox.read(0, '', Infinity)
  expect(kept).toHaveLength(outboxEntriesMax)
  expect(kept[0]?.transition.count).toBe(more)
  expect(kept.at(-1)?.transition.count).toBe(outboxEntriesMax + more - 1)
  // A place that is gone means: from the oldest.
  expect((await outbox.read(0, '0-5', 1)).entries[0]).toEqual(kept[0])
  const { id } = kept[20_000]!
  await outbox.done(0, { doneTo: id, readTo: id, behind: new Map() })
  expect((await outbox.read(0, '', 1)).entries[0]).toEqual(kept[20_001])
  expect((await outbox.read(0, kept[50_000]!.id, 1)).entries[0]).toEqual(kept[50_001])
})

test('ids only grow, also when the clock is set back', async () => {
  const clock = new ManualClock()
  const outbox = new MemoryOutbox(() => true, clock, new BusCounters())
  outbox.append('1', 'channel_occupied', 'a')
  clock.stepWall(-3_600_000)
  outbox.append('1', 'channel_vacated', 'a')
  const [one, two] = (await outbox.read(0, '', 10)).entries
  expect(two!.transition.timeMs).toBe(one!.transition.timeMs - 3_600_000)
  expect(two!.id.split('-')[0]).toBe(one!.id.split('-')[0])
})

test('tells its only sender of each entry in the same step, and nobody after a release', async () => {
  const outbox = new MemoryOutbox((appId) => appId === '1', new ManualClock(), new BusCounters())
  outbox.append('1', 'channel_occupied', 'a')
  const told = new OutboxRecorder()
  outbox.watch(told)
  expect(told.of(0)).toEqual(['gained'])
  outbox.append('1', 'channel_vacated', 'a')
  outbox.append('2', 'channel_vacated', 'a')
  expect(told.of(0)).toEqual(['gained', 'appended'])
  await outbox.release()
  outbox.append('1', 'channel_occupied', 'a')
  expect(told.of(0)).toEqual(['gained', 'appended'])
  expect((await outbox.read(0, '', 10)).entries).toHaveLength(3)
})
