import { expect, test } from 'vitest'
import { Keys, partitionCount, partitionOf } from '../../src/backend/redis/keys.js'
import type { RedisBackendOptions } from '../../src/backend/redis/redis-backend.js'
import { BrokerError } from '../../src/core/ports/broker.js'
import type { OutboxProgress } from '../../src/core/ports/outbox.js'
import { eventually } from '../harness/eventually.js'
import { describeWith } from '../requirements.js'
import { leaseMs, SharedNodes, type SharedNode } from './shared-node.js'

const beatMs = leaseMs / 5
const all = Array.from({ length: partitionCount }, (_none, partition) => partition)

/** Which node sends what is in the outbox (src/backend/redis/outbox-leases.ts). */
describeWith(['redis'], 'who sends what is in the outbox', () => {
  const nodes = new SharedNodes()

  const start = (more: Partial<RedisBackendOptions> = {}) => nodes.start([], more, true)
  const keys = () => new Keys(nodes.prefix)
  const redis = (name: string, ...args: (string | number)[]) => nodes.redis.command(name, ...args)
  const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

  function topicIn(partition: number): string {
    for (let index = 0; ; index += 1) {
      if (partitionOf(`1/presence-${index}`) === partition) return `1/presence-${index}`
    }
  }

  /** One entry in the outbox of a partition. */
  async function append(node: SharedNode, partition: number, userId: string): Promise<void> {
    await node.backend.broker.subscribe(topicIn(partition))
    await node.join(topicIn(partition), `1.${userId}`, userId)
  }

  const add = (partition: number, id: string, ...fields: string[]) =>
    redis('XADD', keys().outbox(partition), id, ...fields)
  const transition = ['type', 'member_added', 'app', '1', 'channel', 'presence-x', 'user', 'raw', 'time', '5']

  async function usersIn(node: SharedNode, partition: number, after = '', count = 1000) {
    const { entries } = await node.backend.outbox.read(partition, after, count)
    return entries.map((entry) => entry.transition.userId)
  }

  function heldOnce(...holders: SharedNode[]): boolean {
    return all.every((partition) => holders.filter((node) => node.outboxListener.held.has(partition)).length === 1)
  }

  const holds = (node: SharedNode) => node.outboxListener.held.size

  function noMistakes(): void {
    for (const node of nodes.running) expect(node.outboxListener.mistakes).toEqual([])
  }

  test('each partition has one sender, nodes share them once there is nothing to send, and who does not watch has none', async () => {
    // Names and prefix decide who sends what.
    nodes.prefix = 'sharing'
    const [quiet, a] = [await nodes.start([]), await start({ node: 'node-a' })]
    await eventually('one alone has all', () => holds(a) === partitionCount)
    await append(quiet, 3, 'ann')
    await append(quiet, 4, 'bob')
    const [b, c] = [await start({ node: 'node-b' }), await start({ node: 'node-c' })]
    const senders = [a, b, c]
    await eventually('shared', () => heldOnce(...senders) && senders.every((node) => holds(node) <= 19), 15 * beatMs)
    expect(Math.min(...senders.map(holds))).toBeGreaterThan(3)
    // Nobody is disturbed while there is something to send.
    expect([a.outboxListener.of(3), a.outboxListener.of(4)].flat()).not.toContain('lost')
    const gained = senders.map((node) => node.outboxListener.count('gained'))
    await pass(4 * beatMs)
    expect(senders.map((node) => node.outboxListener.count('gained'))).toEqual(gained)
    expect(heldOnce(...senders)).toBe(true)
    expect(holds(quiet)).toBe(0)
    noMistakes()
  })

  test('what a node releases is taken by another at its next beat, with the progress that was noted', async () => {
    const a = await start()
    for (const user of ['ann', 'bob', 'cat', 'dan']) await append(a, 7, user)
    const { entries } = await a.backend.outbox.read(7, '', 10)
    const [first, , third, fourth] = entries.map(({ id }) => id)
    const behind = new Map([
      ['https://one', first!],
      ['__proto__', third!],
    ])
    const progress: OutboxProgress = { doneTo: first!, readTo: fourth!, behind }
    const b = await start()
    expect(b.outboxListener.held.has(7)).toBe(false)
    await a.backend.outbox.done(7, progress)
    expect(await usersIn(a, 7)).toEqual(['bob', 'cat', 'dan'])
    await a.backend.outbox.release()
    const releasedAtMs = performance.now()
    await eventually('taken', () => holds(b) === partitionCount)
    console.log(`released: all taken after ${(performance.now() - releasedAtMs).toFixed(0)} ms, a beat is ${beatMs}`)
    expect(performance.now() - releasedAtMs).toBeLessThan(2.5 * beatMs)
    expect(b.outboxListener.held.get(7)).toEqual(progress)
    // It is still there, and takes nothing again; nor does it note anything.
    await b.backend.outbox.done(7, { doneTo: third!, readTo: third!, behind: new Map() })
    await a.backend.outbox.done(7, progress)
    await pass(3 * beatMs)
    expect(b.outboxListener.count('lost')).toBe(0)
    expect(a.outboxListener.count('lost') + a.outboxListener.count('gained')).toBeLessThanOrEqual(2 * partitionCount)
    expect(await redis('HGETALL', keys().progress(7))).toEqual(['done', third, 'read', third])
    expect(await usersIn(b, 7)).toEqual(['dan'])
    noMistakes()
  })

  test('a sender that is cut off is replaced when its lease is over, and told so when it is back', async () => {
    const a = await start()
    for (const partition of all) await append(a, partition, 'ann')
    const b = await start()
    await pass(2 * beatMs)
    expect(holds(a)).toBe(partitionCount)
    a.proxy.freeze()
    const frozenAtMs = performance.now()
    const late = a.backend.outbox
      .done(0, { doneTo: '9-9', readTo: '9-9', behind: new Map() })
      .catch((error: unknown) => error)
    await eventually('taken', () => holds(b) === partitionCount, leaseMs + 5 * beatMs)
    expect(performance.now() - frozenAtMs).toBeGreaterThan(leaseMs - beatMs - 50)
    // It does not know, and nothing says that it is so.
    expect(holds(a)).toBe(partitionCount)
    expect(await late).toBeInstanceOf(BrokerError)
    a.proxy.thaw()
    await eventually('told', () => holds(a) === 0, 15_000)
    expect(a.outboxListener.count('lost')).toBe(partitionCount)
    expect(await redis('HGETALL', keys().progress(0))).toEqual([])
    expect(await usersIn(b, 0)).toContain('ann')
    noMistakes()
  })

  test('who is replaced notes nothing any more, and is told at once', async () => {
    const a = await start({ leaseMs: 60_000 })
    await append(a, 5, 'ann')
    const { entries } = await a.backend.outbox.read(5, '', 10)
    await redis('SET', keys().sender(5), `2 ${Date.now() + 60_000} another-node`)
    const id = entries[0]!.id
    await a.backend.outbox.done(5, { doneTo: id, readTo: id, behind: new Map() })
    expect(a.outboxListener.held.has(5)).toBe(false)
    expect(a.outboxListener.count('lost')).toBe(1)
    expect(await usersIn(a, 5)).toEqual(['ann'])
    expect(await redis('EXISTS', keys().progress(5))).toBe(0)
    // Told once.
    await a.backend.outbox.done(5, { doneTo: id, readTo: id, behind: new Map() })
    expect(a.outboxListener.count('lost')).toBe(1)
    noMistakes()
  })

  test('a lease that ended without another taking it goes on', async () => {
    const a = await start()
    await append(a, 5, 'ann')
    a.proxy.freeze()
    await pass(leaseMs + 2 * beatMs)
    a.proxy.thaw()
    const id = await eventually('Redis is reached', async () => {
      const page = await a.backend.outbox.read(5, '', 10).catch(() => undefined)
      return page?.entries[0]?.id
    })
    await pass(2 * beatMs)
    expect(a.outboxListener.count('lost')).toBe(0)
    expect(a.outboxListener.count('gained')).toBe(partitionCount)
    await a.backend.outbox.done(5, { doneTo: id, readTo: id, behind: new Map() })
    expect(await usersIn(a, 5)).toEqual([])
    noMistakes()
  })

  test.each(['flushed', 'restarted without data'])(
    'Redis is %s: senders are told, and what is there now is read although its ids are smaller',
    async (how) => {
      nodes.prefix = how.replaceAll(' ', '-')
      const [a, b] = [await start({ node: 'node-a' }), await start({ node: 'node-b' })]
      await eventually('shared', () => heldOnce(a, b) && holds(b) > 5)
      for (const partition of all) await append(a, partition, 'ann')
      for (const partition of all)
        await (b.outboxListener.held.has(partition) ? b : a).backend.outbox.read(partition, '', 10)
      const before = new Set(b.outboxListener.held.keys())
      if (how === 'flushed') await redis('FLUSHALL')
      else await nodes.redis.restart()
      for (const partition of all) await add(partition, '7-1', ...transition)
      for (const node of [a, b]) {
        await eventually('told', () => node.outboxListener.count('emptied') === holds(node) && holds(node) > 0, 20_000)
      }
      expect(new Set(b.outboxListener.held.keys())).toEqual(before)
      expect(a.outboxListener.count('emptied') + b.outboxListener.count('emptied')).toBe(partitionCount)
      expect(heldOnce(a, b)).toBe(true)
      for (const node of [a, b]) {
        for (const partition of node.outboxListener.held.keys()) {
          const calls = () => node.outboxListener.of(partition)
          await eventually('appended', () => calls().lastIndexOf('appended') > calls().indexOf('emptied'))
          expect(await usersIn(node, partition)).toContain('raw')
          await node.backend.outbox.done(partition, { doneTo: '7-1', readTo: '7-1', behind: new Map() })
          expect(await usersIn(node, partition)).not.toContain('raw')
        }
      }
      noMistakes()
    },
  )

  test('after a loss of the data, who finds that another has sent from it meanwhile has lost the partition', async () => {
    const a = await start()
    const [partition, other] = [11, 12]
    a.proxy.freeze('requests')
    await redis('FLUSHALL')
    await redis('SET', keys().sender(partition), `1 ${Date.now() + 60_000} another-node`)
    await redis('SET', keys().sender(other), '1 0 -')
    await redis('HSET', keys().progress(other), 'done', '5-5', 'read', 'junk', ':x', '6-6', ':y', 'junk')
    a.proxy.thaw()
    await eventually('told', () => a.outboxListener.count('emptied') === partitionCount - 2, 20_000)
    expect(a.outboxListener.of(partition).filter((call) => call !== 'appended')).toEqual(['gained', 'lost'])
    expect(a.outboxListener.of(other).filter((call) => call !== 'appended')).toEqual(['gained', 'lost', 'gained'])
    const behind = new Map([
      ['x', '6-6'],
      ['y', ''],
    ])
    expect(a.outboxListener.held.get(other)).toEqual({ doneTo: '5-5', readTo: '', behind })
    noMistakes()
  })

  test('an entry of another node is told within moments, and only of its partition', async () => {
    // No beat within the test.
    const a = await start({ leaseMs: 60_000 })
    const b = await nodes.start([], { leaseMs: 60_000 })
    await append(b, 9, 'warms up')
    await pass(100)
    const before = a.outboxListener.count('appended')
    const tookMs: number[] = []
    for (let round = 0; round < 10; round += 1) {
      const told = a.outboxListener.count('appended', 9)
      const sentAtMs = performance.now()
      await append(b, 9, `user-${round}`)
      await eventually('told', () => a.outboxListener.count('appended', 9) > told, 250)
      tookMs.push(performance.now() - sentAtMs)
      await pass(40)
    }
    console.log(`told after ${Math.max(...tookMs).toFixed(1)} ms at most`)
    expect(a.outboxListener.count('appended') - before).toBe(10)
    noMistakes()
  })

  test('one that was not heard is told by the next beat, and none is told again that has been read', async () => {
    const a = await start()
    await pass(100)
    await add(2, '*', ...transition)
    await eventually('told', () => a.outboxListener.count('appended', 2) > 1, 2 * beatMs)
    expect(await usersIn(a, 2)).toEqual(['raw'])
    const before = a.outboxListener.count('appended')
    const reads = await readsOfRedis()
    await pass(3 * beatMs)
    expect(a.outboxListener.count('appended')).toBe(before)
    expect(await readsOfRedis()).toBe(reads)
    noMistakes()
  })

  async function readsOfRedis(): Promise<string | undefined> {
    const info = String(await redis('INFO', 'commandstats'))
    return /cmdstat_xrange:calls=(\d+)/.exec(info)?.[1]
  }

  test('hundreds of changes in a few steps are a few messages', async () => {
    const [a, b] = [await start(), await nodes.start([])]
    const topic = topicIn(6)
    for (const node of [a, b]) await node.backend.broker.subscribe(topic)
    for (let index = 0; index < 250; index += 1) await b.join(topic, `2.${index}`, `user-${index}`)
    const heard: string[] = []
    const subscriber = nodes.redis.client()
    subscriber.on('message', (_channel: string, message: string) => heard.push(message))
    try {
      await subscriber.subscribe(keys().outboxBus(6))
      nodes.running = [a]
      await b.vanish()
      await eventually('swept', async () => (await usersIn(a, 6)).length === 500, 8000)
      expect(heard.length).toBeGreaterThan(0)
      expect(heard.length).toBeLessThanOrEqual(3)
      expect(heard[0]).toMatch(/^1o \d+-\d+\n$/)
    } finally {
      subscriber.disconnect()
    }
  })

  test('what is no transition is passed over, counted, and does not look like the end or like something new', async () => {
    const a = await start()
    for (let index = 0; index < 35; index += 1) await add(2, '*', 'type', 'nonsense')
    await add(2, '*', ...transition)
    await add(2, '*', 'type', 'member_added', 'app', '1', 'channel', 'presence-x', 'time', '5')
    await add(2, '*', 'type', 'subscription_count', 'app', '1', 'channel', 'x', 'count', '-1', 'time', '5')
    expect(await usersIn(a, 2, '', 10)).toEqual(['raw'])
    expect(a.backend.counters.droppedJunk).toBe(37)
    for (const junk of ['', '1o', '1o x\n', '1o 5-5\nmore', '1e n - 5 5\n{}']) {
      await redis('PUBLISH', keys().outboxBus(2), junk)
    }
    await eventually('heard', () => a.backend.counters.droppedJunk === 42)
    const before = a.outboxListener.count('appended')
    await pass(3 * beatMs)
    expect(a.outboxListener.count('appended')).toBe(before)
    const { entries } = await a.backend.outbox.read(2, '', 1)
    await a.backend.outbox.done(2, { doneTo: entries[0]!.id, readTo: entries[0]!.id, behind: new Map() })
    expect(await redis('XLEN', keys().outbox(2))).toBe(2)
    expect(await usersIn(a, 2, '', 2)).toEqual([])
    noMistakes()
  })

  test('more receivers than can be noted are noted as what they are sure to have', async () => {
    const a = await start()
    const behind = (count: number) => new Map(Array.from({ length: count }, (_none, index) => [`url-${index}`, '6-6']))
    await a.backend.outbox.done(1, { doneTo: '5-5', readTo: '7-7', behind: behind(10_000) })
    expect(await redis('HLEN', keys().progress(1))).toBe(10_002)
    await a.backend.outbox.done(1, { doneTo: '5-5', readTo: '7-7', behind: behind(10_001) })
    expect(await redis('HGETALL', keys().progress(1))).toEqual(['done', '5-5', 'read', '5-5'])
    await a.backend.outbox.done(1, { doneTo: '5-5', readTo: '7-7', behind: new Map([['x'.repeat(65), '6-6']]) })
    expect(await redis('HLEN', keys().progress(1))).toBe(2)
  })
})
