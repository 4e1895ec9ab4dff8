import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ContractSubject, MakeSubject } from './subject.js'

/** What every Broker must do (src/core/ports/broker.ts). */
export function brokerContract(name: string, make: MakeSubject): void {
  describe(`Broker of ${name}`, () => {
    let subject: ContractSubject
    beforeEach(async () => {
      subject = await make()
    })
    afterEach(() => subject.close())

    test('brings a message back to its own node, unchanged', async () => {
      const { backend, sink } = subject
      await backend.broker.subscribe('1/a')
      await backend.broker.publish('1/a', { frame: '{"x":1}', except: '5.6' })
      expect(await sink.atLeast('1/a', 1)).toEqual([
        { topic: '1/a', frame: '{"x":1}', except: '5.6', kind: 'none', version: 0 },
      ])
    })

    test.each([
      ['quotes and backslashes', '{"data":"\\"\\\\\\n"}'],
      ['every plane of Unicode', 'é Ω 漢 \u2028 🎉 \u0000'],
      ['nothing', ''],
      ['a large frame', 'x'.repeat(300_000)],
    ])('does not touch %s', async (_what, frame) => {
      const { backend, sink } = subject
      await backend.broker.subscribe('1/a')
      await backend.broker.publish('1/a', { frame })
      const [first] = await sink.atLeast('1/a', 1)
      expect(first?.frame === frame).toBe(true)
      expect(first?.except).toBeUndefined()
    })

    test('keeps the order of a topic, also when nobody waits for a confirmation', async () => {
      const { backend, sink } = subject
      const topics = ['1/a', '1/b', '2/a']
      await Promise.all(topics.map(async (topic) => await backend.broker.subscribe(topic)))
      const confirmations: Promise<void>[] = []
      for (let index = 0; index < 300; index += 1) {
        const topic = topics[index % 3]!
        // Every fifth is a cached one: both sorts are one sequence.
        const cacheTtlMs = index % 5 === 0 ? 60_000 : undefined
        confirmations.push(backend.broker.publish(topic, { frame: String(index), cacheTtlMs }))
      }
      await Promise.all(confirmations)
      for (const [offset, topic] of topics.entries()) {
        const frames = (await sink.atLeast(topic, 100)).map(({ frame }) => Number(frame))
        expect(frames).toEqual(Array.from({ length: 100 }, (_none, index) => index * 3 + offset))
      }
    })

    test('delivers from the moment the subscription is confirmed, and again after it was given up', async () => {
      const { backend, sink } = subject
      const { broker } = backend
      await broker.subscribe('1/a')
      await broker.publish('1/a', { frame: 'one' })
      broker.unsubscribe('1/a')
      await broker.subscribe('1/a')
      await broker.publish('1/a', { frame: 'two' })
      expect((await sink.atLeast('1/a', 2)).map(({ frame }) => frame)).toEqual(['one', 'two'])
    })

    test('the last word counts when a topic is taken and given up quickly', async () => {
      const { backend, sink } = subject
      const { broker } = backend
      const first = broker.subscribe('1/a')
      broker.unsubscribe('1/a')
      const second = broker.subscribe('1/a')
      broker.unsubscribe('1/a')
      await Promise.all([first, second, broker.subscribe('1/a')])
      await subject.pass(1000)
      await broker.publish('1/a', { frame: 'one' })
      await broker.publish('1/a', { frame: 'two' })
      expect((await sink.atLeast('1/a', 2)).map(({ frame }) => frame)).toEqual(['one', 'two'])
    })

    test('a publish that nobody hears is confirmed as well; giving up what was never taken is harmless', async () => {
      const { broker } = subject.backend
      broker.unsubscribe('1/never')
      await expect(broker.publish('1/never', { frame: 'x' })).resolves.toBeUndefined()
      await expect(broker.publish('1/never', { frame: 'x', cacheTtlMs: 1000 })).resolves.toBeUndefined()
    })

    test('relays nothing to its own node', async () => {
      const { backend, sink } = subject
      await backend.broker.subscribe('1/a')
      backend.broker.relay('1/a', { frame: 'client event', except: '1.2' })
      await backend.broker.publish('1/a', { frame: 'fence' })
      await sink.atLeast('1/a', 1)
      await subject.pass(50)
      expect(sink.of('1/a').map(({ frame }) => frame)).toEqual(['fence'])
    })

    test('tells a control message to its own node', async () => {
      const { backend, sink } = subject
      await backend.broker.control({ type: 'terminate-user', appId: '1', userId: '__proto__' })
      expect(await sink.controlsAtLeast(1)).toEqual([{ type: 'terminate-user', appId: '1', userId: '__proto__' }])
    })

    test('keeps apps and channels apart, whatever their names', async () => {
      const { backend, sink } = subject
      const topics = [
        '1/__proto__',
        '__proto__/a',
        '1/a',
        '11/a',
        '1/a/a',
        'constructor/constructor',
        '1/#watch-a',
        '1/*',
      ]
      await Promise.all(topics.map(async (topic) => await backend.broker.subscribe(topic)))
      for (const topic of topics) await backend.broker.publish(topic, { frame: topic })
      for (const topic of topics) {
        expect((await sink.atLeast(topic, 1)).map(({ frame }) => frame)).toEqual([topic])
      }
    })
  })
}
