/**
 * Messages on the bus, version 1: one line of fields, a line break, and the body. What comes in is hostile until it is decoded.
 *
 * `1e ORIGIN EXCEPT SENT SEQUENCE` + frame            an event
 * `1r ORIGIN EXCEPT SENT SEQUENCE` + frame            a client event: its origin has delivered it already
 * `1c ORIGIN EXCEPT SENT SEQUENCE VERSION` + frame    an event that is kept as the topic's last one
 * `1a ORIGIN BEFORE VERSION` + user as JSON + line break + `:` and user info as JSON, or nothing     a member came
 * `1d ORIGIN BEFORE VERSION` + user as JSON + line break                                             a member is gone
 * `1n ORIGIN TOTAL` + nothing                         the subscriptions of the topic's channel, all nodes together, are so many now
 * `1o ID` + nothing                                   an entry was appended to the partition's outbox
 * `1x ORIGIN SENT` + message as JSON                  to all nodes
 *
 * ORIGIN is the node; EXCEPT a socket id or `-`; SENT ms of Redis's clock; SEQUENCE counts a topic's messages, so that a jump is a
 * gap; BEFORE and VERSION are those of the topic's members; ID is the entry's. Scripts write the numbers, and 1a, 1d and 1o as a whole.
 */
import type { ControlMessage, SocketId } from '../../core/ports/broker.js'
import { isEntryId } from '../../core/entry-id.js'

export type BusMessage =
  | {
      readonly type: 'event' | 'relay' | 'cached'
      readonly origin: string
      readonly except: SocketId | undefined
      readonly sentMs: number
      readonly sequence: number
      /** 0 unless cached. */
      readonly version: number
      readonly frame: string
    }
  | {
      readonly type: 'added' | 'removed'
      /** The version of the topic's last change before it; 0 = nobody was in it. */
      readonly before: number
      readonly version: number
      readonly userId: string
      readonly userInfo: string | undefined
    }
  | { readonly type: 'counted'; readonly total: number }
  | { readonly type: 'appended'; readonly id: string }
  | { readonly type: 'control'; readonly control: ControlMessage }

/** The part of an event's message before its numbers; the script appends them and `bodyOf`. */
export function eventHead(type: 'e' | 'r' | 'c', origin: string, except: SocketId | undefined, sentMs: number): string {
  return `1${type} ${origin} ${except ?? '-'} ${Math.round(sentMs)} `
}

/** The part of a count's message before its number; the script appends it and a line break. */
export function countedHead(origin: string): string {
  return `1n ${origin} `
}

export function controlMessage(origin: string, sentMs: number, control: ControlMessage): string {
  return `1x ${origin} ${Math.round(sentMs)}\n${JSON.stringify(control)}`
}

/** User info as scripts and rosters keep it. */
export function storedInfo(userInfo: string | undefined): string {
  return userInfo === undefined ? '' : `:${userInfo}`
}

export function infoOf(stored: string): string | undefined {
  return stored.startsWith(':') ? stored.slice(1) : undefined
}

/** Undefined for whatever is not a message of this version. */
export function decodeMessage(payload: string): BusMessage | undefined {
  const lineEnd = payload.indexOf('\n')
  if (lineEnd === -1 || lineEnd > 200) return undefined
  const fields = payload.slice(0, lineEnd).split(' ')
  const body = payload.slice(lineEnd + 1)
  const [kind = ''] = fields
  switch (kind) {
    case '1e':
      return eventOf('event', fields, 5, body)
    case '1r':
      return eventOf('relay', fields, 5, body)
    case '1c':
      return eventOf('cached', fields, 6, body)
    case '1a':
      return memberOf('added', fields, body)
    case '1d':
      return memberOf('removed', fields, body)
    case '1n':
      return countedOf(fields, body)
    case '1o':
      return appendedOf(fields, body)
    case '1x':
      return fields.length === 3 ? controlOf(body) : undefined
    default:
      return undefined
  }
}

function eventOf(
  type: 'event' | 'relay' | 'cached',
  fields: readonly string[],
  length: number,
  frame: string,
): BusMessage | undefined {
  const [, origin = '', exceptField = '', sent = '', sequence = '', version = '0'] = fields
  const sentMs = wholeNumber(sent)
  const sequenceNumber = wholeNumber(sequence)
  const versionNumber = wholeNumber(version)
  if (fields.length !== length || origin === '' || !(sentMs >= 0 && sequenceNumber >= 1 && versionNumber >= 0)) {
    return undefined
  }
  const except = exceptField === '-' ? undefined : exceptField
  return { type, origin, except, sentMs, sequence: sequenceNumber, version: versionNumber, frame }
}

function memberOf(type: 'added' | 'removed', fields: readonly string[], body: string): BusMessage | undefined {
  const before = wholeNumber(fields[2] ?? '')
  const version = wholeNumber(fields[3] ?? '')
  const userEnd = body.indexOf('\n')
  if (fields.length !== 4 || userEnd === -1 || !(before >= 0 && version > before)) return undefined
  const userId = parsed(body.slice(0, userEnd))
  const userInfo = infoOf(body.slice(userEnd + 1))
  if (typeof userId !== 'string' || !isJsonOrNone(userInfo)) return undefined
  return { type, before, version, userId, userInfo }
}

function countedOf(fields: readonly string[], body: string): BusMessage | undefined {
  const [, origin = '', total = ''] = fields
  const number = wholeNumber(total)
  if (fields.length !== 3 || origin === '' || body !== '' || !Number.isSafeInteger(number)) return undefined
  return { type: 'counted', total: number }
}

function appendedOf(fields: readonly string[], body: string): BusMessage | undefined {
  const [, id = ''] = fields
  return fields.length === 2 && body === '' && isEntryId(id) ? { type: 'appended', id } : undefined
}

function controlOf(body: string): BusMessage | undefined {
  const control = parsed(body)
  if (typeof control !== 'object' || control === null) return undefined
  const { type, appId, userId } = control as Record<string, unknown>
  if (type !== 'terminate-user' || typeof appId !== 'string' || typeof userId !== 'string') return undefined
  return { type: 'control', control: { type, appId, userId } }
}

/** It is put into frames as it is, so it must be JSON. */
export function isJsonOrNone(userInfo: string | undefined): boolean {
  return userInfo === undefined || parsed(userInfo) !== undefined
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch (_notJson) {
    return undefined
  }
}

/** NaN when it is none. */
export function wholeNumber(text: string): number {
  if (text === '' || text.length > 16) return Number.NaN
  let number = 0
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    number = 10 * number + digit
  }
  return number
}
