/** The judge of R25 (test/cluster): what it lets pass, and what it must not. */
import { describe, expect, test } from 'vitest'
import { wrongOrders } from '../../cluster/webhook-story.js'
import { WebhookTruth } from '../../cluster/webhook-truth.js'
import type { ReceivedEvent } from '../../harness/webhook-receiver.js'

const delayMs = 3000
const channel = 'presence-room'

let lastId = 0
const event = (name: string, ms: number, user?: string): ReceivedEvent => ({
  id: `5-${ms}-${lastId++}`,
  name,
  channel,
  ...(user === undefined ? {} : { user_id: user }),
})

/** Ann is there at the given times. */
function annWasThere(...stays: readonly (readonly [number, number?])[]): WebhookTruth {
  const truth = new WebhookTruth(delayMs)
  for (const [from, to] of stays) {
    const stay = truth.came(channel, 'ann', from, from + 10)
    if (to !== undefined) truth.left(stay, to, to + 500)
  }
  return truth
}

const begin = (ms: number) => [event('channel_occupied', ms), event('member_added', ms, 'ann')]
const end = (ms: number) => [event('member_removed', ms, 'ann'), event('channel_vacated', ms)]

describe('what webhooks must have told', () => {
  test('a member who came and stayed', () => {
    const truth = annWasThere([0])
    expect(truth.faults(begin(0))).toEqual([])
    expect(truth.counts()).toEqual({ least: 2, most: 2 })
    expect(truth.isNetState(begin(0))).toBe(true)
  })

  test('not told, or told of somebody who was not there', () => {
    const truth = annWasThere([0])
    expect(truth.faults([])).toHaveLength(2)
    expect(truth.isNetState([])).toBe(false)
    expect(truth.faults([...begin(0), event('member_added', 0, 'bob')])).toHaveLength(1)
  })

  test('a leave that is missing, and one told twice under two ids', () => {
    const truth = annWasThere([0, 1000])
    expect(truth.faults([...begin(0), ...end(1000)])).toEqual([])
    expect(truth.faults(begin(0))).toHaveLength(2)
    expect(truth.faults([...begin(0), ...end(1000), ...end(1000)])).toHaveLength(2)
  })

  test('an absence above the delay must be told, one below must not, one close to it may', () => {
    const long = [...begin(0), ...end(1000), ...begin(9000)]
    expect(annWasThere([0, 1000], [9000]).faults(long)).toEqual([])
    expect(annWasThere([0, 1000], [9000]).faults(begin(0))).toHaveLength(2)
    expect(annWasThere([0, 1000], [2000]).faults(long)).toHaveLength(2)
    expect(annWasThere([0, 1000], [2000]).faults(begin(0))).toEqual([])
    const close = annWasThere([0, 1000], [4100])
    expect(close.faults(long)).toEqual([])
    expect(close.faults(begin(0))).toEqual([])
    expect(close.counts()).toEqual({ least: 2, most: 6 })
  })

  test('one of two connections of a user ends, which is no leave', () => {
    const truth = annWasThere([0, 5000], [2000])
    expect(truth.faults(begin(0))).toEqual([])
    expect(truth.faults([...begin(0), ...end(5000)])).toHaveLength(2)
  })

  test('a return is doubtful only close to the delay', () => {
    const truth = annWasThere([0, 1000])
    const doubts = [1200, 2000, 4000, 6500, 9000].map((nowMs) => truth.isDoubtful(channel, 'ann', nowMs))
    expect(doubts).toEqual([true, false, true, false, false])
  })
})

describe('the order within a channel', () => {
  test('as it happened, ends after the delay', () => {
    const told = [...begin(0), event('member_added', 2000, 'bob'), ...end(1000), event('member_added', 6000, 'eve')]
    expect(wrongOrders(told, delayMs)).toEqual([])
  })

  test('a member before its channel, an end before the begin, an end after a much later begin', () => {
    expect(wrongOrders(begin(0).toReversed(), delayMs)).toHaveLength(1)
    expect(wrongOrders([event('channel_vacated', 1000), event('channel_occupied', 0)], delayMs)).toHaveLength(1)
    const late = [event('member_added', 9000, 'bob'), event('member_removed', 1000, 'ann')]
    expect(wrongOrders(late, delayMs)).toHaveLength(1)
  })
})
