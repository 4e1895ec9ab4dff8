import { isUtf8 } from 'node:buffer'
import { parseChannelName, type ChannelTraits } from './channel-name.js'
import { elementSlices, memberSlice } from './json-slice.js'
import { Refusal, refuse, restErrors } from './rest-errors.js'
import { countAttributes, decodeInfo, type Info } from './rest-info.js'
import type { Params } from './rest-query.js'

/** The bounds of a trigger, from the app's limits. */
export interface TriggerLimits {
  readonly channelNameLength: number
  readonly eventNameLength: number
  readonly eventBytes: number
  readonly channelsPerTrigger: number
  readonly batchEvents: number
}

/** One event, valid in every respect. */
export interface RestEvent {
  readonly name: string
  /** Valid, distinct names in the order received. */
  readonly channels: readonly string[]
  readonly data: string
  readonly socketId: string | undefined
  /** Undefined when the request asked for nothing: then the answer is `{}`. */
  readonly info: Info | undefined
}

/** An object that `JSON.parse` made: its members are its own, whatever they are called. */
type Fields = Readonly<Record<string, unknown>>

const socketIdPattern = /^\d+\.\d+$/

/**
 * The event of POST /events (4.3): from the body, or from the query when there is no body (4.2).
 * @param body the exact bytes received
 */
export function decodeEvent(body: Buffer, params: Params, limits: TriggerLimits): RestEvent | Refusal {
  if (body.length === 0) return decodeFields(fieldsOf(params), decodeChannels, noSlice, limits)
  const parsed = parseBody(body)
  if (parsed instanceof Refusal) return parsed
  return decodeFields(parsed.fields, decodeChannels, () => memberSlice(parsed.text, 'data'), limits)
}

/** The events of POST /batch_events (4.4): all valid, or refused as a whole. */
export function decodeBatch(body: Buffer, limits: TriggerLimits): readonly RestEvent[] | Refusal {
  const parsed = parseBody(body)
  if (parsed instanceof Refusal) return parsed
  const elements = listOf(parsed.fields['batch'], 'batch', 'a list of events')
  if (elements instanceof Refusal) return elements
  if (elements.length > limits.batchEvents) return refuse(restErrors.batchTooLarge, elements.length, limits.batchEvents)
  const sliceOfData = batchDataSlices(parsed.text)
  const events: RestEvent[] = []
  for (const [index, element] of elements.entries()) {
    if (!isFields(element)) return refuse(restErrors.wrongType, `batch[${index}]`, 'an object')
    const event = decodeFields(element, decodeOneChannel, () => sliceOfData(index), limits)
    if (event instanceof Refusal) return event
    events.push(event)
  }
  return events
}

/** The event of the deprecated POST /channels/NAME/events (4.10): the body is the data, the rest is in the query. */
export function decodeChannelEvent(
  body: Buffer,
  channel: string,
  params: Params,
  limits: TriggerLimits,
): RestEvent | Refusal {
  if (!isUtf8(body)) return refuse(restErrors.invalidUtf8)
  const fields = { name: params.get('name'), data: body.toString('utf8'), channel, socket_id: params.get('socket_id') }
  return decodeFields(fields, decodeOneChannel, noSlice, limits)
}

/** The traits of a channel name, or why it is refused (2.2). The length limit does not count for `#server-to-user-ID` (2.8). */
export function decodeChannel(name: string, lengthMax: number): ChannelTraits | Refusal {
  const traits = parseChannelName(name)
  if (traits === undefined) return refuse(restErrors.invalidChannel, name)
  return name.length > lengthMax && traits.auth !== 'user'
    ? refuse(restErrors.channelTooLong, name.length, lengthMax)
    : traits
}

function decodeFields(
  fields: Fields,
  channelsOf: (fields: Fields, limits: TriggerLimits) => readonly string[] | Refusal,
  dataSlice: () => string | undefined,
  limits: TriggerLimits,
): RestEvent | Refusal {
  const name = decodeName(fields['name'], limits)
  if (name instanceof Refusal) return name
  const data = decodeData(fields['data'], dataSlice, limits)
  if (data instanceof Refusal) return data
  const channels = channelsOf(fields, limits)
  if (channels instanceof Refusal) return channels
  const socketId = decodeSocketId(fields['socket_id'])
  if (socketId instanceof Refusal) return socketId
  const info = decodeEventInfo(fields['info'])
  if (info instanceof Refusal) return info
  return { name, channels, data, socketId, info }
}

function decodeName(name: unknown, limits: TriggerLimits): string | Refusal {
  if (isAbsent(name) || name === '') return refuse(restErrors.missingParameter, 'name')
  if (typeof name !== 'string') return refuse(restErrors.wrongType, 'name', 'a string')
  if (name.length > limits.eventNameLength)
    return refuse(restErrors.eventNameTooLong, name.length, limits.eventNameLength)
  return name.startsWith('pusher:') || name.startsWith('pusher_internal:')
    ? refuse(restErrors.reservedEventName, name)
    : name
}

/** A string as it is; of anything else, `null` included, the exact text of the request (4.3). */
function decodeData(data: unknown, dataSlice: () => string | undefined, limits: TriggerLimits): string | Refusal {
  const text = typeof data === 'string' || data === undefined ? data : dataSlice()
  if (text === undefined) return refuse(restErrors.missingParameter, 'data')
  return bytesExceed(text, limits.eventBytes) ? refuse(restErrors.dataTooLarge, limits.eventBytes) : text
}

/** Whether the text has more UTF-8 bytes; counted only when its length leaves it open (one to three bytes per UTF-16 unit). */
function bytesExceed(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return true
  return text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax
}

/** The field of a batch's event and of the old endpoint: exactly one `channel` (4.4). */
function decodeOneChannel(fields: Fields, limits: TriggerLimits): readonly string[] | Refusal {
  const channel = fields['channel']
  if (isAbsent(channel)) return refuse(restErrors.missingParameter, 'channel')
  if (typeof channel !== 'string') return refuse(restErrors.wrongType, 'channel', 'a string')
  const traits = decodeChannel(channel, limits.channelNameLength)
  return traits instanceof Refusal ? traits : [channel]
}

/** `channels`, or `channel` in its place. swift sends null for the unused one (4.3). */
function decodeChannels(fields: Fields, limits: TriggerLimits): readonly string[] | Refusal {
  if (isAbsent(fields['channels'])) return decodeOneChannel(fields, limits)
  const channels = listOf(fields['channels'], 'channels', 'a list of strings')
  if (channels instanceof Refusal) return channels
  if (channels.length === 0) return refuse(restErrors.noChannels)
  if (channels.length > limits.channelsPerTrigger) {
    return refuse(restErrors.tooManyChannels, channels.length, limits.channelsPerTrigger)
  }
  const [only] = channels
  if (channels.length === 1 && typeof only === 'string') return decodeOneChannel({ channel: only }, limits)
  const distinct = new Set<string>()
  for (const channel of channels) {
    if (typeof channel !== 'string') return refuse(restErrors.wrongType, 'channels', 'a list of strings')
    const traits = decodeChannel(channel, limits.channelNameLength)
    if (traits instanceof Refusal) return traits
    distinct.add(channel)
  }
  return [...distinct]
}

function decodeSocketId(socketId: unknown): string | undefined | Refusal {
  if (isAbsent(socketId)) return undefined
  if (typeof socketId !== 'string') return refuse(restErrors.wrongType, 'socket_id', 'a string')
  return socketIdPattern.test(socketId) ? socketId : refuse(restErrors.invalidSocketId, socketId)
}

function decodeEventInfo(info: unknown): Info | undefined | Refusal {
  if (isAbsent(info) || info === '') return undefined
  return typeof info === 'string' ? decodeInfo(info, countAttributes) : refuse(restErrors.wrongType, 'info', 'a string')
}

function parseBody(body: Buffer): { readonly text: string; readonly fields: Fields } | Refusal {
  if (!isUtf8(body)) return refuse(restErrors.invalidUtf8)
  const text = body.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse(restErrors.invalidJson)
  }
  return isFields(value) ? { text, fields: value } : refuse(restErrors.bodyNotObject)
}

/** The parameters of POST /events when they are in the query: lists are repeated names ending in `[]`. */
function fieldsOf(params: Params): Fields {
  const list = params.all('channels[]')
  return {
    name: params.get('name'),
    data: params.get('data'),
    channels: list.length > 0 ? list : params.get('channels'),
    channel: params.get('channel'),
    socket_id: params.get('socket_id'),
    info: params.get('info'),
  }
}

function listOf(value: unknown, name: string, type: string): readonly unknown[] | Refusal {
  if (isAbsent(value)) return refuse(restErrors.missingParameter, name)
  return Array.isArray(value) ? value : refuse(restErrors.wrongType, name, type)
}

/** The exact text of `data` in the batch's events, by index; the batch is cut into pieces once, and only if somebody asks. */
function batchDataSlices(text: string): (index: number) => string | undefined {
  let slices: readonly string[] | undefined
  return (index) => {
    slices ??= elementSlices(memberSlice(text, 'batch') ?? '')
    return memberSlice(slices[index] ?? '', 'data')
  }
}

function noSlice(): undefined {
  return undefined
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
