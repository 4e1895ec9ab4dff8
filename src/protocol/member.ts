import { errors, type ProtocolError } from './errors.js'
import { memberSlice } from './json-slice.js'

/** Bounds of one member, from the app's limits. */
export interface MemberLimits {
  readonly presenceUserIdLength: number
  readonly presenceMemberBytes: number
}

export type DecodedMember =
  | { readonly ok: true; readonly userId: string; readonly userInfo: string | undefined }
  | { readonly ok: false; readonly kind: 'invalid' | 'limit'; readonly error: ProtocolError }

/**
 * A member from the channel_data of a subscribe message (2.5): the JSON text of `{"user_id":…,"user_info":…}`.
 * `userInfo` is the exact slice of that text, never re-serialised; a numeric user_id becomes its decimal string.
 */
export function decodeMember(channelData: string, limits: MemberLimits): DecodedMember {
  const parsed = parseObject(channelData)
  const userId = parsed === undefined ? undefined : decodeUserId(parsed['user_id'], channelData)
  if (parsed === undefined || userId === undefined) return { ok: false, kind: 'invalid', error: errors.invalidMember() }
  const userInfo = parsed['user_info'] === undefined ? undefined : memberSlice(channelData, 'user_info')
  return checkMember(userId, userInfo, limits)
}

/** Applies the limits to a member that is known already, for instance from the user's sign-in. */
export function checkMember(userId: string, userInfo: string | undefined, limits: MemberLimits): DecodedMember {
  if (userId.length > limits.presenceUserIdLength) {
    return { ok: false, kind: 'limit', error: errors.userIdTooLong(userId.length, limits.presenceUserIdLength) }
  }
  const infoBytes = userInfo === undefined ? 0 : Buffer.byteLength(userInfo)
  if (infoBytes > limits.presenceMemberBytes) {
    return { ok: false, kind: 'limit', error: errors.memberTooLarge(infoBytes, limits.presenceMemberBytes) }
  }
  return { ok: true, userId, userInfo }
}

/** The object a JSON text holds, or undefined when it holds anything else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function decodeUserId(value: unknown, text: string): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  if (typeof value !== 'number') return undefined
  const written = memberSlice(text, 'user_id')
  return written !== undefined && /^-?\d+$/.test(written) ? written : String(value)
}
