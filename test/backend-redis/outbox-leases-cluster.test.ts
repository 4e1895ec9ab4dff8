import { afterAll, beforeAll, expect, test } from 'vitest'
import { Keys, partitionCount, partitionOf, tagOf } from '../../src/backend/redis/keys.js'
import { eventually } from '../harness/eventually.js'
import { RedisCluster } from '../harness/redis-cluster.js'
import { describeWith } from '../requirements.js'
import { SharedNode } from './shared-node.js'

const prefix = 'outbox'
const keys = new Keys(prefix)
const partition = 7

describeWith(['redis'], 'who sends what is in the outbox of a Redis Cluster', () => {
  let cluster: RedisCluster
  const running: SharedNode[] = []

  beforeAll(async () => {
    cluster = await RedisCluster.start()
  })
  afterAll(async () => {
    await Promise.all(running.map((node) => node.close()))
    await cluster.close()
  })

  async function start(node: string): Promise<SharedNode> {
    const redis = {
      mode: 'cluster' as const,
      url: 'redis://ignored:1',
      nodes: cluster.nodes,
      sentinelName: undefined,
      sentinelPassword: undefined,
      tls: undefined,
      prefix,
    }
    const started = await SharedNode.start(cluster.masters[0]!, prefix, { redis, node }, true)
    running.push(started)
    return started
  }

  const topic = Array.from({ length: 1000 }, (_none, index) => `1/presence-${index}`).find(
    (name) => partitionOf(name) === partition,
  )!
  const all = Array.from({ length: partitionCount }, (_none, index) => index)

  test('each partition has one sender, which hears of entries, also after its slot has moved, and hands over', async () => {
    const [a, b] = [await start('node-a'), await start('node-b')]
    const holders = (of: number) => [a, b].filter((node) => node.outboxListener.held.has(of))
    await eventually(
      'shared',
      () => all.every((of) => holders(of).length === 1) && a.outboxListener.held.size < 25,
      10_000,
    )
    const [sender] = holders(partition) as [SharedNode]
    const other = sender === a ? b : a
    await other.backend.broker.subscribe(topic)

    const toldOf = async (user: string, deadlineMs: number) => {
      const before = sender.outboxListener.count('appended', partition)
      await other.join(topic, `1.${user}`, user)
      await eventually('told', () => sender.outboxListener.count('appended', partition) > before, deadlineMs)
    }
    await toldOf('ann', 250)
    const from = await cluster.serverOf(keys.outbox(partition))
    await cluster.moveSlot(
      await cluster.slotOf(`{${tagOf(partition)}}`),
      from,
      cluster.masters.find((server) => server !== from)!,
    )
    await eventually('moved', async () =>
      sender.backend.outbox.read(partition, '', 10).then(
        ({ entries }) => entries.length === 1,
        () => false,
      ),
    )
    await toldOf('bob', 3000)
    const { entries } = await sender.backend.outbox.read(partition, '', 10)
    expect(entries.map(({ transition }) => transition.userId)).toEqual(['ann', 'bob'])
    const [first, second] = entries.map(({ id }) => id)
    const progress = { doneTo: first!, readTo: second!, behind: new Map([['url', first!]]) }
    await sender.backend.outbox.done(partition, progress)
    expect((await sender.backend.outbox.read(partition, '', 10)).entries).toHaveLength(1)
    expect(sender.outboxListener.count('lost', partition)).toBe(0)

    expect(await sender.backend.cache.claimMiss('1/cache-a')).toBe(true)
    expect(await other.backend.cache.claimMiss('1/cache-a')).toBe(false)
    await sender.backend.outbox.release()
    await eventually('handed over', () => other.outboxListener.held.size === partitionCount)
    expect(other.outboxListener.held.get(partition)).toEqual(progress)
    for (const node of running) expect(node.outboxListener.mistakes).toEqual([])
  })
})
