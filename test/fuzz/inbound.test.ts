import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeClientMessage, type ClientMessage } from '../../src/protocol/inbound.js'
import { errorFrame } from '../../src/protocol/outbound.js'
import { hostileString, jsonText, literal, mutated, objectWith } from './hostile-text.js'
import { must, parseRecord } from './must.js'
import { runs } from './runs.js'

type Fields = Readonly<Record<string, unknown>>

const eventNames = [
  'pusher:ping',
  'pusher:pong',
  'pusher:subscribe',
  'pusher:unsubscribe',
  'pusher:signin',
  'client-a',
  'client-',
]

const payload = objectWith({
  channel: fc.oneof(hostileString.map(literal), jsonText),
  auth: fc.oneof(hostileString.map(literal), jsonText),
  channel_data: fc.oneof(hostileString.map(literal), jsonText),
  user_data: fc.oneof(hostileString.map(literal), jsonText),
})

const frame = mutated(
  objectWith({
    event: fc.oneof(fc.constantFrom(...eventNames).map(literal), fc.constantFrom(...eventNames).map(literal), jsonText),
    channel: fc.oneof(hostileString.map(literal), jsonText),
    data: fc.oneof(payload, payload.map(literal), jsonText),
  }),
)

describe('decodeClientMessage', () => {
  test(`${runs} frames, valid, nearly valid and not at all: total, and every result well-formed`, () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: frame }, { weight: 1, arbitrary: hostileString }), (text) => {
        const message = decodeClientMessage(text)
        seen.set(message.type, (seen.get(message.type) ?? 0) + 1)
        check(text, message)
      }),
      { numRuns: runs },
    )
    // A generator that never reaches a decoder's inside tests nothing.
    if (runs >= 10_000) {
      expect([...seen.keys()].sort()).toEqual(
        ['client-event', 'invalid', 'ping', 'pong', 'signin', 'subscribe', 'unsubscribe'].sort(),
      )
    }
  })
})

/** Compares with what `JSON.parse` sees; the decoder itself cuts slices out of the text. */
function check(text: string, message: ClientMessage): void {
  const value = parseRecord(text)
  switch (message.type) {
    case 'invalid':
      must(message.error.message !== '', 'an error says what is wrong')
      JSON.parse(errorFrame(message.error))
      return
    case 'client-event':
      must(value?.['event'] === message.event && message.event.startsWith('client-'), 'the event is the frame’s')
      must(value?.['channel'] === message.channel, 'the channel is the frame’s')
      checkData(text, value?.['data'], message.dataLiteral, message.dataBytes)
      return
    case 'subscribe': {
      const data = dataOf(value)
      must(data?.['channel'] === message.channel, 'the channel is that of data')
      must(
        message.auth === undefined || (message.auth !== '' && message.auth === data?.['auth']),
        'auth is that of data',
      )
      if (typeof data?.['channel_data'] === 'string')
        must(message.channelData === data['channel_data'], 'channel_data is exact')
      return
    }
    case 'unsubscribe':
      must(dataOf(value)?.['channel'] === message.channel, 'the channel is that of data')
      return
    case 'signin':
      must(dataOf(value)?.['auth'] === message.auth, 'auth is that of data')
      must(dataOf(value)?.['user_data'] === message.userData, 'user_data is exact')
      return
    case 'ping':
    case 'pong':
      must(value?.['event'] === `pusher:${message.type}`, 'the event is the frame’s')
  }
}

/** A string passes unchanged; of anything else the literal holds a slice of the frame that parses to the same value. */
function checkData(text: string, data: unknown, dataLiteral: string, dataBytes: number): void {
  const carried: unknown = JSON.parse(dataLiteral)
  must(dataLiteral.startsWith('"') && typeof carried === 'string', 'data is a JSON string literal')
  must(dataBytes === Buffer.byteLength(carried), 'its bytes are counted')
  if (typeof data === 'string') {
    must(carried === data && text.includes(dataLiteral), 'a string passes unchanged')
  } else {
    must(text.includes(carried), 'anything else is a slice of the frame')
    must(JSON.stringify(JSON.parse(carried)) === JSON.stringify(data), 'and the slice of data')
  }
}

function dataOf(frame: Fields | undefined): Fields | undefined {
  const data = frame?.['data']
  return typeof data === 'string' ? parseRecord(data) : (data as Fields | undefined)
}
