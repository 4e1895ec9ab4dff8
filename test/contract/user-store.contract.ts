import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { userStatusTopic } from '../../src/core/topic.js'
import type { Delivered } from '../fakes/recording-sink.js'
import { runs, type ContractSubject, type ContractTraits, type MakeSubject } from './subject.js'

/** What every UserStore must do (src/core/ports/user-store.ts, 2.8). */
export function userStoreContract(name: string, make: MakeSubject, traits: ContractTraits): void {
  describe(`UserStore of ${name}`, () => {
    const topic = userStatusTopic('1', 'ann')
    let subject: ContractSubject
    beforeEach(async () => {
      subject = await make()
      await subject.backend.broker.subscribe(topic)
      // Changes are told from the first question on.
      await subject.backend.users.status('1', ['ann'])
    })
    afterEach(() => subject.close())

    test('announces the first sign-in and the last sign-out, once each, with versions that count up', async () => {
      const { users } = subject.backend
      expect(await users.signIn('1', 'ann', '1.1')).toEqual({ first: true })
      expect(await users.signIn('1', 'ann', '1.2')).toEqual({ first: false })
      expect(await users.signIn('1', 'ann', '1.2')).toEqual({ first: false })
      expect(await users.signOut('1', 'ann', '1.1', false)).toEqual({ last: false })
      expect(await users.signOut('1', 'ann', '1.2', false)).toEqual({ last: true })
      expect(await users.signOut('1', 'ann', '1.2', false)).toEqual({ last: false })
      const delivered = await subject.sink.atLeast(topic, 2)
      expect(delivered.map(statusOf)).toEqual(['ann online', 'ann offline'])
      expect(delivered.map(({ kind }) => kind)).toEqual(['members', 'members'])
      const [first, second] = delivered.map(({ version }) => version)
      expect(first).toBeGreaterThan(0)
      expect(second).toBeGreaterThan(first!)
    })

    test('tells the state of each user asked for, in the order asked', async () => {
      const { users } = subject.backend
      await users.signIn('1', 'ann', '1.1')
      await users.signIn('2', 'bob', '2.1')
      const statuses = await users.status('1', ['bob', 'ann', '__proto__', 'ann'])
      expect(statuses.map(({ userId, online }) => [userId, online])).toEqual([
        ['bob', false],
        ['ann', true],
        ['__proto__', false],
        ['ann', true],
      ])
      expect(await users.status('1', [])).toEqual([])
    })

    test('a state covers what was announced before it, and nothing that comes later', async () => {
      const { users } = subject.backend
      const versionNow = async () => {
        const { version } = (await users.status('1', ['ann']))[0]!
        // What the answer covers has been delivered before it.
        expect(subject.sink.of(topic).every((delivered) => delivered.version <= version)).toBe(true)
        return version
      }
      const never = await versionNow()
      await users.signIn('1', 'ann', '1.1')
      await subject.sink.atLeast(topic, 1)
      const online = await versionNow()
      await users.signOut('1', 'ann', '1.1', false)
      await subject.sink.atLeast(topic, 2)
      const offline = await versionNow()
      await users.signIn('1', 'ann', '1.1')
      const [first, second, third] = (await subject.sink.atLeast(topic, 3)).map(({ version }) => version)
      expect(never).toBeLessThan(first!)
      expect(online).toBeGreaterThanOrEqual(first!)
      expect(online).toBeLessThan(second!)
      expect(offline).toBeGreaterThanOrEqual(second!)
      expect(offline).toBeLessThan(third!)
    })

    test('a sign-out of an unknown connection changes nothing', async () => {
      const { users } = subject.backend
      expect(await users.signOut('1', 'ann', '9.9', false)).toEqual({ last: false })
      await users.signIn('1', 'ann', '1.1')
      expect(await users.signOut('1', 'ann', '9.9', false)).toEqual({ last: false })
      await subject.sink.atLeast(topic, 1)
      expect((await users.status('1', ['ann']))[0]?.online).toBe(true)
      expect(subject.sink.of(topic)).toHaveLength(1)
    })

    test('random histories agree with a model, over apps and names of every kind', async () => {
      const operation = fc.record({
        type: fc.constantFrom('in', 'out'),
        appId: fc.constantFrom('1', '11', '__proto__'),
        userId: fc.constantFrom('ann', '1', '__proto__', 'a;b,c=@.'),
        socketId: fc.constantFrom('1.1', '1.2'),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
          const fresh = await make()
          try {
            const online = new Map<string, Set<string>>()
            const announced = new Map<string, string[]>()
            const answers: Promise<void>[] = []
            for (const { type, appId, userId, socketId } of operations) {
              const statusTopic = userStatusTopic(appId, userId)
              if (!online.has(statusTopic)) {
                await fresh.backend.broker.subscribe(statusTopic)
                await fresh.backend.users.status(appId, [userId])
              }
              const sockets = online.get(statusTopic) ?? new Set()
              online.set(statusTopic, sockets)
              const before = sockets.size
              if (type === 'in') sockets.add(socketId)
              else sockets.delete(socketId)
              const changed = before > 0 !== sockets.size > 0
              if (changed) {
                const status = `${userId} ${type === 'in' ? 'online' : 'offline'}`
                announced.set(statusTopic, [...(announced.get(statusTopic) ?? []), status])
              }
              const { users } = fresh.backend
              answers.push(
                type === 'in'
                  ? users.signIn(appId, userId, socketId).then(({ first }) => expect(first).toBe(changed))
                  : users.signOut(appId, userId, socketId, false).then(({ last }) => expect(last).toBe(changed)),
              )
            }
            await Promise.all(answers)
            for (const [statusTopic, expected] of announced) {
              const delivered = await fresh.sink.atLeast(statusTopic, expected.length)
              expect(delivered.map(statusOf)).toEqual(expected)
            }
          } finally {
            await fresh.close()
          }
        }),
        { numRuns: runs(traits, 80) },
      )
    })
  })
}

function statusOf({ frame }: Delivered): string {
  const { event, data } = JSON.parse(frame) as { event: string; data: string }
  expect(event).toBe('pusher_internal:watchlist_events')
  const { events } = JSON.parse(data) as { events: { name: string; user_ids: string[] }[] }
  return events.map(({ name, user_ids: ids }) => `${ids.join()} ${name}`).join('; ')
}
