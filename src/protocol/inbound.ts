import { errors, type ProtocolError } from './errors.js'
import { depthExceeds, memberSlice } from './json-slice.js'
import { isObject, parseObject } from './member.js'

/** What a client may say, decoded. Everything else is an `invalid` message that says how to answer. */
export type ClientMessage =
  | { readonly type: 'ping' }
  | { readonly type: 'pong' }
  | SubscribeMessage
  | { readonly type: 'unsubscribe'; readonly channel: string }
  | SigninMessage
  | ClientEventMessage
  | { readonly type: 'invalid'; readonly kind: 'malformed' | 'unknown'; readonly error: ProtocolError }

export interface SubscribeMessage {
  readonly type: 'subscribe'
  /** Any text; not yet checked as a channel name. */
  readonly channel: string
  /** Undefined when absent or empty (pusher-js sends `""` on public channels). */
  readonly auth: string | undefined
  /** The exact characters received; part of the signed text whenever present (3.1). */
  readonly channelData: string | undefined
}

export interface SigninMessage {
  readonly type: 'signin'
  readonly auth: string
  readonly userData: string
}

export interface ClientEventMessage {
  readonly type: 'client-event'
  readonly event: string
  readonly channel: string
  /** The payload as a JSON string literal: the received literal, or the exact received slice as a string (2.6). */
  readonly dataLiteral: string
  /** UTF-8 bytes of the payload. */
  readonly dataBytes: number
}

/** Levels of nesting allowed in a client event's frame: 64 in its data, and the frame's own object around it (2.6). */
const clientEventLevelsMax = 64 + 1

const ping: ClientMessage = { type: 'ping' }
const pong: ClientMessage = { type: 'pong' }

/** Decodes one text frame. Total: every text gives a message, none throws. */
export function decodeClientMessage(text: string): ClientMessage {
  const message = parseObject(text)
  const event = message?.['event']
  if (message === undefined || typeof event !== 'string') return invalid('malformed', errors.notJson())
  switch (event) {
    case 'pusher:ping':
      return ping
    case 'pusher:pong':
      return pong
    case 'pusher:subscribe':
      return decodeSubscribe(message)
    case 'pusher:unsubscribe':
      return decodeUnsubscribe(message)
    case 'pusher:signin':
      return decodeSignin(message)
    default:
      return event.startsWith('client-')
        ? decodeClientEvent(text, event, message)
        : invalid('unknown', errors.unknownEvent(event))
  }
}

function decodeSubscribe(message: Readonly<Record<string, unknown>>): ClientMessage {
  const data = dataObject(message)
  const channel = data?.['channel']
  if (data === undefined || typeof channel !== 'string') return missing('data.channel')
  const auth = data['auth']
  return {
    type: 'subscribe',
    channel,
    auth: typeof auth === 'string' && auth !== '' ? auth : undefined,
    channelData: textOf(data['channel_data']),
  }
}

function decodeUnsubscribe(message: Readonly<Record<string, unknown>>): ClientMessage {
  const channel = dataObject(message)?.['channel']
  return typeof channel === 'string' ? { type: 'unsubscribe', channel } : missing('data.channel')
}

function decodeSignin(message: Readonly<Record<string, unknown>>): ClientMessage {
  const data = dataObject(message)
  const auth = data?.['auth']
  const userData = data?.['user_data']
  if (typeof auth !== 'string') return missing('data.auth')
  if (typeof userData !== 'string') return missing('data.user_data')
  return { type: 'signin', auth, userData }
}

function decodeClientEvent(text: string, event: string, message: Readonly<Record<string, unknown>>): ClientMessage {
  const { channel, data } = message
  const slice = data === undefined ? undefined : memberSlice(text, 'data')
  if (typeof channel !== 'string' || slice === undefined || depthExceeds(text, clientEventLevelsMax)) {
    return invalid('malformed', errors.clientEventMalformed())
  }
  return typeof data === 'string'
    ? { type: 'client-event', event, channel, dataLiteral: slice, dataBytes: Buffer.byteLength(data) }
    : { type: 'client-event', event, channel, dataLiteral: JSON.stringify(slice), dataBytes: Buffer.byteLength(slice) }
}

/** The data of a pusher: event: an object, or the JSON text of one (2.1). */
function dataObject(message: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  const data = message['data']
  if (typeof data === 'string') return parseObject(data)
  return isObject(data) ? data : undefined
}

/** channel_data must be a string; anything else counts as an empty one, which fails the signature and so is answered. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  return typeof value === 'string' ? value : ''
}

function missing(path: string): ClientMessage {
  return invalid('malformed', errors.missingParameter(path))
}

function invalid(kind: 'malformed' | 'unknown', error: ProtocolError): ClientMessage {
  return { type: 'invalid', kind, error }
}
