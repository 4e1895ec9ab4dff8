import { beforeEach, describe, expect, test } from 'vitest'
import { PendingCalls } from '../../../../src/backend/redis/pending.js'
import { Subscriptions } from '../../../../src/backend/redis/subscriptions.js'
import { ManualClock } from '../../../fakes/manual-clock.js'

interface Sent {
  readonly name: string
  readonly channels: string[]
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

describe('subscriptions of one connection', () => {
  let clock: ManualClock
  let sent: Sent[]
  let failed: unknown[]
  let subscriptions: Subscriptions

  beforeEach(() => {
    make(false)
  })

  function make(sharded: boolean): void {
    clock = new ManualClock()
    sent = []
    failed = []
    const limits = { calls: 100, bytes: 100, overdueMs: 300 }
    subscriptions = new Subscriptions({
      connection: {
        ready: true,
        send: (name, channels) =>
          new Promise((resolve, reject) => {
            sent.push({ name, channels, resolve: () => resolve(1), reject })
          }),
      },
      sharded,
      timeoutMs: 300,
      waiting: new PendingCalls(clock, limits),
      commands: new PendingCalls(clock, limits),
      failed: (error) => failed.push(error),
    })
  }

  async function turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
  }

  function commands(): string[] {
    return sent.map(({ name, channels }) => `${name} ${channels.join(' ')}`)
  }

  test('what is wanted in one turn is one command, and true when it is confirmed', async () => {
    subscriptions.connected()
    const both = Promise.all([subscriptions.want(0, 'a', true), subscriptions.want(1, 'b', true)])
    await turn()
    expect(commands()).toEqual(['subscribe a b'])
    sent[0]!.resolve()
    expect(await both).toEqual([true, true])
    expect(await subscriptions.want(0, 'a', true)).toBe(true)
    await turn()
    expect(sent).toHaveLength(1)
  })

  test('in a cluster a command per partition, and at most 500 channels each', async () => {
    make(true)
    subscriptions.connected()
    for (let index = 0; index < 1001; index += 1) void subscriptions.want(7, `s${index}`, false)
    void subscriptions.want(8, 'other', false)
    await turn()
    expect(sent.map(({ name, channels }) => [name, channels.length])).toEqual([
      ['ssubscribe', 500],
      ['ssubscribe', 500],
      ['ssubscribe', 1],
      ['ssubscribe', 1],
    ])
  })

  test('not confirmed in time is false, and true for who asks later', async () => {
    subscriptions.connected()
    const answer = subscriptions.want(0, 'a', true)
    await turn()
    for (let step = 0; step < 14; step += 1) {
      clock.advance(25)
      await turn()
    }
    expect(await answer).toBe(false)
    sent[0]!.resolve()
    await turn()
    expect(await subscriptions.want(0, 'a', true)).toBe(true)
  })

  test('given up while its subscribe is under way, then wanted again: the last word is sent last', async () => {
    subscriptions.connected()
    const first = subscriptions.want(0, 'a', true)
    await turn()
    subscriptions.unwant('a')
    expect(await first).toBe(false)
    await turn()
    const again = subscriptions.want(0, 'a', true)
    await turn()
    expect(commands()).toEqual(['subscribe a', 'unsubscribe a', 'subscribe a'])
    sent[0]!.resolve()
    let answer: boolean | undefined
    void again.then((confirmed) => (answer = confirmed))
    await turn()
    expect(answer).toBeUndefined()
    sent[1]!.resolve()
    sent[2]!.resolve()
    expect(await again).toBe(true)
  })

  test('given up and wanted again in one turn sends nothing', async () => {
    subscriptions.connected()
    void subscriptions.want(0, 'a', true)
    await turn()
    sent[0]!.resolve()
    await turn()
    subscriptions.unwant('a')
    expect(await subscriptions.want(0, 'a', true)).toBe(true)
    await turn()
    expect(sent).toHaveLength(1)
  })

  test('wanted and given up before it was sent is forgotten', async () => {
    subscriptions.connected()
    void subscriptions.want(0, 'a', true)
    subscriptions.unwant('a')
    await turn()
    expect(sent).toEqual([])
    // Nor does it come back with the next connection.
    subscriptions.lost()
    subscriptions.connected()
    await turn()
    expect(sent).toEqual([])
  })

  test('after a loss all that is wanted is sent again, in bounded pieces, and marks wait for it', async () => {
    subscriptions.connected()
    for (let index = 0; index < 9000; index += 1) void subscriptions.want(0, `c${index}`, false)
    subscriptions.lost()
    subscriptions.unwant('c0')
    subscriptions.connected()
    let reached = false
    subscriptions.whenConfirmed(() => (reached = true))
    await turn()
    expect(sent).toHaveLength(16)
    for (let index = 0; index < 18; index += 1) {
      expect(reached).toBe(false)
      sent[index]!.resolve()
      await turn()
      await turn()
    }
    expect(reached).toBe(true)
    expect(sent.flatMap(({ channels }) => channels)).toHaveLength(8999)
  })

  test('a mark does not wait for what is wanted after it', async () => {
    subscriptions.connected()
    void subscriptions.want(0, 'before', false)
    await turn()
    let reached = false
    subscriptions.whenConfirmed(() => (reached = true))
    void subscriptions.want(0, 'after', false)
    await turn()
    sent[0]!.resolve()
    await turn()
    expect(reached).toBe(true)
  })

  test('a mark of a lost connection is never reached', async () => {
    subscriptions.connected()
    void subscriptions.want(0, 'a', false)
    await turn()
    let reached = false
    subscriptions.whenConfirmed(() => (reached = true))
    subscriptions.lost()
    sent[0]!.resolve()
    await turn()
    expect(reached).toBe(false)
  })

  test('a refusal is told; one of an older connection is not, and an unanswered subscribe is a failure', async () => {
    subscriptions.connected()
    void subscriptions.want(0, 'a', false)
    await turn()
    sent[0]!.reject(new Error('no'))
    await turn()
    expect(failed).toHaveLength(1)
    subscriptions.lost()
    subscriptions.connected()
    await turn()
    subscriptions.lost()
    sent[1]!.reject(new Error('late'))
    await turn()
    expect(failed).toHaveLength(1)
    subscriptions.connected()
    await turn()
    for (let step = 0; step < 250; step += 1) {
      clock.advance(25)
      await turn()
    }
    expect(failed).toHaveLength(2)
  })
})
