import { describe, expect, test } from 'vitest'
import { closeReasonBytesMax, codes } from '../../../src/protocol/codes.js'
import { errors, type ProtocolError } from '../../../src/protocol/errors.js'

/** Every error, made with short texts and numbers. */
const samples: [string, ProtocolError][] = Object.entries(errors).map(([name, make]) => {
  const args = Array.from({ length: make.length }, () => 'x')
  return [name, (make as (...args: unknown[]) => ProtocolError)(...args)]
})

describe('errors that clients are told (1.6)', () => {
  test.each([
    [errors.existingSubscription('CH'), null, 'Existing subscription to channel CH'],
    [errors.noSubscription('CH'), null, 'No current subscription to channel CH, or subscription in progress'],
    [
      errors.invalidSignature('STRING', 'GIVEN'),
      null,
      'Invalid signature: Expected HMAC SHA256 hex digest of STRING, but got GIVEN',
    ],
    [errors.invalidKey('KEY'), null, "Invalid key in subscription auth data: 'KEY'"],
    [errors.authRequired('CH'), null, 'Auth info required to subscribe to CH'],
    [
      errors.clientEventsDisabled(),
      null,
      'To send client events, you must enable this feature in the Settings page of your dashboard.',
    ],
    [errors.clientEventChannel(), null, 'Client event rejected - only supported on private and presence channels'],
    [
      errors.clientEventNotSubscribed('CH'),
      null,
      'Cannot broadcast client event (connection not subscribed to channel CH)',
    ],
    [errors.clientEventMalformed(), null, 'Invalid client event (must contain channel and data)'],
    [errors.unknownEvent('x'), null, 'Unsupported event received on socket: x'],
    [errors.missingParameter('data.user'), null, 'Missing parameter: data.user'],
    [errors.clientEventRate(), 4301, 'Client event rejected due to rate limit'],
    [errors.watchlistLimit(100), 4302, 'Watchlist limit exceeded. Only the first 100 user IDs are accepted.'],
    [errors.tlsOnly(), 4000, 'Application only accepts SSL connections, reconnect using wss://'],
    [errors.unknownKey('K'), 4001, 'App key K not in this cluster. Did you forget to specify the cluster?'],
    [errors.appDisabled(), 4003, 'Application disabled'],
    [errors.overQuota(), 4004, 'Application is over connection quota'],
    [errors.originNotAllowed(), 4009, 'Origin not allowed'],
    [errors.notAuthorizedInTime(), 4009, 'Connection not authorized within timeout'],
    [errors.overCapacity(), 4100, 'Over capacity'],
    [errors.restarting(), 4100, 'The server restarts: please reconnect after a second'],
    [errors.reconnect(), 4200, 'Please reconnect immediately'],
    [errors.pongNotReceived(), 4201, 'Pong reply not received'],
    [errors.versionRequired(), 4008, 'No protocol version supplied'],
  ])('has the code and the words that clients know: %j', (error, code, message) => {
    expect(error).toEqual({ code, message })
  })

  test.each(samples)(
    '%s has a known code or none, and a sentence that fits a close frame when it closes',
    (_name, error) => {
      expect(error.message).not.toBe('')
      if (error.code === null) return
      expect(Object.values(codes)).toContain(error.code)
      // Closing with 43xx would stop pusher-js for good, so these are events only and may be longer.
      if (error.code < 4300) expect(Buffer.byteLength(error.message)).toBeLessThanOrEqual(closeReasonBytesMax)
    },
  )

  test('what a client said is repeated only in part', () => {
    const long = 'x'.repeat(100_000)
    const repeating = [
      errors.existingSubscription(long),
      errors.noSubscription(long),
      errors.invalidSignature(long, long),
      errors.invalidKey(long),
      errors.authRequired(long),
      errors.invalidChannelName(long),
      errors.channelFull(long, 1),
      errors.subscriptionFailed(long),
      errors.notSignedInAs(long),
      errors.clientEventNotSubscribed(long),
      errors.unknownEvent(long),
      errors.unknownKey(long),
    ]
    for (const { message } of repeating) expect(message.length).toBeLessThan(700)
    expect(Buffer.byteLength(errors.unknownKey(long).message)).toBeLessThanOrEqual(closeReasonBytesMax)
  })
})

describe('codes (1.5)', () => {
  test('are in the ranges that clients act on', () => {
    const between = (low: number, high: number) =>
      Object.values(codes)
        .filter((code) => code >= low && code <= high)
        .sort()
    expect(between(4000, 4099)).toEqual([4000, 4001, 4003, 4004, 4005, 4007, 4008, 4009])
    expect(between(4100, 4199)).toEqual([4100])
    expect(between(4200, 4299)).toEqual([4200, 4201])
    expect(between(4300, 4399)).toEqual([4301, 4302])
    expect(between(0, 3999)).toEqual([1009])
  })
})
