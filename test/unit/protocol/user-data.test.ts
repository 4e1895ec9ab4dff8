import { describe, expect, test } from 'vitest'
import { decodeUserData } from '../../../src/protocol/user-data.js'

describe('user_data (2.8)', () => {
  test.each([
    ['{"id":"ann"}', { id: 'ann', userInfo: undefined, watchlist: [] }],
    [
      '{"id":"12345","user_info":{"name":"Ann"},"watchlist":["7","8"]}',
      { id: '12345', userInfo: '{"name":"Ann"}', watchlist: ['7', '8'] },
    ],
    ['{"id":"a","user_info": { "n":1.0 } }', { userInfo: '{ "n":1.0 }' }],
    ['{"id":"a","user_info":null}', { userInfo: 'null' }],
    [
      '{"id":"__proto__","watchlist":["constructor","__proto__"]}',
      { id: '__proto__', watchlist: ['constructor', '__proto__'] },
    ],
    ['{"id":"a_-=@,.;9"}', { id: 'a_-=@,.;9' }],
    [JSON.stringify({ id: 'u'.repeat(200) }), { id: 'u'.repeat(200) }],
  ])('%.60s', (text, user) => {
    expect(decodeUserData(text)).toMatchObject({ ok: true, ...user })
  })

  test.each([
    ['repeated ids count once', ['b', 'a', 'b'], ['b', 'a']],
    ['ids that can be no user are left out', ['a', 1, null, '', 'a b', 'ü', {}, [], 'u'.repeat(201)], ['a']],
    ['no list is an empty one', 'a', []],
    ['nor is an object a list', { 0: 'a', length: 1 }, []],
    ['null is none', null, []],
  ])('watchlist: %s', (_what, watchlist, expected) => {
    expect(decodeUserData(JSON.stringify({ id: 'x', watchlist }))).toMatchObject({ ok: true, watchlist: expected })
  })

  test.each([
    '',
    'x',
    'null',
    '[]',
    '"ann"',
    '{}',
    '{"id":1}',
    '{"id":null}',
    '{"id":""}',
    '{"id":"a b"}',
    '{"id":"ü"}',
    '{"id":["a"]}',
    '{"ID":"a"}',
    '{"__proto__":{"id":"a"}}',
    JSON.stringify({ id: 'u'.repeat(201) }),
  ])('%.40s signs nobody in', (text) => {
    const user = decodeUserData(text)
    expect(user.ok).toBe(false)
    // The reason repeats nothing of the text, which may hold anything.
    if (!user.ok && text.length > 4) expect(user.reason).not.toContain(text)
  })
})
