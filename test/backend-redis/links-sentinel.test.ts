import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.js'
import { freePort } from '../harness/free-port.js'
import { RedisSentinel } from '../harness/redis-sentinel.js'
import { describeWith } from '../requirements.js'
import { NodeLinks } from './links-fixture.js'

describeWith(['redis'], 'links to the master that sentinels name', () => {
  let deployment: RedisSentinel
  let node: NodeLinks

  beforeAll(async () => {
    deployment = await RedisSentinel.start({ password: 'sesame' })
  })

  afterAll(async () => {
    await node.close()
    await deployment.close()
  })

  test('connects to the master', async () => {
    node = await NodeLinks.connect({
      mode: 'sentinel',
      url: 'redis://:sesame@ignored:1/0',
      nodes: deployment.nodes,
      sentinelName: deployment.name,
    })
    expect(node.link().name).toContain(String((await deployment.master()).port))
    expect(await node.links.want(3, node.channel(3, 'a'))).toBe(true)
    await node.say(3, 'a', 'before')
    await node.received('before')
  })

  test('a master that dies: the first success comes at most 2 s after the promotion, on both connections', async () => {
    const old = await deployment.master()
    await old.kill()
    await node.allDown()
    const next = await eventually(
      'a promotion',
      async () => {
        const master = await deployment.master()
        return master !== old && String(await master.command('ROLE')).startsWith('master') && master
      },
      20_000,
    )
    const promotedAtMs = performance.now()
    await node.allUp()
    console.log(`sentinel failover: up ${(node.upAtMs - promotedAtMs).toFixed(0)} ms after the promotion`)
    expect(node.upAtMs - promotedAtMs).toBeLessThan(2000)
    expect(node.link().name).toContain(String(next.port))
    await node.say(3, 'a', 'after')
    await node.received('after')
    expect(node.mistakes).toEqual([])
    await old.restart(['--replicaof', '127.0.0.1', String(next.port)])
  })

  test('a master that is demoted while it answers is left', async () => {
    const old = await deployment.master()
    await eventually(
      'two replicas',
      async () => String(await old.command('INFO', 'replication')).includes('connected_slaves:2'),
      20_000,
    )
    const [sentinel] = deployment.sentinels
    await eventually(
      'the failover begins',
      async () => {
        try {
          return (await sentinel!.command('SENTINEL', 'FAILOVER', deployment.name)) === 'OK'
        } catch (_notYet) {
          return false
        }
      },
      20_000,
    )
    await eventually('another master', async () => (await deployment.master()) !== old, 20_000)
    const next = await deployment.master()
    await eventually(
      'the links follow',
      () => node.links.of(0)?.name.includes(String(next.port)) && node.up.size > 0,
      10_000,
    )
    await node.say(3, 'a', 'demoted')
    await node.received('demoted')
    expect(node.mistakes).toEqual([])
  })

  test('no sentinel, or none that knows the name, is no error: it says why and keeps trying', async () => {
    const port = await freePort()
    for (const [nodes, sentinelName, reason] of [
      [[`127.0.0.1:${port}`], deployment.name, `failed to connect to sentinel 127.0.0.1:${port}`],
      [deployment.nodes, 'other', 'No such master'],
    ] as const) {
      const lost = new NodeLinks({ mode: 'sentinel', url: 'redis://:sesame@ignored', nodes, sentinelName })
      await lost.start()
      await eventually('it has tried again', () => lost.logger.at('warn').length >= 4)
      expect(lost.logger.at('warn')[0]?.fields['reason']).toContain(reason)
      expect(lost.logText).not.toContain('sesame')
      await lost.close()
    }
  })
})
