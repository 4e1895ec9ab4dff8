import fc from 'fast-check'
import { describe, test } from 'vitest'
import { originAllowed } from '../../src/core/origin.js'
import { isValidUserId, parseChannelName, userOfChannel } from '../../src/protocol/channel-name.js'
import { hostileString, mutated } from './hostile-text.js'
import { must } from './must.js'
import { runs } from './runs.js'

const prefixes = [
  '',
  'private-',
  'private-encrypted-',
  'presence-',
  'cache-',
  '#server-to-user-',
  '#',
  'private',
  'PRIVATE-',
]
const name = fc
  .tuple(fc.constantFrom(...prefixes), fc.constantFrom(...prefixes), hostileString)
  .map(([one, two, rest]) => one + two + rest)

describe('parseChannelName', () => {
  test(`${runs} names: total, and the kind is what the prefix says (2.2)`, () => {
    fc.assert(
      fc.property(mutated(name), (text) => {
        const traits = parseChannelName(text)
        must((traits !== undefined) === isAllowed(text), 'the alphabet decides')
        if (traits === undefined) return
        const kind = /^(?:private-encrypted-|private-|presence-|#server-to-user-|)/.exec(text)?.[0] ?? ''
        must(traits.presence === (kind === 'presence-'), 'presence by prefix')
        must(traits.encrypted === (kind === 'private-encrypted-'), 'encrypted by prefix')
        must(traits.listed === (kind !== '#server-to-user-'), 'user channels are not listed')
        must(
          traits.cache === (traits.listed && text.startsWith('cache-', kind.length)),
          'cache by what follows the prefix',
        )
        must(
          traits.clientEvents === (kind === 'private-' || kind === 'presence-'),
          'client events on private and presence',
        )
        must((traits.auth === 'none') === (kind === ''), 'all but public channels ask for something')
      }),
      { numRuns: runs },
    )
  })

  test(`${runs} names: a user channel names exactly a valid user id`, () => {
    fc.assert(
      fc.property(name, (text) => {
        const userId = userOfChannel(text)
        if (userId === undefined) return
        must(isValidUserId(userId) && text === `#server-to-user-${userId}`, 'the id is the rest of the name')
      }),
      { numRuns: runs },
    )
  })
})

/** The rule again, in other words: what follows is checked character by character. */
function isAllowed(text: string): boolean {
  const rest = text.startsWith('#server-to-user-') ? text.slice('#server-to-user-'.length) : text
  if (rest === '' || (rest !== text && rest.length > 200)) return false
  return Array.from(rest).every(
    (character) =>
      'abcdefghijklmnopqrstuvwxyz0123456789_-=@,.;'.includes(character.toLowerCase()) &&
      character.length === 1 &&
      character.charCodeAt(0) < 128,
  )
}

const hosts = [
  'example.com',
  'sub.example.com',
  'evil-example.com',
  'example.com.evil',
  '[::1]',
  '127.0.0.1',
  'localhost',
  'xn--e1a',
  '',
]
const origin = fc
  .tuple(
    fc.constantFrom('https://', 'http://', 'HTTPS://', 'file://', 'null', '', 'any://', '//', 'https:///'),
    fc.oneof(fc.constantFrom(...hosts), hostileString),
    fc.constantFrom('', ':443', ':80', ':8080', ':', ':99999999999', '/', '/path', '@example.com', '#', '?', '\r\n'),
  )
  .map((parts) => parts.join(''))
const pattern = fc.oneof(
  fc.constantFrom(
    '*.example.com',
    'example.com',
    'https://example.com',
    'https://*.example.com',
    'http://localhost:8080',
    '*.',
    '*..',
    '.*',
    '(a+)+$',
    '[',
    '\\',
  ),
  origin,
)

describe('originAllowed', () => {
  test(`${runs} origins against patterns: total, and nothing foreign gets in`, () => {
    fc.assert(
      fc.property(mutated(origin), fc.array(pattern, { maxLength: 3 }), (given, patterns) => {
        const allowed = originAllowed(given, patterns)
        must(typeof allowed === 'boolean', 'a yes or a no')
        if (patterns.includes('*')) must(allowed, 'the star lets everyone in')
        else if (patterns.length === 0) must(!allowed, 'no pattern lets nobody in')
        if (!allowed)
          must(!patterns.some((each) => each !== '' && originAllowed(given, [each])), 'each pattern stands alone')
      }),
      { numRuns: runs },
    )
  })

  test(`${runs} origins: a site's pattern lets in the site's own hosts only`, () => {
    fc.assert(
      fc.property(mutated(origin), (given) => {
        const host = hostOf(given)
        if (host === undefined) return
        if (originAllowed(given, ['example.com'])) must(host === 'example.com', `${given} is another host`)
        if (originAllowed(given, ['*.example.com'])) must(host.endsWith('.example.com'), `${given} is no subdomain`)
        if (originAllowed(given, ['https://example.com'])) {
          must(host === 'example.com' && new URL(given).protocol === 'https:', `${given} is another origin`)
        }
      }),
      { numRuns: runs },
    )
  })
})

/** As a browser reads it; undefined for what is no URL, which no browser sends and anybody else could replace by a good one. */
function hostOf(origin: string): string | undefined {
  const url = origin.replace(/^(?!https?:)[a-z][a-z0-9+.-]*:/i, 'http:')
  return URL.canParse(url) ? new URL(url).hostname : undefined
}
