import { afterAll, beforeAll, expect, test } from 'vitest'
import { partitionCount, tagOf } from '../../src/backend/redis/keys.js'
import { eventually } from '../harness/eventually.js'
import { RedisCluster } from '../harness/redis-cluster.js'
import { describeWith } from '../requirements.js'
import { keys, NodeLinks } from './links-fixture.js'

const partitions = Array.from({ length: partitionCount }, (_none, partition) => partition)

describeWith(['redis'], 'links to a Redis Cluster', () => {
  let cluster: RedisCluster
  let node: NodeLinks

  beforeAll(async () => {
    cluster = await RedisCluster.start({ replicas: 1, nodeTimeoutMs: 1500 })
  })

  afterAll(async () => {
    await node.close()
    await cluster.close()
  })

  /** Wants a channel in each partition, publishes on each, and waits for each. */
  async function bridgesAll(round: string): Promise<void> {
    for (const partition of partitions)
      expect(await node.links.want(partition, node.channel(partition, 'all'))).toBe(true)
    for (const partition of partitions) await node.say(partition, 'all', `${round} ${partition}`)
    for (const partition of partitions) await node.received(`${round} ${partition}`)
  }

  test('every partition is up at the master that has its slot, and sharded publishing arrives', async () => {
    node = await NodeLinks.connect({ mode: 'cluster', url: 'redis://ignored:1', nodes: [cluster.nodes[0]!] })
    expect(new Set(partitions.map((partition) => node.link(partition).name)).size).toBe(3)
    for (const partition of partitions) {
      expect(node.link(partition).name).toBe(`127.0.0.1:${(await cluster.serverOf(keys.nodes(partition))).port}`)
    }
    await bridgesAll('first')
    expect(node.mistakes).toEqual([])
  })

  test('a partition whose slot moves goes down and comes up at its new server, subscribed', async () => {
    const slot = await cluster.slotOf(`{${tagOf(7)}}`)
    const from = await cluster.serverOf(keys.nodes(7))
    const to = cluster.masters.find((master) => master !== from)!
    const downs = node.downs
    const movedAtMs = performance.now()
    await cluster.moveSlot(slot, from, to)
    await eventually(
      'partition 7 is elsewhere',
      () => node.links.of(7)?.name === `127.0.0.1:${to.port}` && node.up.has(7),
    )
    console.log(`slot moved: up after ${(performance.now() - movedAtMs).toFixed(0)} ms`)
    expect(node.downs).toBeGreaterThan(downs)
    await node.allUp()
    await bridgesAll('moved')
    expect(node.mistakes).toEqual([])
  })

  test('the partitions of a master that dies come up at its replica', async () => {
    const victim = await cluster.serverOf(keys.nodes(7))
    const killedAtMs = performance.now()
    await victim.kill()
    await eventually('its partitions are down', () => !node.up.has(7))
    expect(node.up.size).toBeGreaterThan(0)
    await node.allUp(20_000)
    console.log(`master killed: all up after ${(performance.now() - killedAtMs).toFixed(0)} ms`)
    await bridgesAll('failed over')
    expect(node.mistakes).toEqual([])
  })

  test('database 1 is refused in one sentence', () => {
    expect(() => new NodeLinks({ mode: 'cluster', url: 'redis://127.0.0.1/1' })).toThrow('only database 0')
  })
})
