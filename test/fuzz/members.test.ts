import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isValidUserId } from '../../src/protocol/channel-name.js'
import { decodeMember } from '../../src/protocol/member.js'
import { errorFrame, memberAddedFrame, memberRemovedFrame } from '../../src/protocol/outbound.js'
import { decodeUserData } from '../../src/protocol/user-data.js'
import { hostileString, jsonText, literal, mutated, objectWith } from './hostile-text.js'
import { must, parseAny, parseRecord } from './must.js'
import { runs } from './runs.js'

const id = fc.oneof(
  hostileString.map(literal),
  fc.constantFrom('"u1"', '7', '-7', '12345678901234567890', '1.50', '1e3', 'null', '""', '[1]', '{"a":1}', 'true'),
)
const channelData = mutated(objectWith({ user_id: id, user_info: jsonText }))
const limits = { presenceUserIdLength: 20, presenceMemberBytes: 60 }

describe('decodeMember', () => {
  test(`${runs} texts: total, the id is text within its limit, the info the exact slice`, () => {
    let members = 0
    fc.assert(
      fc.property(channelData, (text) => {
        const decoded = decodeMember(text, limits)
        if (!decoded.ok) {
          JSON.parse(errorFrame(decoded.error))
          return
        }
        members += 1
        const { userId, userInfo } = decoded
        const value = parseRecord(text)
        must(value !== undefined, 'only an object is a member')
        must(userId !== '' && userId.length <= limits.presenceUserIdLength, 'the id keeps its limit')
        must(idOf(value['user_id'], userId), 'the id is that of the text')
        must((userInfo === undefined) === (value['user_info'] === undefined), 'the info is there when it was given')
        if (userInfo === undefined) return
        must(
          text.includes(userInfo) && Buffer.byteLength(userInfo) <= limits.presenceMemberBytes,
          'it is a slice within its limit',
        )
        must(JSON.stringify(parseAny(userInfo)) === JSON.stringify(value['user_info']), 'the slice of user_info')
        checkFrames(userId, userInfo)
      }),
      { numRuns: runs },
    )
    if (runs >= 10_000) expect(members).toBeGreaterThan(runs / 20)
  })
})

/** A number's id is its decimal text: as written when that is digits, so that no digit is lost. */
function idOf(given: unknown, userId: string): boolean {
  if (typeof given === 'string') return given === userId
  return typeof given === 'number' && Object.is(Number(userId) + 0, given + 0)
}

/** What the other members get must parse back to what came in. */
function checkFrames(userId: string, userInfo: string): void {
  const added = parseRecord(memberAddedFrame('presence-a', userId, userInfo))
  const told = parseRecord(String(added?.['data']))
  must(told?.['user_id'] === userId, 'member_added carries the id')
  must(JSON.stringify(told['user_info']) === JSON.stringify(parseAny(userInfo)), 'member_added carries the info')
  const removed = parseRecord(memberRemovedFrame('presence-a', userId))
  must(parseRecord(String(removed?.['data']))?.['user_id'] === userId, 'member_removed carries the id')
}

const userData = mutated(
  objectWith({
    id: fc.oneof(hostileString.map(literal), fc.constantFrom('"u1"', '"__proto__"', '7', 'null', '""', '["u1"]')),
    user_info: jsonText,
    watchlist: fc.oneof(
      jsonText,
      fc.array(fc.oneof(id, jsonText), { maxLength: 4 }).map((ids) => `[${ids.join()}]`),
    ),
  }),
)

describe('decodeUserData', () => {
  test(`${runs} texts: total, the id and every watched id valid, the info the exact slice`, () => {
    let users = 0
    fc.assert(
      fc.property(userData, (text) => {
        const user = decodeUserData(text)
        if (!user.ok) {
          must(user.reason !== '', 'a refusal says why')
          return
        }
        users += 1
        const value = parseRecord(text)
        must(value?.['id'] === user.id && isValidUserId(user.id), 'the id is that of the text, and valid')
        must(new Set(user.watchlist).size === user.watchlist.length, 'nobody is watched twice')
        const given: unknown = value['watchlist']
        must(
          user.watchlist.every((each) => isValidUserId(each) && (given as unknown[]).includes(each)),
          'watched ids are valid and given',
        )
        if (value['user_info'] === undefined) must(user.userInfo === undefined, 'no info when none was given')
        else must(user.userInfo !== undefined && text.includes(user.userInfo), 'the info is a slice')
        must(
          JSON.stringify(parseAny(user.userInfo ?? 'null')) === JSON.stringify(value['user_info'] ?? null),
          'the slice of user_info',
        )
      }),
      { numRuns: runs },
    )
    if (runs >= 10_000) expect(users).toBeGreaterThan(runs / 50)
  })
})
