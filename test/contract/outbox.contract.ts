import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { OutboxEntry, OutboxProgress, Transition } from '../../src/core/ports/outbox.js'
import { eventually } from '../harness/eventually.js'
import type { ContractSubject, MakeSubject } from './subject.js'

/** What every Outbox must do (src/core/ports/outbox.ts), and the stores that append to it. Apps: see `wantsTransition`. */
export function outboxContract(name: string, make: MakeSubject): void {
  describe(`Outbox of ${name}`, () => {
    let subject: ContractSubject
    beforeEach(async () => {
      subject = await make()
    })
    afterEach(() => subject.close())

    const join = async (topic: string, socketId: string, userId: string) => {
      // A node is subscribed to the channels it joins.
      await subject.backend.broker.subscribe(topic)
      return subject.backend.presence.join(topic, socketId, { userId, userInfo: undefined }, 0)
    }
    const leave = (topic: string, socketId: string, userId: string) =>
      subject.backend.presence.leave(topic, socketId, userId, false)

    test('is empty at first', async () => {
      expect(subject.backend.outbox.partitions).toBeGreaterThan(0)
      expect(await all(subject)).toEqual([])
    })

    test('has each change of members once, in order', async () => {
      await join('1/presence-a', '1.1', 'ann')
      await join('1/presence-a', '1.2', 'ann')
      await join('1/presence-a', '2.1', '__proto__')
      await leave('1/presence-a', '1.1', 'ann')
      await leave('1/presence-a', '1.2', 'ann')
      await leave('1/presence-a', '1.2', 'ann')
      const before = { appId: '1', channel: 'presence-a' }
      expect((await all(subject)).map(({ transition }) => withoutTime(transition))).toEqual([
        { ...before, type: 'member_added', userId: 'ann' },
        { ...before, type: 'member_added', userId: '__proto__' },
        { ...before, type: 'member_removed', userId: 'ann' },
      ])
    })

    test("tells when it happened, by the store's clock", async () => {
      await join('1/presence-a', '1.1', 'ann')
      await subject.pass(300)
      await leave('1/presence-a', '1.1', 'ann')
      const times = (await all(subject)).map(({ transition }) => transition.timeMs)
      expect(times.every(Number.isInteger)).toBe(true)
      expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(290)
      expect(times[1]! - times[0]!).toBeLessThan(10_000)
    })

    test('has occupied and vacated once each, and the last subscription count', async () => {
      const { occupancy } = subject.backend
      await occupancy.set('1/a', 1)
      await occupancy.set('1/a', 3)
      await occupancy.set('1/a', 3)
      await occupancy.set('1/a', 2)
      await eventually('the last count is noted', async () => (await countsOf(subject, 'a')).at(-1) === 2)
      // Counts in between may be left out (D8), but what is told is in order.
      expect(isInOrder(await countsOf(subject, 'a'), [1, 3, 2])).toBe(true)
      await occupancy.set('1/a', 0)
      await eventually('the count 0 is noted', async () => (await countsOf(subject, 'a')).at(-1) === 0)
      const types = (await all(subject)).map(({ transition }) => transition.type)
      expect(types.filter((type) => type !== 'subscription_count')).toEqual(['channel_occupied', 'channel_vacated'])
    })

    test('has no subscription counts of presence channels', async () => {
      await subject.backend.occupancy.set('1/presence-a', 1)
      await subject.backend.occupancy.set('1/presence-a', 2)
      await subject.backend.occupancy.set('1/presence-a', 0)
      expect((await all(subject)).map(({ transition }) => withoutTime(transition))).toEqual([
        { type: 'channel_occupied', appId: '1', channel: 'presence-a' },
        { type: 'channel_vacated', appId: '1', channel: 'presence-a' },
      ])
    })

    test('has only what an app wants to hear of', async () => {
      const { occupancy } = subject.backend
      for (const appId of ['quiet', 'members']) {
        await join(`${appId}/presence-a`, '1.1', 'ann')
        await leave(`${appId}/presence-a`, '1.1', 'ann')
        await occupancy.set(`${appId}/a`, 1)
        await occupancy.set(`${appId}/a`, 0)
      }
      expect((await all(subject)).map(({ transition }) => withoutTime(transition))).toEqual([
        { type: 'member_added', appId: 'members', channel: 'presence-a', userId: 'ann' },
      ])
    })

    test('gives entries with growing ids, from any place, as many as asked for', async () => {
      const { outbox } = subject.backend
      for (let index = 0; index < 25; index += 1) await join('1/presence-a', `${index}.1`, `user ${index}`)
      const partition = await partitionOf(subject)
      const { entries } = await outbox.read(partition, '', 1000)
      expect(entries.map(({ transition }) => transition.userId)).toEqual(
        Array.from({ length: 25 }, (_none, index) => `user ${index}`),
      )
      expect([...entries].sort(byId)).toEqual(entries)
      expect(new Set(entries.map(({ id }) => id)).size).toBe(25)
      expect((await outbox.read(partition, '', 10)).entries).toEqual(entries.slice(0, 10))
      expect((await outbox.read(partition, entries[9]!.id, 10)).entries).toEqual(entries.slice(10, 20))
      expect((await outbox.read(partition, entries[24]!.id, 10)).entries).toEqual([])
    })

    test('drops what is done, and nothing else', async () => {
      const { outbox } = subject.backend
      for (let index = 0; index < 6; index += 1) await join('1/presence-a', `${index}.1`, `user ${index}`)
      const partition = await partitionOf(subject)
      const { entries } = await outbox.read(partition, '', 1000)
      await outbox.done(partition, doneTo(entries[1]!.id))
      expect((await outbox.read(partition, '', 1000)).entries).toEqual(entries.slice(2))
      // An older place says nothing new.
      await outbox.done(partition, doneTo(entries[0]!.id))
      expect((await outbox.read(partition, entries[3]!.id, 1000)).entries).toEqual(entries.slice(4))
      // Read is not done.
      await outbox.done(partition, { ...doneTo(entries[3]!.id), readTo: entries[5]!.id })
      expect((await outbox.read(partition, '', 1000)).entries).toEqual(entries.slice(4))
      await outbox.done(partition, {
        doneTo: '',
        readTo: entries[5]!.id,
        behind: new Map([['receiver', entries[3]!.id]]),
      })
      expect((await outbox.read(partition, '', 1000)).entries).toEqual(entries.slice(4))
      await outbox.done(partition, doneTo(entries[5]!.id))
      expect((await outbox.read(partition, '', 1000)).entries).toEqual([])
      await join('1/presence-a', '9.1', 'user 9')
      const [later, ...none] = (await outbox.read(partition, '', 1000)).entries
      expect(none).toEqual([])
      expect(byId(entries[5]!, later!)).toBeLessThan(0)
      expect((await outbox.read(partition, entries[5]!.id, 1000)).entries).toEqual([later])
    })

    test("says when it was read, by the clock that the entries' ids and times are of", async () => {
      await join('1/presence-a', '1.1', 'ann')
      const partition = await partitionOf(subject)
      const { entries, nowMs } = await subject.backend.outbox.read(partition, '', 10)
      const [{ id, transition }] = entries as [OutboxEntry]
      expect(id).toMatch(/^\d+-\d+$/)
      expect(Math.abs(transition.timeMs - Number(id.split('-')[0]))).toBeLessThanOrEqual(5)
      expect(nowMs).toBeGreaterThanOrEqual(transition.timeMs)
      await subject.pass(300)
      const later = await subject.backend.outbox.read(partition, id, 10)
      expect(later.entries).toEqual([])
      expect(later.nowMs - nowMs).toBeGreaterThanOrEqual(290)
      expect(later.nowMs - nowMs).toBeLessThan(10_000)
    })

    test('the only node sends from every partition, from the beginning', async () => {
      const { outboxListener: told, backend } = subject
      await eventually('all gained', () => told.held.size === backend.outbox.partitions)
      const beginning: OutboxProgress = { doneTo: '', readTo: '', behind: new Map() }
      for (const progress of told.held.values()) expect(progress).toEqual(beginning)
      expect(told.count('gained')).toBe(backend.outbox.partitions)
      expect(told.mistakes).toEqual([])
    })

    test('tells that something was appended, again after a pause, and nothing of other partitions', async () => {
      const { outboxListener: told, backend } = subject
      await eventually('all gained', () => told.held.size === backend.outbox.partitions)
      await subject.pass(100)
      await join('1/presence-a', '1.1', 'ann')
      const partition = await partitionOf(subject)
      const others = told.count('appended') - told.count('appended', partition)
      for (let round = 0; round < 3; round += 1) {
        await subject.pass(60)
        await backend.outbox.read(partition, '', 100)
        const before = told.count('appended', partition)
        await leave('1/presence-a', '1.1', 'ann')
        await join('1/presence-a', '1.1', 'ann')
        await eventually('told', () => told.count('appended', partition) > before, 250)
      }
      expect(told.count('appended') - told.count('appended', partition)).toBe(others)
      expect(told.mistakes).toEqual([])
    })

    test('what is appended is found by who reads as the port says', async () => {
      const { outboxListener: told, backend } = subject
      await join('1/presence-a', '1.0', 'first')
      const partition = await partitionOf(subject)
      const found: string[] = []
      let last = ''
      const users = Array.from({ length: 60 }, (_none, index) => `user ${index}`)
      const writing = (async () => {
        for (const [index, user] of users.entries()) {
          await join('1/presence-a', `2.${index}`, user)
          await subject.pass((index * 7) % 50)
        }
      })()
      for (let calls = 0; found.length <= users.length;) {
        calls = await eventually(
          'told',
          () => told.count('appended', partition) > calls && told.count('appended', partition),
          1500,
        )
        for (;;) {
          const { entries } = await backend.outbox.read(partition, last, 100)
          found.push(...entries.map(({ transition }) => transition.userId!))
          last = entries.at(-1)?.id ?? last
          if (entries.length === 0) break
          await subject.pass(40)
        }
        if (found.length <= users.length) await subject.pass(1)
      }
      await writing
      expect(found).toEqual(['first', ...users])
    })

    test('tells nobody anything after it was released', async () => {
      const { outboxListener: told, backend } = subject
      await eventually('all gained', () => told.held.size === backend.outbox.partitions)
      await backend.outbox.release()
      const before = told.count('appended') + told.count('lost')
      await join('1/presence-a', '1.1', 'ann')
      await subject.pass(100)
      expect(told.count('appended') + told.count('lost')).toBe(before)
      expect(await all(subject)).toHaveLength(1)
      await backend.outbox.release()
    })

    test('keeps all of a channel in one partition, in order', async () => {
      const channels = Array.from({ length: 40 }, (_none, index) => `presence-${index}`)
      for (const channel of channels) await join(`1/${channel}`, '1.1', 'ann')
      for (const channel of channels) await leave(`1/${channel}`, '1.1', 'ann')
      const places = new Map<string, Set<number>>()
      const types = new Map<string, string[]>()
      for (let partition = 0; partition < subject.backend.outbox.partitions; partition += 1) {
        for (const { transition } of (await subject.backend.outbox.read(partition, '', 1000)).entries) {
          const { channel, type } = transition
          places.set(channel, (places.get(channel) ?? new Set()).add(partition))
          types.set(channel, [...(types.get(channel) ?? []), type])
        }
      }
      for (const channel of channels) {
        expect(places.get(channel)?.size).toBe(1)
        expect(types.get(channel)).toEqual(['member_added', 'member_removed'])
      }
    })
  })
}

/** Every entry of all partitions; those of a partition are in order. */
async function all({ backend }: ContractSubject): Promise<OutboxEntry[]> {
  const entries: OutboxEntry[] = []
  for (let partition = 0; partition < backend.outbox.partitions; partition += 1) {
    entries.push(...(await backend.outbox.read(partition, '', 1000)).entries)
  }
  return entries
}

/** The only partition that has entries. */
async function partitionOf({ backend }: ContractSubject): Promise<number> {
  const found: number[] = []
  for (let partition = 0; partition < backend.outbox.partitions; partition += 1) {
    if ((await backend.outbox.read(partition, '', 1)).entries.length > 0) found.push(partition)
  }
  expect(found).toHaveLength(1)
  return found[0]!
}

async function countsOf(subject: ContractSubject, channel: string): Promise<number[]> {
  return (await all(subject)).flatMap(({ transition }) =>
    transition.type === 'subscription_count' && transition.channel === channel ? [transition.count!] : [],
  )
}

/** Whether `some` is what is left of `whole` when items are taken away. */
function isInOrder(some: readonly number[], whole: readonly number[]): boolean {
  let at = 0
  for (const item of some) {
    while (at < whole.length && whole[at] !== item) at += 1
    if (at === whole.length) return false
    at += 1
  }
  return true
}

/** All is dealt with up to here. */
function doneTo(id: string): OutboxProgress {
  return { doneTo: id, readTo: id, behind: new Map() }
}

function byId(one: OutboxEntry, other: OutboxEntry): number {
  const [oneMs = 0, oneNumber = 0] = one.id.split('-').map(Number)
  const [otherMs = 0, otherNumber = 0] = other.id.split('-').map(Number)
  return oneMs - otherMs || oneNumber - otherNumber
}

function withoutTime({ timeMs: _, ...rest }: Transition): Omit<Transition, 'timeMs'> {
  return rest
}
