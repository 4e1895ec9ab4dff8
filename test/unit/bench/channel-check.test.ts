import { describe, expect, it } from 'vitest'
import { ChannelCheck } from '../../../bench/load/channel-check.js'
import type { Subscriber } from '../../../bench/load/channel-check.js'
import { Faults } from '../../../bench/load/faults.js'
import { eventData, readServerMessage } from '../../../bench/load/message.js'

/** The benchmark's own judge: a fault it does not see would make every "nothing lost" worthless. */
const ringSize = 16
const dataOf = (publisher: number, sequence: number) => eventData(publisher, sequence, 60)

function open() {
  const faults = new Faults()
  const check = new ChannelCheck({ channel: 'room', event: 'e', ringSize, dataOf }, faults)
  return { faults, check, anna: check.addSubscriber(), bert: check.addSubscriber() }
}

function frameOf(sequence: number, publisher = 0): Buffer {
  return Buffer.from(JSON.stringify({ event: 'e', channel: 'room', data: dataOf(publisher, sequence) }))
}

function receive(subscriber: Subscriber, frame: Buffer): void {
  if (subscriber.matches(frame, 0, frame.length)) return
  const message = readServerMessage(frame.toString())
  if (message === undefined) throw new Error('the test sends whole messages')
  subscriber.take(message, frame)
}

const none = { lost: 0, doubled: 0, reordered: 0, malformed: 0 }

describe('the check of every message', () => {
  it('finds nothing in a right order, also over several rounds of the ring', async () => {
    const { faults, check, anna, bert } = open()
    for (let count = 0; count < 3 * ringSize; count += 1) {
      const delivered = check.delivered(0, count % ringSize)
      receive(anna, frameOf(count % ringSize))
      receive(bert, frameOf(count % ringSize))
      await delivered
    }
    check.finish()
    expect(faults.counts).toEqual(none)
  })

  it('allows publishers to overtake each other, if all subscribers see the same order', () => {
    const { faults, check, anna, bert } = open()
    for (const publisher of [1, 0]) void check.delivered(publisher, 0)
    for (const subscriber of [anna, bert]) for (const publisher of [1, 0]) receive(subscriber, frameOf(0, publisher))
    check.finish()
    expect(faults.counts).toEqual(none)
  })

  it('counts a message lost that one subscriber has not got', () => {
    const { faults, check, anna, bert } = open()
    for (const sequence of [0, 1, 2]) void check.delivered(0, sequence)
    for (const sequence of [0, 1, 2]) receive(anna, frameOf(sequence))
    for (const sequence of [0, 2]) receive(bert, frameOf(sequence))
    check.finish()
    expect(faults.counts).toEqual({ ...none, lost: 1 })
  })

  it('counts a message lost that nobody has got, once per subscriber', () => {
    const { faults, check } = open()
    void check.delivered(0, 0)
    check.finish()
    expect(faults.counts).toEqual({ ...none, lost: 2 })
  })

  it('counts the last message lost when the second subscriber never gets it', () => {
    const { faults, check, anna } = open()
    void check.delivered(0, 0)
    receive(anna, frameOf(0))
    check.finish()
    expect(faults.counts).toEqual({ ...none, lost: 1 })
  })

  it('counts a doubled message', () => {
    const { faults, check, anna, bert } = open()
    void check.delivered(0, 0)
    for (const subscriber of [anna, bert, bert]) receive(subscriber, frameOf(0))
    check.finish()
    expect(faults.counts).toEqual({ ...none, doubled: 1 })
  })

  it('counts a message that one subscriber gets later than others as reordered, not lost', () => {
    const { faults, check, anna, bert } = open()
    for (const sequence of [0, 1]) void check.delivered(0, sequence)
    for (const sequence of [0, 1]) receive(anna, frameOf(sequence))
    for (const sequence of [1, 0]) receive(bert, frameOf(sequence))
    check.finish()
    expect(faults.counts).toEqual({ ...none, reordered: 1 })
  })

  it('sees that all subscribers got one publisher in the wrong order', () => {
    const { faults, check, anna, bert } = open()
    for (const sequence of [0, 1]) void check.delivered(0, sequence)
    for (const subscriber of [anna, bert]) for (const sequence of [1, 0]) receive(subscriber, frameOf(sequence))
    check.finish()
    expect(faults.counts.reordered).toBeGreaterThan(0)
  })

  it.each([
    ['another event', { event: 'f', channel: 'room', data: dataOf(0, 0) }],
    ['another channel', { event: 'e', channel: 'hall', data: dataOf(0, 0) }],
    ['other data', { event: 'e', channel: 'room', data: dataOf(0, 0).replace('x', 'y') }],
    ['shorter data', { event: 'e', channel: 'room', data: eventData(0, 0, 59) }],
  ])('counts %s as malformed', (_, message) => {
    const { faults, anna } = open()
    receive(anna, Buffer.from(JSON.stringify(message)))
    expect(faults.counts).toEqual({ ...none, malformed: 1 })
  })

  it('counts a second encoding of the same message as malformed', () => {
    const { faults, check, anna, bert } = open()
    void check.delivered(0, 0)
    receive(anna, frameOf(0))
    receive(bert, Buffer.from(JSON.stringify({ channel: 'room', event: 'e', data: dataOf(0, 0) })))
    check.finish()
    expect(faults.counts).toEqual({ ...none, malformed: 1 })
  })
})
