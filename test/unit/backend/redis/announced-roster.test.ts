import { beforeEach, describe, expect, it } from 'vitest'
import { AnnouncedRoster, type MemberEvent, type StoredMember } from '../../../../src/backend/redis/announced-roster.js'

const noneHeld = () => false
const held =
  (...users: string[]) =>
  (userId: string) =>
    users.includes(userId)

let told: string[]
let roster: AnnouncedRoster

beforeEach(() => {
  told = []
  roster = new AnnouncedRoster('app/presence-room', (_topic, change, userId) => told.push(`${change} ${userId}`))
})

function stored(...users: string[]): StoredMember[] {
  return users.map((userId, order) => ({ userId, userInfo: undefined, order }))
}

function event(type: 'added' | 'removed', userId: string, before: number, version: number): MemberEvent {
  return { type, userId, userInfo: undefined, before, version, origin: 'other' } as MemberEvent
}

describe('AnnouncedRoster, of a user whom this node holds and the store does not have', () => {
  it('keeps who joined while the store could not be asked when the roster comes with the next join', () => {
    roster.addUnstored('early', undefined)
    roster.snapshot()
    told = []
    expect(roster.begin(5, stored('other'), held('early', 'next'))).toBe(true)
    expect(told).toEqual(['added other'])
    expect(roster.has('early')).toBe(true)
  })

  it('keeps the user when an early change says that another connection left', () => {
    roster.addUnstored('early', undefined)
    roster.snapshot()
    roster.apply(event('removed', 'early', 5, 6), noneHeld)
    told = []
    roster.begin(5, stored('early'), held('early'))
    expect(told).toEqual([])
    expect(roster.has('early')).toBe(true)
  })

  it('tells that the user left, which the store cannot, after it was read', () => {
    roster.load(1, stored('user'), noneHeld)
    roster.snapshot()
    expect(roster.load(2, [], held('user'))).toBe(true)
    roster.dropUnstored('user')
    expect(told.at(-1)).toBe('removed user')
  })

  it('tells that the user left, which the store cannot, after the store contradicted', () => {
    roster.load(1, stored('user'), noneHeld)
    roster.snapshot()
    expect(roster.apply(event('removed', 'user', 1, 2), held('user'))).toBe('contradicted')
    roster.dropUnstored('user')
    expect(told.at(-1)).toBe('removed user')
  })

  it('leaves it to the store once that has the user', () => {
    roster.load(1, stored('user'), noneHeld)
    roster.snapshot()
    roster.apply(event('removed', 'user', 1, 2), held('user'))
    roster.apply(event('added', 'user', 2, 3), held('user'))
    told = []
    roster.dropUnstored('user')
    expect(told).toEqual([])
    expect(roster.has('user')).toBe(true)
    expect(roster.load(4, stored('user'), held('user'))).toBe(false)
  })
})
