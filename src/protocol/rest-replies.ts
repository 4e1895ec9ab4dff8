/**
 * The bodies of the REST API's answers, by concatenation: for 200 users as fast as fast-json-stringify (14 against 16 µs), for
 * 2 000 channels four times as fast as JSON.stringify (80 against 300 µs), and without that library's 95 ms at start.
 */

/** What is told of a channel; an attribute that was not asked for, or does not apply, is undefined. */
export interface ChannelAttributes {
  readonly userCount?: number | undefined
  readonly subscriptionCount?: number | undefined
  /** The last event of a cache channel: null when there is none. */
  readonly cache?: { readonly data: string; readonly ttl: number } | null | undefined
}

/** `{"user_count":…,"subscription_count":…}`, with what is defined. */
export function attributesBody(attributes: ChannelAttributes): string {
  return `{${attributeMembers(attributes).join()}}`
}

/** GET /channels/NAME (4.6). */
export function channelBody(occupied: boolean, attributes: ChannelAttributes): string {
  return `{${[`"occupied":${occupied}`, ...attributeMembers(attributes)].join()}}`
}

/**
 * GET /channels without `info` (4.5): always an object.
 * @param names valid channel names: their alphabet (2.2) has nothing that JSON would escape
 */
export function channelNamesBody(names: Iterable<string>): string {
  const list = [...names]
  return list.length === 0 ? '{"channels":{}}' : `{"channels":{"${list.join('":{},"')}":{}}}`
}

/**
 * GET /channels with `info`, and POST /events with `info`: one member per channel (4.3, 4.5).
 * @param channels valid names, as above
 */
export function channelsBody(channels: Iterable<readonly [name: string, attributes: ChannelAttributes]>): string {
  let members = ''
  for (const [name, attributes] of channels) {
    members += `${members === '' ? '' : ','}"${name}":${attributesBody(attributes)}`
  }
  return `{"channels":{${members}}}`
}

/** POST /batch_events with `info`: one object per event, by index (4.4). */
export function batchBody(events: readonly ChannelAttributes[]): string {
  return `{"batch":[${events.map(attributesBody).join()}]}`
}

/** GET /channels/NAME/users (4.7). */
export function usersBody(userIds: readonly string[]): string {
  return userIds.length === 0 ? '{"users":[]}' : `{"users":[{"id":${userIds.map(quote).join('},{"id":')}}]}`
}

/** GET /connections (4.9). */
export function connectionsBody(connections: number): string {
  return `{"connections":${connections}}`
}

/** The deprecated GET /channels/NAME/stats (4.10). */
export function channelStatsBody(userCount: number | undefined, connectionCount: number): string {
  const users = userCount === undefined ? '' : `"user_count":${userCount},`
  return `{"occupied":${connectionCount > 0},${users}"connection_count":${connectionCount}}`
}

function attributeMembers(attributes: ChannelAttributes): string[] {
  const members: string[] = []
  if (attributes.userCount !== undefined) members.push(`"user_count":${attributes.userCount}`)
  if (attributes.subscriptionCount !== undefined) members.push(`"subscription_count":${attributes.subscriptionCount}`)
  if (attributes.cache !== undefined) members.push(`"cache":${JSON.stringify(attributes.cache)}`)
  return members
}

/** What needs no escaping: nearly every user id. */
const plainPattern = /^[\w\-=@,.;: ]*$/

function quote(text: string): string {
  return plainPattern.test(text) ? `"${text}"` : JSON.stringify(text)
}
