import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { PreparedScripts } from '../../src/backend/redis/scripts.js'
import { scripts } from '../../src/backend/redis/truth-scripts.js'
import type { Script } from '../../src/backend/redis/link.js'
import { RedisServer } from '../harness/redis-server.js'
import { describeWith } from '../requirements.js'

const keys = ['bus', 'sequence', 'cached', 'version']
const inTime = '9999999999999'
const late = '1'

describeWith(['redis'], 'the scripts that publish', () => {
  let redis: RedisServer
  const prepared = new PreparedScripts(false)

  beforeAll(async () => {
    redis = await RedisServer.start()
  })
  afterAll(() => redis.close())
  beforeEach(() => redis.command('FLUSHALL'))

  const run = (script: Script, count: number, args: readonly string[]) =>
    redis.command('EVAL', prepared.of(script).body, count, ...keys.slice(0, count), ...args)
  const publish = (deadline: string, hears: '0' | '1') => run(scripts.publish, 2, [deadline, 'head ', '\nframe', hears])
  const publishCached = (hears: '0' | '1') =>
    run(scripts.publishCached, 4, [inTime, 'head ', '\nframe', '60000', hears])

  test('a message that nobody hears is refused when its publisher should, and its number is used again', async () => {
    expect(await publish(inTime, '0')).toBe(1)
    expect(await redis.command('GET', 'sequence')).toBe('1')
    expect(await publish(inTime, '1')).toBe('unheard')
    expect(await redis.command('GET', 'sequence')).toBe('1')
    expect(Number(await redis.command('PTTL', 'sequence'))).toBeGreaterThan(0)
    expect(await publishCached('1')).toBe('unheard')
    expect(await redis.command('GET', 'sequence')).toBe('1')
    expect(await redis.command('EXISTS', 'cached')).toBe(0)
    expect(await publishCached('0')).toBe(1)
    expect(await redis.command('EXISTS', 'cached')).toBe(1)
  })

  test('a message that somebody hears is published, and a late one is not', async () => {
    const received: string[] = []
    const subscriber = redis.client()
    subscriber.on('message', (_channel, message) => received.push(message))
    try {
      await subscriber.subscribe('bus')
      expect(await publish(inTime, '1')).toBe(1)
      expect(await publishCached('1')).toBe(1)
      expect(await publish(late, '1')).toBe('late')
      await expect.poll(() => received.length).toBe(2)
      expect(received[0]).toBe('head 1\nframe')
      expect(received[1]).toMatch(/^head 2 \d+\nframe$/)
    } finally {
      subscriber.disconnect()
    }
  })
})
