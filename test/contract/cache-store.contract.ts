import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ContractSubject, MakeSubject } from './subject.js'

/** Long enough that a loaded machine does not change what has expired. */
const ttlMs = 1000

/** What every CacheStore must do (src/core/ports/cache-store.ts), and the cached side of Broker.publish. */
export function cacheStoreContract(name: string, make: MakeSubject): void {
  describe(`CacheStore of ${name}`, () => {
    let subject: ContractSubject
    beforeEach(async () => {
      subject = await make()
      await subject.backend.broker.subscribe('1/cache-a')
    })
    afterEach(() => subject.close())

    function publish(frame: string, cacheTtlMs?: number, topic = '1/cache-a'): Promise<void> {
      return subject.backend.broker.publish(topic, { frame, cacheTtlMs })
    }
    const get = (topic = '1/cache-a') => subject.backend.cache.get(topic)

    test('knows nothing at first', async () => {
      expect(await get()).toBeUndefined()
      expect(await get('1/__proto__')).toBeUndefined()
    })

    test('keeps the frame that was published, with the version it was delivered with', async () => {
      await publish('{"é":"🎉"}', 60_000)
      const [delivered] = await subject.sink.atLeast('1/cache-a', 1)
      expect(delivered).toMatchObject({ frame: '{"é":"🎉"}', kind: 'cache' })
      const cached = await get()
      expect(cached).toMatchObject({ frame: '{"é":"🎉"}', version: delivered?.version })
      expect(cached?.expiresInMs).toBeGreaterThan(55_000)
      expect(cached?.expiresInMs).toBeLessThanOrEqual(60_000)
    })

    test('keeps the last one only, with a version that counts up', async () => {
      await Promise.all(['a', 'b', 'c'].map((frame) => publish(frame, 60_000)))
      const delivered = await subject.sink.atLeast('1/cache-a', 3)
      const versions = delivered.map(({ version }) => version)
      expect(versions[0]).toBeGreaterThan(0)
      expect(versions[1]).toBeGreaterThan(versions[0]!)
      expect(versions[2]).toBeGreaterThan(versions[1]!)
      expect(await get()).toMatchObject({ frame: 'c', version: versions[2] })
    })

    test('is not touched by messages without a lifetime, nor by client events', async () => {
      await publish('kept', 60_000)
      await publish('passing')
      subject.backend.broker.relay('1/cache-a', { frame: 'client event' })
      await subject.sink.atLeast('1/cache-a', 2)
      expect((await get())?.frame).toBe('kept')
      expect(subject.sink.of('1/cache-a')[1]).toMatchObject({ kind: 'none', version: 0 })
    })

    test('is written in the same step: who has the message finds it, or a newer one, in the cache', async () => {
      const found: Promise<void>[] = []
      subject.sink.onDeliver = ({ version }) => {
        found.push(
          get().then((cached) => {
            expect(cached?.version).toBeGreaterThanOrEqual(version)
          }),
        )
      }
      await Promise.all(Array.from({ length: 50 }, (_none, index) => publish(String(index), 60_000)))
      await subject.sink.atLeast('1/cache-a', 50)
      await Promise.all(found)
      expect(found).toHaveLength(50)
    })

    test('forgets after its time, each publish renews it, and versions go on counting', async () => {
      await publish('a', ttlMs)
      await subject.pass(ttlMs / 2)
      await publish('b', ttlMs)
      await subject.pass((ttlMs * 3) / 4)
      expect((await get())?.frame).toBe('b')
      await subject.pass(ttlMs)
      expect(await get()).toBeUndefined()
      await publish('c', 60_000)
      const versions = (await subject.sink.atLeast('1/cache-a', 3)).map(({ version }) => version)
      expect(versions[2]).toBeGreaterThan(versions[1]!)
      expect(await get()).toMatchObject({ frame: 'c', version: versions[2] })
    })

    test('one miss of a topic per second is to be told, whoever asks', async () => {
      const claim = (topic = '1/cache-a') => subject.backend.cache.claimMiss(topic)
      const first = await Promise.all([claim(), claim(), claim()])
      expect(first.toSorted()).toEqual([false, false, true])
      expect(await claim('1/cache-b')).toBe(true)
      expect(await claim('2/cache-a')).toBe(true)
      await subject.pass(600)
      expect(await claim()).toBe(false)
      await subject.pass(600)
      expect(await claim()).toBe(true)
      expect(await claim()).toBe(false)
    })

    test('keeps topics apart', async () => {
      const topics = ['1/cache-a', '11/cache-a', '1/cache-__proto__', '__proto__/cache-a']
      await Promise.all(topics.map((topic) => publish(`of ${topic}`, 60_000, topic)))
      for (const topic of topics) expect((await get(topic))?.frame).toBe(`of ${topic}`)
      expect(await get('1/cache-b')).toBeUndefined()
    })
  })
}
