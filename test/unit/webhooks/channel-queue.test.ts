import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChannelQueue } from '../../../src/webhooks/channel-queue.js'
import { Lane } from '../../../src/webhooks/lane.js'
import type { QueuedEvent } from '../../../src/webhooks/queued-event.js'

function event(channel: string, number: number): QueuedEvent {
  const place = { partition: 0, after: `1-${number}`, timeMs: number }
  return { channel, json: `${channel}${number}`, dueMs: 0, queuedMs: 0, state: 'open', ...place }
}

test('gives out each event once, in order per channel, and never a channel that is under way', () => {
  const operation = fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant('push' as const), number: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('take' as const), number: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('free' as const), number: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('drop' as const), number: fc.nat(3) }) },
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const queue = new ChannelQueue()
      const underWay: QueuedEvent[][] = []
      const given: QueuedEvent[] = []
      let pushed = 0
      const take = (most: number): void => {
        const events = queue.take(most, 1000)
        expect(events.length).toBeLessThanOrEqual(most)
        const busy = new Set(underWay.flat().map(({ channel }) => channel))
        expect(events.some(({ channel }) => busy.has(channel))).toBe(false)
        if (events.length > 0) underWay.push(events)
        given.push(...events)
      }
      const free = (index: number): void => {
        const [batch] = underWay.splice(index % Math.max(1, underWay.length), 1)
        if (batch !== undefined) queue.free(batch)
      }
      for (const { type, number } of operations) {
        if (type === 'push') queue.push(event(`c${number}`, pushed++))
        else if (type === 'take') take(number)
        else if (type === 'free') free(number)
        else {
          const dropped = queue.dropOldest()
          if (dropped !== undefined) given.push({ ...dropped, channel: 'dropped' })
        }
      }
      while (underWay.length > 0) free(0)
      for (let before = -1; before !== given.length;) {
        before = given.length
        take(3)
        while (underWay.length > 0) free(0)
      }
      expect(given.length).toBe(pushed)
      for (const channel of ['c0', 'c1', 'c2', 'c3']) {
        const numbers = given.filter((one) => one.channel === channel).map(({ timeMs }) => timeMs)
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
      }
    }),
  )
})

test('leaves out what is somebody else’s by now', () => {
  const queue = new ChannelQueue()
  const events = [event('a', 1), event('a', 2), event('b', 3)]
  for (const one of events) queue.push(one)
  events[0]!.state = 'left'
  events[2]!.state = 'settled'
  expect(queue.take(10, 1000)).toEqual([events[1]])
  expect(queue.dropOldest()).toBeUndefined()
})

test('a batch ends where its texts become too long, but has at least one', () => {
  const queue = new ChannelQueue()
  for (let number = 1; number <= 4; number += 1) queue.push(event('a', number))
  expect(queue.take(10, 5)).toHaveLength(2)
  expect(new ChannelQueue().take(10, 5)).toEqual([])
  const long = new ChannelQueue()
  long.push({ ...event('a', 1), json: 'x'.repeat(100) })
  long.push(event('b', 2))
  expect(long.take(10, 5)).toHaveLength(1)
})

test('a lane keeps leaves in order until they are due, and knows the first that is not dealt with', () => {
  const lane = new Lane()
  const events = [event('a', 1), event('b', 2), event('c', 3)]
  for (const one of events) {
    lane.add(one)
    expect(lane.hold(one.channel, { event: one, dueMs: one.timeMs + 10, wanted: true })).toBeUndefined()
  }
  expect(lane.nextDueMs).toBe(11)
  expect(lane.first).toBe(events[0])
  expect(lane.takeHeld('b')?.event).toBe(events[1])
  expect(lane.takeHeld('b')).toBeUndefined()
  expect([...lane.takeDue(12)].map((leave) => leave.event)).toEqual([events[0]])
  expect([...lane.takeDue(12)]).toEqual([])
  lane.delete(events[0]!)
  expect(lane.first).toBe(events[1])
  expect(lane.dropOldest()).toBe(events[2])
  expect(lane.dropOldest()).toBeUndefined()
  lane.forgetPlaces()
  expect(lane.first).toBeUndefined()
})
