import fc from 'fast-check'
import { describe, test } from 'vitest'
import { errors } from '../../src/protocol/errors.js'
import {
  cacheMissFrame,
  clientEventFrame,
  connectionEstablishedFrame,
  errorFrame,
  eventFrame,
  presenceSucceededFrame,
  signinSuccessFrame,
  subscriptionCountFrame,
  subscriptionErrorFrame,
  subscriptionSucceededFrame,
  watchlistFrame,
} from '../../src/protocol/outbound.js'
import { Roster } from '../../src/protocol/roster.js'
import { hostileString, jsonText, literal } from './hostile-text.js'
import { must, parseAny } from './must.js'
import { runs } from './runs.js'

const channel = fc.string({ unit: fc.constantFrom(...Array.from('abzAZ019_-=@,.;')), minLength: 1, maxLength: 12 })

describe('frames', () => {
  test(`${runs} events: what is parsed back is what went in`, () => {
    fc.assert(
      fc.property(
        hostileString,
        channel,
        hostileString,
        fc.option(hostileString, { nil: undefined }),
        (name, on, data, userId) => {
          same(eventFrame(literal(name), on, literal(data)), { event: name, channel: on, data })
          const sender = userId === undefined ? {} : { user_id: userId }
          same(clientEventFrame(name, on, literal(data), userId), { event: name, channel: on, data, ...sender })
        },
      ),
      { numRuns: runs },
    )
  })

  test(`${runs} answers to a client's own text: what is parsed back is what went in`, () => {
    fc.assert(
      fc.property(hostileString, hostileString, fc.nat(), (text, other, number) => {
        for (const error of [
          errors.invalidChannelName(text),
          errors.invalidSignature(text, other),
          errors.unknownEvent(text),
        ]) {
          same(errorFrame(error), { event: 'pusher:error', data: { code: error.code, message: error.message } })
          const data = JSON.stringify({ type: 'AuthError', error: error.message, status: 401 })
          const frame = subscriptionErrorFrame(text, { type: 'AuthError', status: 401, error })
          same(frame, { event: 'pusher:subscription_error', channel: text, data })
        }
        same(signinSuccessFrame(text), { event: 'pusher:signin_success', data: JSON.stringify({ user_data: text }) })
        const data = JSON.stringify({ socket_id: `${number}.1`, activity_timeout: number })
        same(connectionEstablishedFrame(`${number}.1`, number), { event: 'pusher:connection_established', data })
      }),
      { numRuns: runs },
    )
  })

  test(`${runs} notices of a channel and of watched users: what is parsed back is what went in`, () => {
    const ids = fc.array(hostileString, { maxLength: 3 })
    fc.assert(
      fc.property(channel, fc.nat(), ids, ids, (on, count, online, offline) => {
        const countData = JSON.stringify({ subscription_count: count })
        same(subscriptionCountFrame(on, count), {
          event: 'pusher_internal:subscription_count',
          channel: on,
          data: countData,
        })
        same(subscriptionSucceededFrame(on), {
          event: 'pusher_internal:subscription_succeeded',
          channel: on,
          data: '{}',
        })
        same(cacheMissFrame(on), { event: 'pusher:cache_miss', channel: on, data: '{}' })
        const events = [
          { name: 'online', user_ids: online },
          { name: 'offline', user_ids: offline },
        ].filter((event) => event.user_ids.length > 0)
        const frame = watchlistFrame(online, offline)
        must((frame === undefined) === (events.length === 0), 'nothing to tell is not told')
        if (frame !== undefined)
          same(frame, { event: 'pusher_internal:watchlist_events', data: JSON.stringify({ events }) })
      }),
      { numRuns: runs },
    )
  })
})

type Change = { readonly add: string; readonly info: string | undefined } | { readonly remove: number }

const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: hostileString, info: fc.option(jsonText, { nil: undefined }) }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat({ max: 7 }) }) },
  ),
  { maxLength: 8 },
)

describe('Roster', () => {
  test(`${runs} histories: its prepared text is what JSON.stringify would make of the members`, () => {
    fc.assert(
      fc.property(changes, (history) => {
        const roster = new Roster()
        const model = new Map<string, string | undefined>()
        for (const change of history) {
          apply(change, roster, model)
          // Read half-way too, so that appending to a text that was already made is covered.
          if (model.size % 2 === 0) must(roster.escapedJson() === expected(model), `after ${JSON.stringify(history)}`)
        }
        must(roster.escapedJson() === expected(model), 'the text of the roster')
        must(roster.count === model.size && roster.userIds().join() === [...model.keys()].join(), 'the members')
        JSON.parse(presenceSucceededFrame('presence-a', roster.escapedJson()))
      }),
      { numRuns: runs },
    )
  })
})

function apply(change: Change, roster: Roster, model: Map<string, string | undefined>): void {
  if ('add' in change) {
    if (model.has(change.add)) return
    model.set(change.add, change.info)
    roster.add(change.add, change.info)
    return
  }
  const userId = [...model.keys()][change.remove] ?? 'nobody'
  model.delete(userId)
  roster.delete(userId)
}

function expected(model: ReadonlyMap<string, string | undefined>): string {
  const ids = [...model.keys()].map((id) => JSON.stringify(id)).join()
  const hash = [...model].map(([id, info]) => `${JSON.stringify(id)}:${info ?? 'null'}`).join()
  return JSON.stringify(`{"presence":{"count":${model.size},"ids":[${ids}],"hash":{${hash}}}}`).slice(1, -1)
}

/** Compared as text, which also tells `__proto__` as a key from no key at all. */
function same(frame: string, value: unknown): void {
  must(JSON.stringify(parseAny(frame)) === JSON.stringify(value), `${frame} says ${JSON.stringify(value)}`)
}
