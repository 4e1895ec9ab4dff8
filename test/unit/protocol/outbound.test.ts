import { describe, expect, test } from 'vitest'
import * as frames from '../../../src/protocol/outbound.js'
import { errors } from '../../../src/protocol/errors.js'

/** A frame as a client decodes it: every `data` but that of pusher:error is a string. */
function decoded(frame: string): { event: string; channel?: string; data: string; user_id?: string } {
  const message = JSON.parse(frame) as { event: string; channel?: string; data: string; user_id?: string }
  expect(typeof message.data).toBe('string')
  return message
}

const awkward = ['"', '\\', '\n\u0000\u001f', 'ü漢🎉', '\u2028\u2029', '</script>', '__proto__', '\ud800', '{}', ' ']

describe('frames to clients (2.11)', () => {
  test('are exactly these texts', () => {
    expect(frames.connectionEstablishedFrame('1.2', 30)).toBe(
      '{"event":"pusher:connection_established","data":"{\\"socket_id\\":\\"1.2\\",\\"activity_timeout\\":30}"}',
    )
    expect(frames.pingFrame).toBe('{"event":"pusher:ping","data":"{}"}')
    expect(frames.pongFrame).toBe('{"event":"pusher:pong","data":"{}"}')
    expect(frames.subscriptionSucceededFrame('a')).toBe(
      '{"event":"pusher_internal:subscription_succeeded","channel":"a","data":"{}"}',
    )
    expect(frames.cacheMissFrame('cache-a')).toBe('{"event":"pusher:cache_miss","channel":"cache-a","data":"{}"}')
    expect(frames.subscriptionCountFrame('a', 42)).toBe(
      '{"event":"pusher_internal:subscription_count","channel":"a","data":"{\\"subscription_count\\":42}"}',
    )
    expect(frames.memberRemovedFrame('presence-a', 'u1')).toBe(
      '{"event":"pusher_internal:member_removed","channel":"presence-a","data":"{\\"user_id\\":\\"u1\\"}"}',
    )
    expect(frames.memberAddedFrame('presence-a', 'u1', '{"name":"A"}')).toBe(
      '{"event":"pusher_internal:member_added","channel":"presence-a","data":"{\\"user_id\\":\\"u1\\",\\"user_info\\":{\\"name\\":\\"A\\"}}"}',
    )
    expect(frames.watchlistFrame(['7'], ['8'])).toBe(
      '{"event":"pusher_internal:watchlist_events","data":"{\\"events\\":[{\\"name\\":\\"online\\",\\"user_ids\\":[\\"7\\"]},{\\"name\\":\\"offline\\",\\"user_ids\\":[\\"8\\"]}]}"}',
    )
    expect(frames.signinSuccessFrame('{"id":"12345","user_info":{},"watchlist":["7"]}')).toBe(
      '{"event":"pusher:signin_success","data":"{\\"user_data\\":\\"{\\\\\\"id\\\\\\":\\\\\\"12345\\\\\\",\\\\\\"user_info\\\\\\":{},\\\\\\"watchlist\\\\\\":[\\\\\\"7\\\\\\"]}\\"}"}',
    )
  })

  test('an error is the one event whose data is an object', () => {
    expect(frames.errorFrame({ code: 4301, message: 'a "b"' })).toBe(
      '{"event":"pusher:error","data":{"code":4301,"message":"a \\"b\\""}}',
    )
    expect(JSON.parse(frames.errorFrame(errors.notJson()))).toMatchObject({ data: { code: null } })
  })

  test('a refused subscription tells type, error and status, of any text that was meant as a channel', () => {
    for (const channel of awkward) {
      const refusal = { type: 'AuthError', status: 401, error: errors.authRequired(channel) } as const
      const message = decoded(frames.subscriptionErrorFrame(channel, refusal))
      expect(message).toMatchObject({ event: 'pusher:subscription_error', channel })
      expect(JSON.parse(message.data)).toEqual({ type: 'AuthError', error: refusal.error.message, status: 401 })
    }
  })

  test('empty lists of a watchlist are left out; without any there is no frame', () => {
    expect(JSON.parse(decoded(frames.watchlistFrame([], ['a'])!).data)).toEqual({
      events: [{ name: 'offline', user_ids: ['a'] }],
    })
    expect(JSON.parse(decoded(frames.watchlistFrame(['a'], [])!).data)).toEqual({
      events: [{ name: 'online', user_ids: ['a'] }],
    })
    expect(frames.watchlistFrame([], [])).toBeUndefined()
  })

  test('a member without user_info has no such key', () => {
    expect(JSON.parse(decoded(frames.memberAddedFrame('presence-a', 'u', undefined)).data)).toEqual({ user_id: 'u' })
    expect(JSON.parse(decoded(frames.memberAddedFrame('presence-a', 'u', 'null')).data)).toEqual({
      user_id: 'u',
      user_info: null,
    })
  })

  test.each(awkward)('whatever a peer says stays what it is: %j', (text) => {
    const literal = JSON.stringify(text)
    expect(decoded(frames.eventFrame(literal, 'a', literal))).toEqual({ event: text, channel: 'a', data: text })
    expect(decoded(frames.clientEventFrame(`client-${text}`, 'a', literal, text))).toEqual({
      event: `client-${text}`,
      channel: 'a',
      data: text,
      user_id: text,
    })
    expect(decoded(frames.clientEventFrame('client-x', 'a', literal, undefined))).not.toHaveProperty('user_id')
    expect(JSON.parse(decoded(frames.memberAddedFrame('a', text, literal)).data)).toEqual({
      user_id: text,
      user_info: text,
    })
    expect(JSON.parse(decoded(frames.memberRemovedFrame('a', text)).data)).toEqual({ user_id: text })
    expect(JSON.parse(decoded(frames.signinSuccessFrame(text)).data)).toEqual({ user_data: text })
  })

  test('the keys of an event come in the order event, channel, data, user_id', () => {
    expect(frames.eventFrame('"e"', 'a', '"x"')).toBe('{"event":"e","channel":"a","data":"x"}')
    expect(frames.clientEventFrame('client-x', 'a', '"x"', 'u')).toBe(
      '{"event":"client-x","channel":"a","data":"x","user_id":"u"}',
    )
  })
})
