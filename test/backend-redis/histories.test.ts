import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.js'
import { RedisServer } from '../harness/redis-server.js'
import { describeWith } from '../requirements.js'
import { leaseMs, SharedNode } from './shared-node.js'

const topics = ['1/presence-a', '1/presence-b', '2/presence-a']
const users = ['ann', 'bob', 'cy', 'di', 'eve']
const nodeCount = 3

type Step =
  | { readonly type: 'join' | 'leave'; readonly node: number; readonly topic: number; readonly user: number }
  | { readonly type: 'freeze' | 'thaw' | 'cut'; readonly node: number }
  | { readonly type: 'flush' | 'kill subscribers' }
  | { readonly type: 'wait'; readonly ms: number }

const node = fc.nat(nodeCount - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constantFrom('join' as const, 'join' as const, 'leave' as const),
      node,
      topic: fc.nat(topics.length - 1),
      user: fc.nat(users.length - 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom('freeze' as const, 'thaw' as const, 'cut' as const), node }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('flush' as const, 'kill subscribers' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(1, 20, 300, leaseMs + 700) }),
  },
)

/** Everybody on every node must see each user come and go in turn, and all must agree in the end (D4, D6). */
describeWith(['redis'], 'random histories of three nodes whose ways to Redis fail', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await RedisServer.start()
  })
  afterAll(() => redis.close())

  test('agree with what is really connected', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => follows(redis, steps)),
      { numRuns: Number(process.env['BELFRY_TEST_HISTORIES'] ?? 12), endOnFailure: true },
    )
  }, 600_000)
})

async function follows(redis: RedisServer, steps: readonly Step[]): Promise<void> {
  const prefix = `h${randomBytes(4).toString('hex')}`
  const nodes: SharedNode[] = []
  try {
    for (let index = 0; index < nodeCount; index += 1) nodes.push(await SharedNode.start(redis, prefix))
    const held = new Set<string>()
    for (const [index, each] of nodes.entries()) {
      for (const [topic, name] of topics.entries()) {
        await each.backend.broker.subscribe(name)
        // Somebody who stays, so that the node shows the roster all the time.
        await each.join(name, `9.${index}${topic}`, `watcher-${index}`)
      }
    }
    for (const one of steps) await take(redis, nodes, held, one)
    for (const each of nodes) each.proxy.thaw()
    for (const topic of topics) await agrees(nodes, held, topic)
  } finally {
    await Promise.all(nodes.map((each) => each.close()))
  }
}

async function take(redis: RedisServer, nodes: readonly SharedNode[], held: Set<string>, one: Step): Promise<void> {
  switch (one.type) {
    case 'join':
    case 'leave': {
      const key = `${one.node} ${topics[one.topic]} ${users[one.user]}`
      const socketId = `${one.node + 1}.${one.topic}${one.user}`
      const at = nodes[one.node]!
      if (one.type === 'join') void at.join(topics[one.topic]!, socketId, users[one.user]!)
      else void at.leave(topics[one.topic]!, socketId, users[one.user]!)
      if (one.type === 'join') held.add(key)
      else held.delete(key)
      return
    }
    case 'freeze':
      nodes[one.node]!.proxy.freeze()
      return
    case 'thaw':
      nodes[one.node]!.proxy.thaw()
      return
    case 'cut':
      nodes[one.node]!.proxy.cut()
      return
    case 'flush':
      await redis.command('FLUSHALL')
      return
    case 'kill subscribers':
      await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
      return
    case 'wait':
      await new Promise((resolve) => setTimeout(resolve, one.ms))
  }
}

async function agrees(nodes: readonly SharedNode[], held: ReadonlySet<string>, topic: string): Promise<void> {
  const expected = new Set(nodes.map((_node, index) => `watcher-${index}`))
  for (const key of held) {
    const [, heldTopic, user] = key.split(' ')
    if (heldTopic === topic) expected.add(user!)
  }
  const wanted = [...expected].sort()
  for (const [index, each] of nodes.entries()) {
    const seen = () => shown(each, topic)
    await eventually(
      `node ${index} shows ${topic} as it is`,
      () => JSON.stringify(seen()) === JSON.stringify(wanted),
      30_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(seen())} instead of ${JSON.stringify(wanted)}`)
    })
    await eventually(
      `the store has ${topic} as it is`,
      async () => JSON.stringify((await stored(each, topic))?.toSorted()) === JSON.stringify(wanted),
      30_000,
    )
  }
}

async function stored(each: SharedNode, topic: string): Promise<readonly string[] | undefined> {
  try {
    return await each.backend.presence.userIds(topic)
  } catch (_unavailable) {
    return undefined
  }
}

/** What a subscriber that was there all the time believes: the roster it was given first, and every change since. */
function shown(each: SharedNode, topic: string): string[] {
  const users = new Set(each.firstRoster(topic))
  const changes = each.told(topic)
  for (const change of changes.slice(each.toldBefore(topic))) {
    const user = change.slice(1)
    const comes = change.startsWith('+')
    expect(users.has(user), `${change} of ${changes.join()}`).toBe(!comes)
    if (comes) users.add(user)
    else users.delete(user)
  }
  return [...users].sort()
}
