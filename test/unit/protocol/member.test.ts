import { describe, expect, test } from 'vitest'
import { checkMember, decodeMember } from '../../../src/protocol/member.js'

const limits = { presenceUserIdLength: 10, presenceMemberBytes: 20 }
const decode = (channelData: string) => decodeMember(channelData, limits)

describe('channel_data (2.5)', () => {
  test.each([
    ['{"user_id":"u1"}', 'u1', undefined],
    ['{"user_id":"u1","user_info":{"name":"A"}}', 'u1', '{"name":"A"}'],
    ['{ "user_info" : { "n" : 1.10 } , "user_id" : "u1" }', 'u1', '{ "n" : 1.10 }'],
    ['{"user_id":"u1","user_info":null}', 'u1', 'null'],
    ['{"user_id":"u1","user_info":"text"}', 'u1', '"text"'],
    ['{"user_id":"u1","user_info":[]}', 'u1', '[]'],
    ['{"user_id":"ü🎉 \\n"}', 'ü🎉 \n', undefined],
    ['{"user_id":"__proto__"}', '__proto__', undefined],
    ['{"user_id":10}', '10', undefined],
    ['{"user_id":0}', '0', undefined],
    ['{"user_id":-5}', '-5', undefined],
    ['{"user_id": 9007199254740993 }', '9007199254740993', undefined],
    ['{"user_id":1e3}', '1000', undefined],
    ['{"user_id":1.5}', '1.5', undefined],
    ['{"user_id":"a","user_id":"b"}', 'b', undefined],
  ])('%s', (text, userId, userInfo) => {
    expect(decodeMember(text, { presenceUserIdLength: 128, presenceMemberBytes: 1000 })).toEqual({
      ok: true,
      userId,
      userInfo,
    })
  })

  test.each([
    '',
    'x',
    '[]',
    'null',
    '"u1"',
    '1',
    '{}',
    '{"user_id":""}',
    '{"user_id":null}',
    '{"user_id":true}',
    '{"user_id":["u"]}',
    '{"user_id":{}}',
    '{"user_info":{}}',
    '{"user_id":"u1"',
    '{"__proto__":{"user_id":"u1"}}',
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  ])('%.40s is no member', (text) => {
    expect(decode(text)).toMatchObject({ ok: false, kind: 'invalid' })
  })

  test('a user_id may be as long as the limit', () => {
    expect(decode('{"user_id":"1234567890"}')).toMatchObject({ ok: true })
    const refused = decode('{"user_id":"12345678901"}')
    expect(refused).toMatchObject({ ok: false, kind: 'limit' })
    expect(JSON.stringify(refused)).toContain('at most 10 characters are allowed, this one has 11')
  })

  test('a user_info may be as large as the limit, in bytes of its text', () => {
    const infoOf = (bytes: number) => `"${'é'.repeat((bytes - 2) / 2)}"`
    expect(decode(`{"user_id":"u","user_info":${infoOf(20)}}`)).toMatchObject({ ok: true })
    const refused = decode(`{"user_id":"u","user_info":${infoOf(22)}}`)
    expect(refused).toMatchObject({ ok: false, kind: 'limit' })
    expect(JSON.stringify(refused)).toContain('at most 20 bytes of JSON are allowed, this one has 22')
  })
})

test('a member of the sign-in has the same limits', () => {
  expect(checkMember('ann', '{}', limits)).toEqual({ ok: true, userId: 'ann', userInfo: '{}' })
  expect(checkMember('ann', undefined, limits)).toMatchObject({ ok: true })
  expect(checkMember('a'.repeat(11), undefined, limits)).toMatchObject({ ok: false, kind: 'limit' })
  expect(checkMember('ann', `"${'x'.repeat(19)}"`, limits)).toMatchObject({ ok: false, kind: 'limit' })
})
