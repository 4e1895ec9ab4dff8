import { describe, expect, test } from 'vitest'
import { isValidUserId, parseChannelName, userIdLengthMax, userOfChannel } from '../../../src/protocol/channel-name.js'

describe('channel names (2.2)', () => {
  test.each([
    ['news', { auth: 'none', presence: false, encrypted: false, cache: false, clientEvents: false }],
    ['cache-news', { auth: 'none', cache: true, clientEvents: false }],
    ['private-a', { auth: 'signature', presence: false, encrypted: false, cache: false, clientEvents: true }],
    ['private-cache-a', { auth: 'signature', cache: true, clientEvents: true }],
    ['private-encrypted-a', { auth: 'signature', encrypted: true, cache: false, clientEvents: false }],
    ['private-encrypted-cache-a', { auth: 'signature', encrypted: true, cache: true, clientEvents: false }],
    ['presence-a', { auth: 'member', presence: true, cache: false, clientEvents: true }],
    ['presence-cache-a', { auth: 'member', presence: true, cache: true, clientEvents: true }],
    // Prefixes with nothing behind them are prefixes all the same.
    ['private-', { auth: 'signature' }],
    ['presence-', { auth: 'member', presence: true }],
    ['cache-', { auth: 'none', cache: true }],
    // And what looks like one is not.
    ['private', { auth: 'none' }],
    ['presence', { auth: 'none', presence: false }],
    ['Private-a', { auth: 'none' }],
    ['my-private-a', { auth: 'none' }],
    ['cache-private-a', { auth: 'none', cache: true }],
    ['cache-presence-a', { auth: 'none', presence: false, cache: true }],
    ['private-a-cache-b', { auth: 'signature', cache: false }],
    ['private-encryptedx', { auth: 'signature', encrypted: false }],
    ['private-encrypted', { auth: 'signature', encrypted: false }],
    ['private-cache-encrypted-a', { auth: 'signature', encrypted: false, cache: true }],
    ['presence-encrypted-a', { auth: 'member', encrypted: false }],
    ['private-presence-a', { auth: 'signature', presence: false }],
    ['__proto__', { auth: 'none' }],
    ['constructor', { auth: 'none' }],
    ['aZ09_-=@,.;', { auth: 'none' }],
  ])('%s', (name, traits) => {
    expect(parseChannelName(name)).toMatchObject({ listed: true, ...traits })
  })

  test.each([
    '',
    ' ',
    'a b',
    'a/b',
    'a:b',
    'a#b',
    '#a',
    '#',
    'a\n',
    '\na',
    'a\0',
    'ü',
    '漢',
    '🎉',
    'a*',
    'a?',
    '"',
    '\\',
    'private-ü',
    'presence-a b',
  ])('%j is no name', (name) => {
    expect(parseChannelName(name)).toBeUndefined()
  })

  test('a name of any length is judged by its alphabet', () => {
    expect(parseChannelName('a'.repeat(1_000_000))).toBeDefined()
  })

  test('the channel of a user', () => {
    expect(parseChannelName('#server-to-user-ann')).toMatchObject({
      auth: 'user',
      clientEvents: false,
      listed: false,
      cache: false,
    })
    expect(userOfChannel('#server-to-user-ann')).toBe('ann')
    expect(userOfChannel('#server-to-user-__proto__')).toBe('__proto__')
    expect(userOfChannel(`#server-to-user-${'u'.repeat(userIdLengthMax)}`)).toHaveLength(200)
  })

  test.each([
    '#server-to-user-',
    '#server-to-user-a b',
    '#server-to-user-#',
    `#server-to-user-${'u'.repeat(201)}`,
    '#server-to-users-a',
    'server-to-user-a',
    '#SERVER-TO-USER-a',
    '#watch-a',
  ])('%s is the channel of no user', (name) => {
    expect(userOfChannel(name)).toBeUndefined()
    if (name.startsWith('#')) expect(parseChannelName(name)).toBeUndefined()
  })

  test('ids of users have the same alphabet', () => {
    expect(isValidUserId('a=@,.;_-9')).toBe(true)
    for (const id of ['', 'a b', 'ü', '#', 'u'.repeat(201)]) expect(isValidUserId(id)).toBe(false)
  })
})
