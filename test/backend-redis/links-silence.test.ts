import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { LinkError } from '../../src/backend/redis/link.js'
import { eventually } from '../harness/eventually.js'
import { RedisServer } from '../harness/redis-server.js'
import { describeWith } from '../requirements.js'
import { NodeLinks } from './links-fixture.js'
import { LinksProxy } from './links-proxy.js'

describeWith(['redis'], 'links to a Redis that falls silent', () => {
  let redis: RedisServer
  let node: NodeLinks
  let proxy: LinksProxy | undefined

  beforeAll(async () => {
    redis = await RedisServer.start()
  })

  afterEach(async () => {
    await node.close()
    proxy?.close()
    proxy = undefined
    expect(node.mistakes).toEqual([])
  })

  afterAll(async () => {
    await redis.close()
  })

  test('frozen for 8 s: calls end in time, suspect within half a second, down within 9 s, up again after', async () => {
    node = await NodeLinks.connect({ url: redis.url })
    const link = node.link()
    redis.freeze()
    const frozenAtMs = performance.now()
    const error = (await node.say(0, 'a', 'x', 400).catch((caught: unknown) => caught)) as LinkError
    expect(error.kind).toBe('unsure')
    expect(performance.now() - frozenAtMs).toBeGreaterThan(380)
    expect(performance.now() - frozenAtMs).toBeLessThan(550)
    expect(link.up && link.suspect).toBe(true)
    const askedAtMs = performance.now()
    expect(await node.links.want(1, node.channel(1, 'a'))).toBe(false)
    expect(performance.now() - askedAtMs).toBeLessThan(50)
    await node.allDown()
    expect(node.downAtMs - frozenAtMs).toBeGreaterThan(3500)
    expect(node.downAtMs - frozenAtMs).toBeLessThan(9000)
    expect(link.suspect).toBe(false)
    await eventually('8 s have passed', () => performance.now() - frozenAtMs > 8000, 10_000)
    redis.thaw()
    const thawedAtMs = performance.now()
    await node.allUp()
    console.log(
      `frozen: down after ${(node.downAtMs - frozenAtMs).toFixed(0)} ms, up ${(node.upAtMs - thawedAtMs).toFixed(0)} ms after the thaw`,
    )
    expect(node.upAtMs - thawedAtMs).toBeLessThan(3000)
    await node.say(1, 'a', 'after')
    await node.received('after')
  })

  test('frozen for 1 s it stays up, and is not suspect after', async () => {
    node = await NodeLinks.connect({ url: redis.url })
    redis.freeze()
    const late = node.say(0, 'b', 'late', 300).catch((caught: unknown) => caught)
    const patient = node.say(0, 'b', 'patient', 3000)
    await eventually('suspect', () => node.link().suspect, 1000)
    redis.thaw()
    expect(await late).toMatchObject({ kind: 'unsure' })
    expect(await patient).toBe(2)
    expect(node.link().suspect).toBe(false)
    expect(node.downs).toBe(0)
  })

  test.each(['to node', 'to redis'] as const)(
    'one way is cut, %s: down within 9 s, up when it is whole',
    async (way) => {
      proxy = await LinksProxy.start(redis.port)
      node = await NodeLinks.connect({ url: `redis://127.0.0.1:${proxy.port}` })
      await node.links.want(1, node.channel(1, 'a'))
      proxy.freeze(way)
      const frozenAtMs = performance.now()
      await node.allDown()
      expect(node.downAtMs - frozenAtMs).toBeLessThan(9000)
      await expect(node.say(0, 'a', 'x')).rejects.toThrow()
      proxy.thaw()
      const thawedAtMs = performance.now()
      await node.allUp()
      console.log(
        `one way ${way}: down ${(node.downAtMs - frozenAtMs).toFixed(0)} ms, up ${(node.upAtMs - thawedAtMs).toFixed(0)} ms`,
      )
      await node.say(1, 'a', `whole ${way}`)
      await node.received(`whole ${way}`)
    },
  )
})
