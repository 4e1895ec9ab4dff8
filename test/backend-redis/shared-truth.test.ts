import { expect, test } from 'vitest'
import { eventually } from '../harness/eventually.js'
import { describeWith } from '../requirements.js'
import { SharedNodes, type SharedNode } from './shared-node.js'

const topic = '1/presence-a'

/** Several nodes' backends in one process, each with its own way to one real Redis (D4, D6). */
describeWith(['redis'], 'what several nodes share', () => {
  const nodes = new SharedNodes()

  const start = () => nodes.start([topic])

  function transitions(): Promise<string[]> {
    return eventually('the outboxes can be read', () => readTransitions().catch(() => undefined))
  }

  async function readTransitions(): Promise<string[]> {
    const found: string[] = []
    const { outbox } = nodes.running[0]!.backend
    for (let partition = 0; partition < outbox.partitions; partition += 1) {
      for (const { transition } of (await outbox.read(partition, '', 1000)).entries) {
        found.push(`${transition.type} ${transition.userId ?? transition.channel}`)
      }
    }
    return found
  }

  async function ids(node: SharedNode): Promise<readonly string[] | undefined> {
    try {
      return await node.backend.presence.userIds(topic)
    } catch (_unavailable) {
      return undefined
    }
  }

  test('members are the same on every node, and told once', async () => {
    const [a, b] = [await start(), await start()]
    await a.join(topic, '1.1', 'watcher')
    await b.join(topic, '2.1', 'ann')
    await a.join(topic, '1.2', 'ann')
    const joined = await b.join(topic, '2.2', 'bob')
    expect(joined.outcome === 'joined' && joined.roster.count).toBe(3)
    expect(await ids(a)).toEqual(['watcher', 'ann', 'bob'])
    await b.leave(topic, '2.1', 'ann')
    await a.leave(topic, '1.2', 'ann')
    await b.leave(topic, '2.2', 'bob')
    await eventually('all told', () => a.told(topic).length === 5 && b.told(topic).length === 4)
    expect(a.told(topic)).toEqual(['+watcher', '+ann', '+bob', '-ann', '-bob'])
    // Who was there before the first of a node is in its roster.
    expect(b.told(topic)).toEqual(['+ann', '+bob', '-ann', '-bob'])
    expect(await transitions()).toEqual([
      'member_added watcher',
      'member_added ann',
      'member_added bob',
      'member_removed ann',
      'member_removed bob',
    ])
  })

  test('a dead node is swept once: its users are told removed, those who are elsewhere too are not', async () => {
    const [a, b, c] = [await start(), await start(), await start()]
    await a.join(topic, '1.1', 'watcher')
    await b.join(topic, '2.1', 'watcher')
    for (let index = 0; index < 250; index += 1) await c.join(topic, `3.${index}`, `user-${index}`)
    await c.backend.occupancy.set(topic, 250)
    await a.backend.occupancy.set(topic, 1)
    await b.join(topic, '2.2', 'user-0')
    nodes.running = [a, b]
    await c.vanish()
    await eventually('all swept', () => b.told(topic).length >= 250 + 249, 8000)
    await eventually('the count', async () => (await a.backend.occupancy.total(topic)) === 1, 3000)
    for (const node of [a, b]) {
      const told = node.told(topic)
      expect(told.filter((one) => one.startsWith('-')).sort()).toEqual(
        Array.from({ length: 249 }, (_none, index) => `-user-${index + 1}`).sort(),
      )
    }
    expect(await ids(a)).toEqual(['watcher', 'user-0'])
    expect((await transitions()).filter((one) => one.startsWith('member_removed'))).toHaveLength(249)
    expect(a.backend.counters.leaseTakeovers + b.backend.counters.leaseTakeovers).toBeGreaterThan(0)
  })

  test('a node that was cut off is swept, and writes its members again when it is back', async () => {
    const [a, b] = [await start(), await start()]
    await a.join(topic, '1.1', 'ann')
    await b.join(topic, '2.1', 'bob')
    await eventually('both', () => a.told(topic).length === 2)
    b.proxy.freeze()
    await eventually('swept', () => a.told(topic).includes('-bob'), 8000)
    b.proxy.thaw()
    await eventually('back', () => a.told(topic).at(-1) === '+bob', 15_000)
    expect(a.told(topic)).toEqual(['+ann', '+bob', '-bob', '+bob'])
    await eventually('equal', async () => (await ids(b))?.length === 2, 5000)
    // Its own subscribers never saw their own users leave.
    expect(b.told(topic)).not.toContain('-bob')
    expect((await ids(a))?.toSorted()).toEqual(['ann', 'bob'])
  })

  test.each(['flushed', 'restarted without data'])(
    'Redis is %s: all is written again, and nobody is told anything',
    async (how) => {
      const [a, b] = [await start(), await start()]
      for (let index = 0; index < 60; index += 1) {
        await a.join(topic, `1.${index}`, `a-${index}`)
        await b.join(topic, `2.${index}`, `b-${index}`)
        if (index < 20) await b.join(topic, `2.9${index}`, `a-${index}`)
      }
      await a.backend.occupancy.set(topic, 60)
      await b.backend.occupancy.set(topic, 80)
      await eventually('all told', () => a.told(topic).length === 120 && b.told(topic).length === 119)
      if (how === 'flushed') await nodes.redis.command('FLUSHALL')
      else await nodes.redis.restart()
      await eventually('rebuilt', async () => (await ids(a))?.length === 120 && (await ids(b))?.length === 120, 20_000)
      expect(await a.backend.occupancy.total(topic)).toBe(140)
      expect(await transitions()).toEqual([])
      await a.leave(topic, '1.0', 'a-0')
      await a.leave(topic, '1.30', 'a-30')
      await b.leave(topic, '2.90', 'a-0')
      await eventually('told again', () => b.told(topic).length === 121)
      expect(a.told(topic).slice(120)).toEqual(['-a-30', '-a-0'])
      expect(b.told(topic).slice(119)).toEqual(['-a-30', '-a-0'])
    },
  )

  test('what changes while Redis is away is told here at once, and there as the net change', async () => {
    const [a, b] = [await start(), await start()]
    await a.join(topic, '1.1', 'stays')
    await a.join(topic, '1.2', 'leaves')
    await b.join(topic, '2.1', 'watcher')
    await eventually('all told', () => a.told(topic).length === 3 && b.told(topic).length === 1)
    await nodes.redis.kill()
    await eventually('noticed', () => a.backend.downSinceMs() !== undefined && b.backend.downSinceMs() !== undefined)
    await a.leave(topic, '1.2', 'leaves')
    const joined = await a.join(topic, '1.3', 'comes')
    expect(joined.outcome === 'joined' && joined.roster.count).toBe(3)
    await a.join(topic, '1.4', 'passes')
    await a.leave(topic, '1.4', 'passes')
    expect(a.told(topic).slice(3)).toEqual(['-leaves', '+comes', '+passes', '-passes'])
    await nodes.redis.restart()
    await eventually('told there', () => b.told(topic).length >= 3, 20_000)
    await eventually('equal', async () => (await ids(a))?.length === 3 && (await ids(b))?.length === 3, 20_000)
    expect(b.told(topic).slice(1).toSorted()).toEqual(['+comes', '-leaves'])
    expect(a.told(topic)).toEqual(['+stays', '+leaves', '+watcher', '-leaves', '+comes', '+passes', '-passes'])
    expect((await transitions()).toSorted()).toEqual(['member_added comes', 'member_removed leaves'])
  })

  test('a member whose connection the server closes is held, and nobody is told when he is back in time', async () => {
    const [a, b] = [await start(), await start()]
    await b.join(topic, '2.1', 'watcher')
    await a.join(topic, '1.1', 'returns')
    await a.join(topic, '1.2', 'does not')
    expect(await a.leave(topic, '1.1', 'returns', true)).toEqual({ last: false })
    await a.leave(topic, '1.2', 'does not', true)
    expect(await ids(b)).toEqual(['watcher', 'returns', 'does not'])
    await b.join(topic, '2.2', 'returns')
    await eventually('the hold is over', () => b.told(topic).length === 4, 6000)
    expect(b.told(topic)).toEqual(['+watcher', '+returns', '+does not', '-does not'])
    expect(await ids(b)).toEqual(['watcher', 'returns'])
  })

  test('a user joins and leaves on two nodes at once: one added, one removed', async () => {
    const [a, b] = [await start(), await start()]
    await a.join(topic, '1.1', 'watcher')
    await b.join(topic, '2.1', 'watcher')
    const expected = ['+watcher']
    for (let round = 0; round < 100; round += 1) {
      await Promise.all([a.join(topic, `1.${round}1`, 'ann'), b.join(topic, `2.${round}1`, 'ann')])
      await Promise.all([a.leave(topic, `1.${round}1`, 'ann'), b.leave(topic, `2.${round}1`, 'ann')])
      expected.push('+ann', '-ann')
    }
    await eventually('all told', () => a.told(topic).length >= 201 && b.told(topic).length >= 200)
    expect(a.told(topic)).toEqual(expected)
    expect(b.told(topic)).toEqual(expected.slice(1))
  })
})
