import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JoinResult, Member, RosterSnapshot } from '../../src/core/ports/presence-store.js'
import type { Delivered } from '../fakes/recording-sink.js'
import { PresenceModel, type Change } from './presence-model.js'
import { runs, type ContractSubject, type ContractTraits, type MakeSubject } from './subject.js'

interface RosterData {
  readonly count: number
  readonly ids: string[]
  readonly hash: Record<string, unknown>
}

/** What every PresenceStore must do (src/core/ports/presence-store.ts; D6, architecture ideas 3 and 4). */
export function presenceStoreContract(name: string, make: MakeSubject, traits: ContractTraits): void {
  describe(`PresenceStore of ${name}`, () => {
    const topic = '1/presence-a'
    let subject: ContractSubject
    beforeEach(async () => {
      subject = await make()
      await subject.backend.broker.subscribe(topic)
    })
    afterEach(() => subject.close())

    const join = (socketId: string, userId: string, userInfo?: string, membersMax = 0) =>
      subject.backend.presence.join(topic, socketId, { userId, userInfo }, membersMax)
    const leave = (socketId: string, userId: string, handover = false) =>
      subject.backend.presence.leave(topic, socketId, userId, handover)

    test('announces the first connection of a user and the last one gone, once each', async () => {
      const { sink } = subject
      expect(await join('1.1', 'ann', '{"n":1}')).toMatchObject({ outcome: 'joined', first: true })
      expect(await join('1.2', 'ann')).toMatchObject({ outcome: 'joined', first: false })
      expect(await leave('1.1', 'ann')).toMatchObject({ last: false })
      expect(await leave('1.2', 'ann')).toMatchObject({ last: true })
      const changes = (await sink.atLeast(topic, 2)).map(changeOf)
      expect(changes).toEqual([
        { type: 'added', userId: 'ann', userInfo: { n: 1 } },
        { type: 'removed', userId: 'ann' },
      ])
    })

    test('every change has the next version, and an answer covers what was announced before it', async () => {
      const one = joined(await join('1.1', 'ann'))
      const two = joined(await join('2.1', 'bob'))
      const again = joined(await join('2.2', 'bob'))
      await leave('1.1', 'ann')
      const three = joined(await join('3.1', 'cy'))
      const versions = (await subject.sink.atLeast(topic, 4)).map(({ kind, version }) => {
        expect(kind).toBe('members')
        return version
      })
      const left = versions[2]!
      expect(versions).toEqual([one.version, two.version, left, three.version])
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
      expect(versions[0]).toBeGreaterThan(0)
      expect(again.version).toBeGreaterThanOrEqual(two.version)
      expect(again.version).toBeLessThan(left)
    })

    test('what the answer to a join covers has been delivered before it', async () => {
      const last = () => subject.sink.of(topic).at(-1)
      const one = joined(await join('1.1', 'ann'))
      expect(last()).toMatchObject({ version: one.version })
      const left = leave('1.1', 'ann')
      const two = joined(await join('2.1', 'bob'))
      expect(subject.sink.of(topic)).toHaveLength(3)
      expect(last()).toMatchObject({ version: two.version })
      await left
    })

    test('versions go on counting when the channel was empty in between', async () => {
      const before = joined(await join('1.1', 'ann')).version
      await leave('1.1', 'ann')
      const after = joined(await join('1.1', 'ann')).version
      const emptied = (await subject.sink.atLeast(topic, 3))[1]!.version
      expect(emptied).toBeGreaterThan(before)
      expect(after).toBeGreaterThan(emptied)
    })

    test('joining twice with the same socket is one connection', async () => {
      expect(joined(await join('1.1', 'ann')).first).toBe(true)
      expect(joined(await join('1.1', 'ann')).first).toBe(false)
      expect(await leave('1.1', 'ann')).toMatchObject({ last: true })
      expect(await leave('1.1', 'ann')).toMatchObject({ last: false })
      expect((await subject.sink.atLeast(topic, 2)).map(changeOf)).toHaveLength(2)
    })

    test('a leave of an unknown socket, user or channel changes nothing', async () => {
      expect(await leave('9.9', 'nobody')).toMatchObject({ last: false })
      await join('1.1', 'ann')
      expect(await leave('9.9', 'ann')).toMatchObject({ last: false })
      expect(await leave('1.1', 'bob')).toMatchObject({ last: false })
      expect(await subject.backend.presence.userIds(topic)).toEqual(['ann'])
      expect(subject.sink.of(topic)).toHaveLength(1)
    })

    test('refuses a new user above the limit, never one who is in, and forgets the refused', async () => {
      await join('1.1', 'ann', undefined, 2)
      await join('2.1', 'bob', undefined, 2)
      expect(await join('3.1', 'cy', undefined, 2)).toEqual({ outcome: 'full' })
      expect(await join('1.2', 'ann', undefined, 2)).toMatchObject({ outcome: 'joined', first: false })
      // A limit that was lowered since does not throw anybody out either.
      expect(await join('1.3', 'ann', undefined, 1)).toMatchObject({ outcome: 'joined', first: false })
      expect(await leave('3.1', 'cy')).toMatchObject({ last: false })
      expect(await subject.backend.presence.count(topic)).toBe(2)
      await leave('2.1', 'bob')
      expect(await join('3.1', 'cy', undefined, 2)).toMatchObject({ outcome: 'joined', first: true })
      expect(await join('4.1', 'di', undefined, 0)).toMatchObject({ outcome: 'joined', first: true })
    })

    test('the user_info of the first connection stays until the user has left', async () => {
      await join('1.1', 'ann', '{"v":1}')
      const second = joined(await join('1.2', 'ann', '{"v":2}'))
      expect(rosterOf(second.roster).hash['ann']).toEqual({ v: 1 })
      await leave('1.1', 'ann')
      expect(rosterOf(joined(await join('2.1', 'bob')).roster).hash['ann']).toEqual({ v: 1 })
      await leave('1.2', 'ann')
      expect(rosterOf(joined(await join('1.3', 'ann', '{"v":3}')).roster).hash['ann']).toEqual({ v: 3 })
    })

    test('the roster has every id in order of arrival, and null where no user_info was given', async () => {
      await join('1.1', 'bob', '"text"')
      await join('2.1', 'ann')
      await join('3.1', '10', '[1.10]')
      await leave('1.1', 'bob')
      await join('1.1', 'bob', 'null')
      const { roster } = joined(await join('2.2', 'ann'))
      expect(roster.count).toBe(3)
      expect(rosterOf(roster)).toEqual({
        count: 3,
        ids: ['ann', '10', 'bob'],
        hash: { ann: null, '10': [1.1], bob: null },
      })
      // The text itself, not what it means: numbers keep their digits.
      expect(roster.escapedJson).toContain('1.10')
      expect(await subject.backend.presence.userIds(topic)).toEqual(['ann', '10', 'bob'])
      expect(await subject.backend.presence.count(topic)).toBe(3)
    })

    test.each(['__proto__', 'constructor', 'a"b\\c', 'ü🎉 \n', '"', ' '])(
      'user id %j is a name like any other',
      async (id) => {
        const info = JSON.stringify({ name: id, '"': '\\' })
        const { roster } = joined(await join('1.1', id, info))
        const { ids, hash } = rosterOf(roster)
        expect(ids).toEqual([id])
        expect(Object.entries(hash)).toEqual([[id, { name: id, '"': '\\' }]])
        expect(await subject.backend.presence.userIds(topic)).toEqual([id])
        await leave('1.1', id)
        expect((await subject.sink.atLeast(topic, 2)).map(changeOf)).toEqual([
          { type: 'added', userId: id, userInfo: { name: id, '"': '\\' } },
          { type: 'removed', userId: id },
        ])
      },
    )

    test('an empty channel has nobody', async () => {
      expect(await subject.backend.presence.userIds('1/presence-none')).toEqual([])
      expect(await subject.backend.presence.count('1/__proto__')).toBe(0)
      expect(await subject.backend.presence.counts('1')).toEqual(new Map())
      expect(subject.backend.presence.localMembers('1')).toBe(0)
    })

    test('tells the users of every channel of an app in one answer, and how many are on this node', async () => {
      const { presence } = subject.backend
      const joins = [
        ['1/presence-a', '1.1', 'ann'],
        ['1/presence-a', '1.2', 'ann'],
        ['1/presence-a', '2.1', 'bob'],
        ['1/presence-__proto__', '1.1', 'ann'],
        ['1/presence-gone', '1.1', 'ann'],
        ['11/presence-a', '3.1', 'cy'],
        ['__proto__/presence-a', '3.1', 'cy'],
      ] as const
      for (const [of, socketId, userId] of joins) {
        await subject.backend.broker.subscribe(of)
        await presence.join(of, socketId, { userId, userInfo: undefined }, 0)
      }
      await presence.leave('1/presence-gone', '1.1', 'ann', false)
      expect([...(await presence.counts('1'))].sort()).toEqual([
        ['presence-__proto__', 1],
        ['presence-a', 2],
      ])
      expect([...(await presence.counts('__proto__'))]).toEqual([['presence-a', 1]])
      expect(['1', '11', '__proto__', '2'].map((appId) => presence.localMembers(appId))).toEqual([3, 1, 1, 0])
    })

    test('a member that leaves for a handover is held, and told to nobody when it is back in time', async () => {
      const { presence } = subject.backend
      await join('1.1', 'ann')
      await join('2.1', 'bob')
      expect(await leave('1.1', 'ann', true)).toEqual({ last: traits.handoverMs === 0 })
      await subject.pass(traits.handoverMs / 4)
      const { first } = joined(await join('1.2', 'ann'))
      if (traits.handoverMs === 0) expect(first).toBe(true)
      else {
        expect(first).toBe(false)
        await subject.pass(traits.handoverMs * 2)
        expect(subject.sink.of(topic)).toHaveLength(2)
        expect(await presence.count(topic)).toBe(2)
        expect(await leave('1.2', 'ann')).toEqual({ last: true })
      }
      await leave('1.2', 'ann')
      expect(await presence.userIds(topic)).toEqual(['bob'])
    })

    test('a member that is not back after a handover has left, and is told once', async () => {
      const { presence } = subject.backend
      await join('1.1', 'ann')
      await leave('1.1', 'ann', true)
      if (traits.handoverMs > 0) expect(await presence.userIds(topic)).toEqual(['ann'])
      await subject.pass(traits.handoverMs)
      const changes = (await subject.sink.atLeast(topic, 2)).map(changeOf)
      expect(changes.at(-1)).toEqual({ type: 'removed', userId: 'ann' })
      expect(changes).toHaveLength(2)
      expect(await presence.count(topic)).toBe(0)
      expect(joined(await join('1.2', 'ann')).first).toBe(true)
    })
  })

  describe(`PresenceStore of ${name}, random histories`, () => {
    test('agrees with a model over many channels and apps, one call after the other or all at once', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(operation, { minLength: 1, maxLength: 60 }),
          fc.boolean(),
          async (operations, waits) => {
            const subject = await make()
            try {
              await followsModel(subject, operations, waits)
            } finally {
              await subject.close()
            }
          },
        ),
        { numRuns: runs(traits, 150) },
      )
    })
  })
}

const topics = ['1/presence-a', '1/presence-__proto__', '2/presence-a', '__proto__/presence-a', '11/presence-a']
const users = ['ann', 'bob', '__proto__', '1']

interface Operation {
  readonly type: 'join' | 'leave'
  readonly topic: string
  readonly user: number
  readonly socket: number
  readonly membersMax: number
}

const operation: fc.Arbitrary<Operation> = fc.record({
  type: fc.constantFrom('join', 'join', 'leave'),
  topic: fc.constantFrom(...topics),
  user: fc.nat(users.length - 1),
  socket: fc.nat(2),
  membersMax: fc.constantFrom(0, 0, 1, 2, 3),
})

/** Answers and announcements must be those of the calls done in the order they were made. */
async function followsModel(subject: ContractSubject, operations: readonly Operation[], waits: boolean): Promise<void> {
  const { presence, broker } = subject.backend
  await Promise.all(topics.map(async (topic) => await broker.subscribe(topic)))
  const model = new PresenceModel()
  const answers: Promise<unknown>[] = []
  for (const { type, topic, user, socket, membersMax } of operations) {
    const userId = users[user]!
    // A connection stands for one user.
    const socketId = `${user}.${socket}`
    if (type === 'join') {
      const member: Member = { userId, userInfo: JSON.stringify({ socketId }) }
      const expected = model.join(topic, socketId, userId, { socketId }, membersMax)
      const changesBefore = model.changes(topic).length
      answers.push(
        presence.join(topic, socketId, member, membersMax).then((result) => {
          if (expected === 'full') {
            expect(result).toEqual({ outcome: 'full' })
            return
          }
          const { first, roster, version } = joined(result)
          expect(first).toBe(expected.first)
          const covered = subject.sink.of(topic).filter((delivered) => delivered.version <= version)
          expect(covered.length).toBeGreaterThanOrEqual(changesBefore)
          expectRoster(roster, covered.map(changeOf))
        }),
      )
    } else {
      const last = model.leave(topic, socketId, userId)
      answers.push(presence.leave(topic, socketId, userId, false).then((result) => expect(result.last).toBe(last)))
    }
    if (waits) await answers.at(-1)
  }
  await Promise.all(answers)
  for (const topic of topics) {
    const expected = model.changes(topic)
    const delivered = await subject.sink.atLeast(topic, expected.length)
    expect(delivered.map(changeOf)).toEqual(expected)
    const versions = delivered.map(({ version }) => version)
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
    expect(await presence.userIds(topic)).toEqual(model.userIds(topic))
    expect(await presence.count(topic)).toBe(model.userIds(topic).length)
  }
}

/** A roster is what the changes up to its version have made: those before the join, and perhaps later ones that came before its answer. */
function expectRoster(roster: RosterSnapshot, changes: readonly Change[]): void {
  const members = new Map<string, unknown>()
  for (const change of changes) {
    if (change.type === 'added') members.set(change.userId, change.userInfo)
    else members.delete(change.userId)
  }
  const { count, ids, hash } = rosterOf(roster)
  expect([roster.count, count]).toEqual([members.size, members.size])
  expect(ids).toEqual([...members.keys()])
  expect(Object.entries(hash).sort()).toEqual([...members].sort())
}

function joined(result: JoinResult): Extract<JoinResult, { outcome: 'joined' }> {
  if (result.outcome !== 'joined') throw new Error('the channel is full')
  return result
}

/** The roster as a client decodes it: a JSON string that holds JSON. */
function rosterOf(roster: RosterSnapshot): RosterData {
  const text = JSON.parse(`"${roster.escapedJson}"`) as string
  return (JSON.parse(text) as { presence: RosterData }).presence
}

function changeOf({ frame, topic }: Delivered): Change {
  const { event, channel, data } = JSON.parse(frame) as { event: string; channel: string; data: string }
  expect(channel).toBe(topic.slice(topic.indexOf('/') + 1))
  const { user_id: userId, user_info: userInfo } = JSON.parse(data) as { user_id: string; user_info?: unknown }
  if (event === 'pusher_internal:member_added') return { type: 'added', userId, userInfo }
  expect(event).toBe('pusher_internal:member_removed')
  return { type: 'removed', userId }
}
