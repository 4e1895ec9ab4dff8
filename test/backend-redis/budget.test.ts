import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Keys, partitionCount, partitionOf } from '../../src/backend/redis/keys.js'
import { LinkError, type Link, type Script } from '../../src/backend/redis/link.js'
import { RedisBudget } from '../../src/backend/redis/redis-budget.js'
import { systemClock } from '../../src/base/clock.js'
import { eventually } from '../harness/eventually.js'
import { RedisServer } from '../harness/redis-server.js'
import { describeWith } from '../requirements.js'

const leaseMs = 1000
const timeoutMs = 500
const windowMs = 10_000

type Client = ReturnType<RedisServer['client']>

/** One connection, always up, without proofs: only what scripts need. */
class PlainLink implements Link {
  readonly name = 'plain'
  up = true
  readonly suspect = false
  calls = 0
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  redisNowMs(): number {
    return systemClock.nowMs()
  }

  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    this.calls += 1
    try {
      return await this.#client.call('EVAL', [script.source, keys.length, ...keys, ...args].map(String))
    } catch (error) {
      throw new LinkError('unsure', String(error))
    }
  }

  call(): Promise<unknown> {
    throw new Error('no plain command is needed')
  }
}

interface Node {
  readonly name: string
  readonly budget: RedisBudget
  readonly link: PlainLink
  readonly client: Client
}

describeWith(['redis'], 'budgets of three nodes on a real Redis (D8)', () => {
  let redis: RedisServer
  let nodes: Node[] = []
  const keys = new Keys('budget-test')

  beforeAll(async () => {
    redis = await RedisServer.start()
  })
  afterAll(() => redis.close())

  beforeEach(async () => {
    await redis.command('FLUSHALL')
    const names = ['a', 'b', 'c']
    for (let partition = 0; partition < partitionCount; partition += 1) {
      // What the nodes' leases are there; the budget only counts them.
      await redis.command('HSET', keys.nodes(partition), ...names.flatMap((name) => [name, '1']))
    }
    nodes = names.map((name) => {
      const client = redis.client({ commandTimeout: timeoutMs })
      const link = new PlainLink(client)
      const budget = new RedisBudget({
        links: { of: () => link },
        keys,
        node: name,
        clock: systemClock,
        leaseMs,
        timeoutMs,
      })
      budget.start()
      return { name, budget, link, client }
    })
    await Promise.all(nodes.map(({ budget }) => budget.connections('warm')))
  })
  afterEach(async () => {
    for (const node of nodes) await leave(node)
  })

  async function leave({ budget, client }: Node): Promise<void> {
    await budget.close()
    client.disconnect()
  }

  /** As a killed process: nothing is told. */
  function crash({ link }: Node): void {
    link.up = false
  }

  /** Calls `body` with the passed time, every few ms. */
  async function during(ms: number, body: (passedMs: number) => void): Promise<void> {
    const startMs = performance.now()
    await eventually(
      'the end of the window',
      () => {
        const passedMs = performance.now() - startMs
        body(Math.min(passedMs, ms))
        return passedMs >= ms
      },
      ms + 5000,
    )
  }

  /** Each node offers so many single requests per second; how many got through, per node. */
  function offering(appId: string, perSecond: number, offers: readonly number[]) {
    const offered = offers.map(() => 0)
    const through = offers.map(() => 0)
    return {
      through,
      total: () => through.reduce((sum, count) => sum + count, 0),
      upTo(passedMs: number): void {
        for (const [index, perNode] of offers.entries()) {
          for (; offered[index]! < Math.floor((passedMs * perNode) / 1000); offered[index]! += 1) {
            if (nodes[index]!.budget.take(appId, 'triggers', 1, perSecond)) through[index]! += 1
          }
        }
      },
    }
  }

  test('10 s let ten seconds of the rate through, however the load is spread, with few calls', async () => {
    const even = offering('even', 300, [1000, 1000, 1000])
    const uneven = offering('uneven', 300, [900, 50, 50])
    const exact = offering('exact', 300, [270, 15, 15])
    const low = offering('low', 10, [300, 100, 10])
    const high = offering('high', 20_000, [30_000, 3000, 1000])
    const all = [even, uneven, exact, low, high]
    for (const { link } of nodes) link.calls = 0
    await during(windowMs, (passedMs) => {
      for (const load of all) load.upTo(passedMs)
    })
    for (const load of [even, uneven, exact]) {
      expect(load.total()).toBeGreaterThanOrEqual(2700)
      expect(load.total()).toBeLessThanOrEqual(3300)
    }
    expect(low.total()).toBeGreaterThanOrEqual(90)
    expect(low.total()).toBeLessThanOrEqual(110)
    expect(high.total()).toBeGreaterThanOrEqual(180_000)
    expect(high.total()).toBeLessThanOrEqual(220_000)
    // The busy node gets nearly all, also when the others have what they need.
    expect(uneven.through[0]).toBeGreaterThan(2000)
    expect(exact.through[0]).toBeGreaterThan(2600)
    // Ten a second per app, and the beats.
    for (const { link } of nodes) expect(link.calls).toBeLessThan(12 * 10 * all.length)
  }, 20_000)

  test('a limit of 900 admits 900 to within one slice, and goes on when places are free again', async () => {
    const attempts = [2400, 450, 150]
    const tried = [0, 0, 0]
    const open = [0, 0, 0]
    const total = (): number => open.reduce((sum, count) => sum + count, 0)
    await during(2000, (passedMs) => {
      for (const [index, count] of attempts.entries()) {
        for (; tried[index]! < Math.floor((passedMs * count) / 2000); tried[index]! += 1) {
          if (nodes[index]!.budget.admit('limited', 900)) open[index]! += 1
        }
      }
    })
    expect(total()).toBeGreaterThanOrEqual(900 - 18)
    expect(total()).toBeLessThanOrEqual(900 + 18)
    for (const { budget } of nodes) expect(await budget.connections('limited')).toBe(total())
    // What one node gives back, another may have.
    for (let count = 0; count < 100; count += 1) nodes[0]!.budget.release('limited')
    await eventually('a place on another node', () => nodes[2]!.budget.admit('limited', 900))
  })

  test('a change is known to the other nodes within 200 ms, and to its own at once', async () => {
    const [a, b] = [nodes[0]!.budget, nodes[1]!.budget]
    for (let count = 0; count < 30; count += 1) a.admit('free', 0)
    const changedAtMs = performance.now()
    await eventually('30 connections', async () => (await b.connections('free')) === 30)
    expect(performance.now() - changedAtMs).toBeLessThan(200)
    for (let count = 0; count < 30; count += 1) a.release('free')
    b.admit('free', 0)
    expect(await a.connections('free')).toBeLessThanOrEqual(1)
    expect(await b.connections('free')).toBe(1)
  })

  test('the connections of a dead node end with its lease, and those of a live one do not', async () => {
    for (const { budget } of nodes) for (let count = 0; count < 10; count += 1) budget.admit('mortal', 0)
    await eventually('30 connections', async () => (await nodes[1]!.budget.connections('mortal')) === 30)
    crash(nodes[0]!)
    const crashedAtMs = performance.now()
    await eventually('20 connections', async () => (await nodes[1]!.budget.connections('mortal')) === 20)
    expect(performance.now() - crashedAtMs).toBeLessThan(leaseMs + 500)
    await during(2 * leaseMs, () => undefined)
    expect(await nodes[1]!.budget.connections('mortal')).toBe(20)
    // A node that was only cut off tells again.
    nodes[0]!.link.up = true
    await eventually('30 connections', async () => (await nodes[1]!.budget.connections('mortal')) === 30)
  })

  test('counts are told again when the data was lost', async () => {
    for (const { budget } of nodes) for (let count = 0; count < 10; count += 1) budget.admit('lost', 0)
    await eventually('30 connections', async () => (await nodes[1]!.budget.connections('lost')) === 30)
    await redis.command('FLUSHALL')
    await eventually('30 connections', async () => (await nodes[2]!.budget.connections('lost')) === 30)
  })

  test('a frozen Redis: questions are answered, the cluster number is not guessed', async () => {
    const { budget } = nodes[0]!
    expect(budget.admit('frozen', 900)).toBe(true)
    await during(50, () => budget.take('frozen', 'reads', 1, 1000))
    redis.freeze()
    try {
      let through = 0
      await during(1000, () => {
        for (let count = 0; count < 20; count += 1) if (budget.take('frozen', 'reads', 1, 1000)) through += 1
      })
      expect(through).toBeGreaterThan(500)
      expect(through).toBeLessThan(2200)
      expect(budget.admit('frozen', 900)).toBe(true)
      const askedAtMs = performance.now()
      await expect(budget.connections('frozen')).rejects.toMatchObject({ kind: 'down' })
      expect(performance.now() - askedAtMs).toBeLessThan(1000)
    } finally {
      redis.thaw()
    }
    await eventually('an answer', async () => {
      try {
        return (await budget.connections('frozen')) === 2
      } catch (_notYet) {
        return false
      }
    })
  })

  test('a server whose clock goes back neither blocks a rate nor keeps the dead', async () => {
    const partition = partitionOf('past')
    const rate = keys.own(partition, 'budget:triggers:past')
    const connections = keys.own(partition, 'budget:connections:past')
    const future = systemClock.nowMs() + 300_000
    await redis.command('HSET', rate, 'level', 0, 'at', future, 'full', future, 'rate', 100, 'offered', 5)
    await redis.command('HSET', connections, 'dead', `5:5:${future}`, 'junk', 'junk')
    const { budget } = nodes[0]!
    expect(await budget.connections('past')).toBe(0)
    for (let count = 0; count < 300; count += 1) budget.take('past', 'triggers', 1, 100)
    let through = 0
    await during(2000, () => {
      if (budget.take('past', 'triggers', 1, 100)) through += 1
    })
    expect(through).toBeGreaterThan(50)
  })

  test('nothing stays in Redis for ever', async () => {
    const { budget } = nodes[0]!
    budget.admit('gone', 900)
    budget.admit('gone', 0)
    budget.take('gone', 'triggers', 5, 10)
    budget.take('gone', 'reads', 5, 100_000)
    await budget.connections('gone')
    const names = await eventually('three keys', async () => {
      const found = (await redis.command('KEYS', '*budget:*:gone')) as string[]
      return found.length === 3 && found
    })
    for (const name of names) {
      const ttlMs = Number(await redis.command('PTTL', name))
      expect(ttlMs).toBeGreaterThan(0)
      expect(ttlMs).toBeLessThanOrEqual(name.includes('connections') ? leaseMs : 20_000)
    }
    await leave(nodes[0]!)
    await leave(nodes[1]!)
    await leave(nodes[2]!)
    expect(await redis.command('KEYS', '*budget:connections:*')).toEqual([])
    nodes = []
  })
})
