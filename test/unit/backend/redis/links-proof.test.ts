import { beforeEach, describe, expect, test } from 'vitest'
import { BusProof } from '../../../../src/backend/redis/proof.js'
import { ServerClock } from '../../../../src/backend/redis/server-clock.js'
import { ManualClock } from '../../../fakes/manual-clock.js'

describe('the proof of the bus', () => {
  let clock: ManualClock
  let published: number[]
  let told: string[]
  let proof: BusProof
  let time: unknown

  beforeEach(() => {
    clock = new ManualClock()
    published = []
    told = []
    time = ['1700000100', '250000']
    proof = new BusProof(clock, {
      publish: async (number) => {
        published.push(number)
        return time
      },
      proven: () => told.push('proven'),
      silent: () => told.push('silent'),
      check: () => undefined,
    })
    proof.start()
  })

  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  test('is sent every 2 s, and only what was sent after the beginning counts', async () => {
    proof.begin()
    await pass(0)
    proof.received('p1')
    await pass(4000)
    expect(published).toEqual([1, 2, 3])
    proof.end()
    proof.begin()
    const before = told.length
    proof.received('p3')
    expect(told).toHaveLength(before)
    proof.received('p4')
    await pass(250)
    expect(told.length).toBeGreaterThan(before)
  })

  test('foreign messages prove nothing', async () => {
    proof.begin()
    for (const junk of ['', 'p', 'p0', 'p2', 'p-1', 'p1 ', '1', 'p1e0', `p${'9'.repeat(400)}`]) proof.received(junk)
    await pass(250)
    expect(told).toEqual([])
  })

  test('it proves nothing without the server’s time', async () => {
    time = 'junk'
    proof.begin()
    proof.received('p1')
    await pass(250)
    expect(told).toEqual([])
    time = ['1700000100', '250000']
    await pass(2000)
    expect(told).toEqual(['proven'])
    expect(Math.abs(proof.redisNowMs() - 1_700_000_100_250)).toBeLessThanOrEqual(250)
  })

  test('a message that is not back after 6 s is told once', async () => {
    proof.begin()
    await pass(1000)
    proof.received('p1')
    // The next one is sent a second later.
    await pass(7000)
    expect(told).not.toContain('silent')
    await pass(500)
    expect(told.filter((what) => what === 'silent')).toHaveLength(1)
    await pass(10_000)
    expect(told.filter((what) => what === 'silent')).toHaveLength(1)
  })

  test('a process that was held up itself asks once more before it judges', async () => {
    proof.begin()
    proof.received('p1')
    await pass(500)
    const frozen = published.length
    // Stopped for 40 s: the ticks come in one turn.
    clock.advance(40_000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).not.toContain('silent')
    expect(published.length).toBe(frozen + 1)
    proof.received(`p${published.at(-1)!}`)
    await pass(1000)
    expect(told).not.toContain('silent')
    clock.advance(40_000)
    await pass(1500)
    expect(told).toContain('silent')
  })
})

describe('the clock of a server', () => {
  test('the shortest round trip of the last eight counts', () => {
    const server = new ServerClock()
    expect(server.atMs(0)).toBeUndefined()
    server.learn(1_000_120, 0, 200)
    expect(server.atMs(200)).toBe(1_000_220)
    server.learn(1_001_001, 1000, 1002)
    expect(server.atMs(1002)).toBe(1_001_002)
    server.learn(1_002_150, 2000, 2300)
    expect(server.atMs(2300)).toBe(1_002_300)
    for (let index = 3; index < 11; index += 1)
      server.learn(1_000_000 + index * 1000 + 10, index * 1000, index * 1000 + 20)
    expect(server.atMs(0)).toBe(1_000_000)
  })

  test('a contradiction forgets what was learnt: the clock was set', () => {
    const server = new ServerClock()
    server.learn(1_000_001, 0, 2)
    server.learn(2_000_050, 1000, 1100)
    expect(server.atMs(1100)).toBe(2_000_100)
    server.learn(2_000_551, 2000, 2002)
    expect(server.atMs(2002)).toBe(2_000_552)
  })

  test('forget', () => {
    const server = new ServerClock()
    server.learn(1000, 0, 2)
    server.forget()
    expect(server.atMs(5)).toBeUndefined()
  })
})
