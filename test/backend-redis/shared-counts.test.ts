import { expect, test } from 'vitest'
import { eventually } from '../harness/eventually.js'
import { describeWith } from '../requirements.js'
import { SharedNodes, type SharedNode } from './shared-node.js'

const topic = '1/news'

/** What the nodes are told of a channel's subscriptions, over one real Redis (2.10, D4). */
describeWith(['redis'], 'the counts that several nodes share', () => {
  const nodes = new SharedNodes()

  const start = (more: Parameters<typeof nodes.start>[1] = {}) => nodes.start([topic], more)

  const told = (node: SharedNode) => node.sink.countsOf(topic)
  const lastTold = (node: SharedNode) => told(node).at(-1)

  test('every change is told to both in the same order, whoever made it', async () => {
    const [a, b] = [await start(), await start()]
    // A node that has just begun reads the counts of its channels once, and may be told by that before the bus.
    await a.backend.occupancy.set(topic, 50)
    await eventually('both have begun', () => lastTold(a) === 50 && lastTold(b) === 50)
    const begun = { a: told(a).length, b: told(b).length }
    const changes = Array.from({ length: 30 }, (_none, index) => index + 1)
    for (const count of changes) {
      await Promise.all([a.backend.occupancy.set(topic, count), b.backend.occupancy.set(topic, 31 - count)])
    }
    await Promise.all([a.backend.occupancy.set(topic, 3), b.backend.occupancy.set(topic, 4)])
    await eventually('both told', () => lastTold(a) === 7 && lastTold(b) === 7)
    // Changes that cancelled each other out are told again where they were made.
    expect(withoutRepeats(told(a).slice(begun.a))).toEqual(withoutRepeats(told(b).slice(begun.b)))
  })

  test('only nodes that are subscribed are told, once each', async () => {
    const [a, b] = [await start(), await nodes.start([])]
    await b.backend.broker.subscribe('1/other')
    for (const count of [1, 2, 1, 0]) await a.backend.occupancy.set(topic, count)
    await a.backend.occupancy.set('1/other', 1)
    await eventually('told', () => told(a).length >= 4 && b.sink.counts.length > 0)
    expect(told(a)).toEqual([1, 2, 1, 0])
    expect(b.sink.counts).toEqual([{ topic: '1/other', total: 1 }])
  })

  test('a node dies: the others are told what is left', async () => {
    const [a, b] = [await start(), await start()]
    await a.backend.occupancy.set(topic, 2)
    await b.backend.occupancy.set(topic, 3)
    const others = Array.from({ length: 100 }, (_none, index) => `1/c-${index}`)
    await Promise.all(others.map((other) => a.backend.broker.subscribe(other)))
    for (const node of [a, b]) await Promise.all(others.map((other) => node.backend.occupancy.set(other, 1)))
    await b.backend.occupancy.set('1/presence-news', 3)
    await a.backend.broker.subscribe('1/presence-news')
    await eventually('both told', () => lastTold(a) === 5 && lastTold(b) === 5)
    nodes.running = [a]
    await b.vanish()
    await eventually('told what is left', () => lastTold(a) === 2, 8000)
    expect(told(a)).toEqual([2, 5, 2])
    expect(a.sink.countsOf('1/presence-news')).toEqual([])
    // Several channels of a partition are swept with one call.
    await eventually('all channels', () => others.every((other) => a.sink.countsOf(other).at(-1) === 1))
    for (const other of others) expect(a.sink.countsOf(other)).toEqual([1, 2, 1])
  })

  test('a node gives its subscriptions up: the others are told at once', async () => {
    const [a, b] = [await start(), await start()]
    await a.backend.occupancy.set(topic, 2)
    await b.backend.occupancy.set(topic, 3)
    nodes.running = [a]
    void b.backend.occupancy.set(topic, 2)
    void b.backend.occupancy.set(topic, 0)
    await b.close()
    await eventually('told', () => lastTold(a) === 2, 1000)
  })

  test.each(['with its data', 'without data'])(
    'Redis is away and comes back %s: changes are told here at once, and there afterwards',
    async (how) => {
      const [a, b] = [await start(), await start()]
      await a.backend.occupancy.set(topic, 2)
      await b.backend.occupancy.set(topic, 3)
      await eventually('both told', () => lastTold(a) === 5 && lastTold(b) === 5)
      if (how === 'without data') await nodes.redis.kill()
      else for (const node of nodes.running) node.proxy.freeze()
      await eventually(
        'noticed',
        () => nodes.running.every(({ backend }) => backend.downSinceMs() !== undefined),
        10_000,
      )
      expect(await a.backend.occupancy.set(topic, 4)).toEqual({ total: 7 })
      expect(await b.backend.occupancy.set(topic, 2)).toEqual({ total: 4 })
      expect([lastTold(a), lastTold(b)]).toEqual([7, 4])
      if (how === 'without data') await nodes.redis.restart()
      else for (const node of nodes.running) node.proxy.thaw()
      await eventually('the truth is told', () => lastTold(a) === 6 && lastTold(b) === 6, 20_000)
      expect(await a.backend.occupancy.total(topic)).toBe(6)
      await a.backend.occupancy.set(topic, 1)
      await eventually('told again', () => lastTold(a) === 3 && lastTold(b) === 3)
    },
  )

  test('data that was lost and is written again is told to nobody', async () => {
    const [a, b] = [await start(), await start()]
    await a.backend.occupancy.set(topic, 2)
    await b.backend.occupancy.set(topic, 3)
    await eventually('both told', () => lastTold(a) === 5 && lastTold(b) === 5)
    await nodes.redis.command('FLUSHALL')
    await eventually(
      'written again',
      () =>
        nodes.running.every(({ logger }) => logger.at('warn').some(({ message }) => message.includes('written again'))),
      10_000,
    )
    await eventually('complete', async () => (await total(a)) === 5 && (await total(b)) === 5, 20_000)
    await a.backend.occupancy.set(topic, 4)
    await eventually('told', () => lastTold(a) === 7 && lastTold(b) === 7)
    // A change that meets nodes still writing is told where it was made, and again when it is stored.
    for (const node of [a, b]) expect(withoutRepeats(told(node))).toEqual([2, 5, 7])
  })

  test('a node that was cut off for a moment is told what it missed', async () => {
    const lease = { leaseMs: 20_000 }
    const [a, b] = [await start(lease), await start(lease)]
    await b.backend.occupancy.set(topic, 1)
    await a.backend.occupancy.set(topic, 2)
    await eventually('both told', () => lastTold(a) === 3 && lastTold(b) === 3)
    b.proxy.freeze()
    b.proxy.cut()
    await eventually('noticed', () => b.backend.downSinceMs() !== undefined)
    await a.backend.occupancy.set(topic, 9)
    await eventually('told here', () => lastTold(a) === 10)
    expect(lastTold(b)).toBe(3)
    b.proxy.thaw()
    b.proxy.cut()
    await eventually('told there', () => lastTold(b) === 10, 15_000)
    expect(told(a)).toEqual([1, 3, 10])
    // The first count was its own, right after it began: it may be told by what it reads then, and by the bus.
    expect(withoutRepeats(told(b))).toEqual([1, 3, 10])
  })

  async function total(node: SharedNode): Promise<number | undefined> {
    try {
      return await node.backend.occupancy.total(topic)
    } catch (_unavailable) {
      return undefined
    }
  }
})

function withoutRepeats(counts: readonly number[]): number[] {
  return counts.filter((count, index) => count !== counts[index - 1])
}
