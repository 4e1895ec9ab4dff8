import { describe, expect, test } from 'vitest'
import { Keys, partitionOf, tagOf } from '../../../../src/backend/redis/keys.js'
import { LinkError, type Link, type Script } from '../../../../src/backend/redis/link.js'
import { RedisBudget } from '../../../../src/backend/redis/redis-budget.js'
import { ManualClock } from '../../../fakes/manual-clock.js'

interface Call {
  readonly script: string
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
  readonly atMs: number
}

/** A server whose answers the test decides. */
class FakeLink implements Link {
  readonly name = 'fake'
  up = true
  suspect = false
  readonly calls: Call[] = []
  readonly #clock: ManualClock
  /** What a script is answered; `undefined` = never. */
  answer: (call: Call) => unknown = () => []

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  redisNowMs(): number {
    return this.#clock.nowMs()
  }

  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const call = { script: script.name, keys, args, atMs: this.#clock.monotonicMs() }
    this.calls.push(call)
    const reply = this.answer(call)
    if (reply instanceof Error) throw reply
    return reply === undefined ? new Promise(() => undefined) : reply
  }

  call(): Promise<unknown> {
    throw new Error('no plain command is needed')
  }

  /** Calls of a script since the last look, less the beat's. */
  take(script: string): Call[] {
    const found = this.calls.filter((call) => call.script === script && call.args.length > 2)
    this.calls.length = 0
    return found
  }
}

function setUp(nodes = 1) {
  const clock = new ManualClock()
  const link = new FakeLink(clock)
  const links = { of: (): Link | undefined => link }
  const budget = new RedisBudget({ links, keys: new Keys('k'), node: 'me', clock, leaseMs: 10_000, timeoutMs: 1000 })
  const beatOnly = (): unknown => [nodes]
  link.answer = beatOnly
  budget.start()
  /** Lets time pass in steps, so that answers arrive. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1) {
      clock.advance(Math.min(1, ms - passed))
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
    }
  }
  return { clock, link, budget, pass, beatOnly }
}

type Subject = ReturnType<typeof setUp>

function taken({ budget }: Subject, attempts: number, perSecond: number, appId = '1'): number {
  let count = 0
  for (let index = 0; index < attempts; index += 1) if (budget.take(appId, 'triggers', 1, perSecond)) count += 1
  return count
}

/** Answers rates: { granted, level, filling, tokens asked for everywhere, nodes }. */
function rateAnswers({ link, beatOnly }: Subject, answer: (call: Call) => readonly number[] | Error | undefined): void {
  link.answer = (call) => (call.script === 'budget-take' ? answer(call) : beatOnly())
}

/** Answers connections as a cluster with this many places taken by others. */
function placesAnswers({ link }: Subject, nodes: number, others: () => number): void {
  link.answer = ({ args }) => {
    const reply = [nodes]
    for (let index = 2; index < args.length; index += 3) {
      const [used = 0, want = 0, limit = 0] = args.slice(index, index + 3).map(Number)
      const free = Math.max(0, limit - others() - used)
      const reserved = used + (limit > 0 ? Math.min(want, Math.ceil(free / (2 * nodes))) : 0)
      reply.push(reserved, used + others(), reserved + others())
    }
    return reply
  }
}

describe('rates shared by nodes (D8)', () => {
  test('answers at once, and reports a burst as one', async () => {
    const subject = setUp()
    await subject.pass(1)
    subject.link.calls.length = 0
    expect(taken(subject, 500, 100)).toBe(100)
    expect(subject.link.calls).toEqual([])
    await subject.pass(2)
    const [call, ...more] = subject.link.take('budget-take')
    expect(call?.args.slice(0, 3)).toEqual([100, 100, 500])
    expect(call?.keys).toEqual(['k:1:{05}:budget:triggers:1', 'k:1:{05}:nodes'].map((key) => partitioned(key, '1')))
    expect(more).toEqual([])
  })

  test('asks at most ten times a second while it is used, and not at all when it is not', async () => {
    const subject = setUp()
    let offered = 0
    rateAnswers(subject, ({ args }) => [0, 0, 300_000, (offered += Number(args[2])), 1])
    for (let step = 0; step < 1000; step += 1) {
      taken(subject, 10, 300)
      await subject.pass(1)
    }
    expect(subject.link.take('budget-take').length).toBeLessThanOrEqual(11)
    await subject.pass(200)
    subject.link.calls.length = 0
    await subject.pass(10_000)
    expect(subject.link.take('budget-take')).toEqual([])
    expect(subject.clock.timers).toBe(1)
  })

  test('a fresh node of several gives more than its part at once, and less than all', async () => {
    const subject = setUp(4)
    await subject.pass(1)
    expect(taken(subject, 500, 100)).toBe(50)
  })

  test('a first request is never refused, however low the rate and large the cluster', async () => {
    const subject = setUp(50)
    await subject.pass(1)
    expect([1, 1].map((count) => subject.budget.take('1', 'triggers', count, 1))).toEqual([true, false])
    expect(subject.budget.take('2', 'triggers', 10, 20)).toBe(true)
  })

  test('what all nodes owe is waited for', async () => {
    const subject = setUp()
    rateAnswers(subject, ({ args }) => [0, -50_000, 100_000, Number(args[2]), 1])
    expect(taken(subject, 200, 100)).toBe(100)
    await subject.pass(10)
    rateAnswers(subject, () => undefined)
    await subject.pass(400)
    expect(taken(subject, 200, 100)).toBe(0)
    await subject.pass(200)
    expect(taken(subject, 200, 100)).toBeGreaterThanOrEqual(8)
    expect(taken(subject, 200, 100)).toBe(0)
  })

  test('its part follows what is asked of it', async () => {
    const subject = setUp(2)
    await subject.pass(1)
    let everywhere = 0
    // One request in ten comes here; the bucket always has 100.
    rateAnswers(subject, ({ args }) => [0, 100_000, 100_000, (everywhere += 10 * Number(args[2])), 2])
    for (let step = 0; step < 10; step += 1) {
      taken(subject, 1, 100)
      await subject.pass(100)
    }
    // At most an eighth of it, which is a quarter of a fair part.
    expect(taken(subject, 200, 100)).toBeLessThanOrEqual(15)
  })

  test('during an outage it goes on with its last share', async () => {
    const subject = setUp(2)
    await subject.pass(1)
    let everywhere = 0
    rateAnswers(subject, ({ args }) => [0, 0, 100_000, (everywhere += 2 * Number(args[2])), 2])
    for (let step = 0; step < 100; step += 1) {
      taken(subject, 10, 100)
      await subject.pass(10)
    }
    subject.link.up = false
    let count = 0
    for (let step = 0; step < 1000; step += 1) {
      count += taken(subject, 10, 100)
      await subject.pass(10)
    }
    expect(count).toBeGreaterThan(450)
    expect(count).toBeLessThan(550)
    // It does not owe what it used meanwhile, save one second's worth and what came since it last looked.
    subject.link.up = true
    subject.link.calls.length = 0
    await subject.pass(200)
    expect(subject.link.take('budget-take')[0]?.args[1]).toBeLessThanOrEqual(110)
  })

  test.each([
    ['down', 101],
    ['refused', 101],
    ['unsure', 1],
  ] as const)('a report that failed (%s) is told again only when the server cannot have it', async (kind, used) => {
    const subject = setUp()
    rateAnswers(subject, () => new LinkError(kind, 'a test'))
    expect(taken(subject, 100, 1000)).toBe(100)
    await subject.pass(10)
    rateAnswers(subject, () => undefined)
    taken(subject, 1, 1000)
    subject.link.calls.length = 0
    await subject.pass(200)
    expect(subject.link.take('budget-take').map(({ args }) => args[1])).toEqual([used])
  })

  test.each([
    ['nothing', []],
    ['too little', [0, 0, 0]],
    ['texts', ['0', '0', '300000', '1', '1']],
    ['no number', [0, Number.NaN, 300_000, 1, 1]],
    ['no filling', [0, 0, 0, 1, 1]],
  ])('a reply of %s changes nothing', async (_what, reply) => {
    const subject = setUp()
    rateAnswers(subject, () => reply as number[])
    expect(taken(subject, 60, 100)).toBe(60)
    await subject.pass(5)
    expect(taken(subject, 60, 100)).toBe(40)
  })

  test('rare tokens come whole and in advance, and go back when nobody wants them', async () => {
    const subject = setUp(3)
    await subject.pass(1)
    const grants = [1]
    rateAnswers(subject, ({ args }) => [Number(args[3]) > 0 ? (grants.pop() ?? 0) : 0, 0, 1000, 1000, 3])
    expect(taken(subject, 2, 1)).toBe(1)
    await subject.pass(10)
    expect(taken(subject, 5, 1)).toBe(1)
    expect(taken(subject, 5, 1)).toBe(0)
    grants.push(1)
    await subject.pass(150)
    subject.link.calls.length = 0
    await subject.pass(400)
    const [back, ...more] = subject.link.take('budget-take')
    expect(back?.args.slice(1)).toEqual([-1, 0, 0])
    expect(more).toEqual([])
    expect(taken(subject, 1, 1)).toBe(0)
  })

  test('what is larger than the rate is wanted as a whole', async () => {
    const subject = setUp(3)
    await subject.pass(1)
    rateAnswers(subject, ({ args }) => [0, 0, 5000, Number(args[2]), 3])
    expect(taken(subject, 50, 5)).toBe(2)
    await subject.pass(10)
    rateAnswers(subject, ({ args }) => [Number(args[3]), 0, 5000, 100, 3])
    expect(subject.budget.take('1', 'triggers', 20, 5)).toBe(false)
    await subject.pass(110)
    expect(subject.budget.take('1', 'triggers', 20, 5)).toBe(true)
    expect(subject.budget.take('1', 'triggers', 20, 5)).toBe(false)
  })

  test('forgets an app that nobody asked for', async () => {
    const subject = setUp(2)
    await subject.pass(1)
    rateAnswers(subject, () => [0, -1_000_000, 100_000, 1000, 2])
    taken(subject, 100, 100)
    await subject.pass(500)
    subject.link.up = false
    expect(taken(subject, 100, 100)).toBe(0)
    for (let step = 0; step < 70; step += 1) subject.clock.advance(1000)
    // As if never seen: half of the rate, since there are two nodes.
    expect(taken(subject, 100, 100)).toBe(50)
  })
})

describe('connections shared by nodes (D8)', () => {
  function admitted({ budget }: Subject, attempts: number, limit: number, appId = '1'): number {
    let count = 0
    for (let index = 0; index < attempts; index += 1) if (budget.admit(appId, limit)) count += 1
    return count
  }

  test('one node alone is exact at once', async () => {
    const subject = setUp()
    placesAnswers(subject, 1, () => 0)
    expect(admitted(subject, 1000, 900)).toBe(900)
    expect(await subject.budget.connections('1')).toBe(900)
    for (let index = 0; index < 10; index += 1) subject.budget.release('1')
    expect(admitted(subject, 50, 900)).toBe(10)
    expect(await subject.budget.connections('1')).toBe(900)
  })

  test('a slice in reserve is fetched again before it is used up', async () => {
    const subject = setUp(3)
    placesAnswers(subject, 3, () => 0)
    await subject.pass(1)
    for (let index = 0; index < 850; index += 1) {
      expect(admitted(subject, 1, 900)).toBe(1)
      await subject.pass(1)
    }
    // About one call per ten connections.
    expect(subject.link.take('budget-connections').length).toBeLessThan(130)
  })

  test('stops at what the others have left, to one slice', async () => {
    const subject = setUp(3)
    let others = 0
    placesAnswers(subject, 3, () => others)
    await subject.pass(1)
    expect(admitted(subject, 1, 900)).toBe(1)
    await subject.pass(10)
    others = 880
    // What this node knows is old by half a second at most; then it asks.
    await subject.pass(600)
    let count = 1
    for (let step = 0; step < 100; step += 1) {
      count += admitted(subject, 1, 900)
      await subject.pass(1)
    }
    expect(count + others).toBeGreaterThanOrEqual(900)
    expect(count + others).toBeLessThanOrEqual(918)
    others = 850
    await subject.pass(600)
    expect(admitted(subject, 1, 900)).toBe(1)
  })

  test('a burst far from the limit is not refused', async () => {
    const subject = setUp(3)
    placesAnswers(subject, 3, () => 100)
    await subject.pass(1)
    expect(admitted(subject, 1, 9000)).toBe(1)
    await subject.pass(100)
    expect(admitted(subject, 2000, 9000)).toBe(2000)
  })

  test('a fresh node admits the first one, and no more than a part before it knows the others', async () => {
    const subject = setUp(3)
    placesAnswers(subject, 3, () => 900)
    await subject.pass(1)
    expect(admitted(subject, 1000, 900)).toBe(300)
    expect(admitted(subject, 10, 1, '2')).toBe(1)
    await subject.pass(10)
    expect(admitted(subject, 1000, 900)).toBe(0)
  })

  test('during an outage it has its part of what was free', async () => {
    const subject = setUp(3)
    placesAnswers(subject, 3, () => 599)
    await subject.pass(1)
    expect(admitted(subject, 1, 900)).toBe(1)
    await subject.pass(300)
    subject.link.up = false
    const count = admitted(subject, 1000, 900)
    expect(count).toBeGreaterThan(90)
    expect(count).toBeLessThan(120)
    // And tells when the server is back.
    subject.link.calls.length = 0
    subject.link.up = true
    await subject.pass(150)
    expect(subject.link.take('budget-connections').at(-1)?.args[2]).toBe(count + 1)
  })

  test('a new limit counts at once', async () => {
    const subject = setUp()
    placesAnswers(subject, 1, () => 0)
    expect(admitted(subject, 30, 0)).toBe(30)
    expect(admitted(subject, 1, 10)).toBe(0)
    expect(admitted(subject, 10, 35)).toBe(5)
    expect(await subject.budget.connections('1')).toBe(35)
  })

  test('without a limit nothing waits for the server, and others know within 200 ms', async () => {
    const subject = setUp(3)
    placesAnswers(subject, 3, () => 0)
    await subject.pass(1)
    for (let step = 0; step < 1000; step += 1) {
      admitted(subject, 1, 0)
      await subject.pass(1)
    }
    expect(subject.link.take('budget-connections').length).toBeLessThanOrEqual(11)
    admitted(subject, 1, 0)
    await subject.pass(110)
    expect(subject.link.take('budget-connections').at(-1)?.args.slice(2)).toEqual([1001, 0, 0])
    for (let index = 0; index < 1001; index += 1) subject.budget.release('1')
    await subject.pass(110)
    expect(subject.link.take('budget-connections').at(-1)?.args.slice(2)).toEqual([0, 0, 0])
    await subject.pass(5000)
    expect(subject.link.take('budget-connections')).toEqual([])
    expect(subject.clock.timers).toBe(1)
  })

  test('a beat renews the counts of a quiet node, with one call for the apps of a partition', async () => {
    const subject = setUp()
    placesAnswers(subject, 1, () => 0)
    const apps = Array.from({ length: 200 }, (_none, index) => `app${index}`)
    for (const app of apps) admitted(subject, 1, 0, app)
    await subject.pass(200)
    subject.link.calls.length = 0
    await subject.pass(2000)
    const calls = subject.link.take('budget-connections')
    expect(calls.length).toBe(new Set(apps.map(partitionOf)).size)
    expect(calls.flatMap(({ keys }) => keys.slice(1)).length).toBe(200)
    for (const { keys } of calls) expect(new Set(keys.map((key) => /\{\d\d\}/.exec(key)?.[0])).size).toBe(1)
  })

  test.each([
    ['down', () => new LinkError('down', 'a test')],
    ['unsure', () => new LinkError('unsure', 'a test')],
    ['answering junk', () => ['a', 'b', 'c', 'd']],
    ['answering less', () => [1]],
  ])('the number of all nodes is never guessed: the server is %s', async (_what, answer) => {
    const subject = setUp()
    subject.link.answer = answer
    admitted(subject, 1, 0)
    await expect(subject.budget.connections('1')).rejects.toMatchObject({ name: 'Error', kind: 'down' })
    await expect(subject.budget.connections('2')).rejects.toMatchObject({ kind: 'down' })
    subject.link.up = false
    await expect(subject.budget.connections('1')).rejects.toMatchObject({ kind: 'down' })
  })

  test('asking for an app without connections here leaves nothing behind', async () => {
    const subject = setUp()
    placesAnswers(subject, 1, () => 7)
    expect(await subject.budget.connections('9')).toBe(7)
    subject.link.calls.length = 0
    await subject.pass(5000)
    expect(subject.link.take('budget-connections')).toEqual([])
    subject.budget.release('never admitted')
    expect(subject.clock.timers).toBe(1)
  })

  test('forgets an app whose connections are gone', async () => {
    const subject = setUp(3)
    placesAnswers(subject, 3, () => 900)
    await subject.pass(1)
    expect(admitted(subject, 1, 900)).toBe(1)
    subject.budget.release('1')
    await subject.pass(300)
    expect(admitted(subject, 10, 900)).toBe(0)
    for (let step = 0; step < 70; step += 1) await subject.pass(1000)
    // As if never seen: a fresh node admits before it knows.
    expect(admitted(subject, 1, 900)).toBe(1)
  })

  test('ends by taking back its counts, and leaves no timer', async () => {
    const subject = setUp()
    placesAnswers(subject, 1, () => 0)
    admitted(subject, 5, 0)
    await subject.pass(200)
    subject.link.calls.length = 0
    admitted(subject, 1, 0)
    await subject.budget.close()
    expect(subject.link.take('budget-connections').map(({ args }) => args.slice(2))).toEqual([[0, 0, 0]])
    expect(subject.clock.timers).toBe(0)
  })
})

function partitioned(key: string, appId: string): string {
  return key.replace(/\{\w+\}/, `{${tagOf(partitionOf(appId))}}`)
}
