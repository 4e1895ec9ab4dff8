import { isValidUserId, userIdLengthMax } from './channel-name.js'
import { memberSlice } from './json-slice.js'
import { parseObject } from './member.js'

/** The decoded user_data of a sign-in (2.8). */
export type DecodedUser =
  | {
      readonly ok: true
      readonly id: string
      readonly userInfo: string | undefined
      readonly watchlist: readonly string[]
    }
  | { readonly ok: false; readonly reason: string }

/**
 * Decodes `{"id":…,"user_info":…,"watchlist":[…]}`. `userInfo` is the exact slice of the text; ids of the watchlist that can
 * belong to no user are left out, repeated ones count once.
 */
export function decodeUserData(text: string): DecodedUser {
  const user = parseObject(text)
  if (user === undefined) return { ok: false, reason: 'user_data must be the JSON text of an object' }
  const id = user['id']
  if (typeof id !== 'string' || !isValidUserId(id)) {
    return {
      ok: false,
      reason: `the id in user_data must be a string of 1 to ${userIdLengthMax} letters, digits and _ - = @ , . ;`,
    }
  }
  const userInfo = user['user_info'] === undefined ? undefined : memberSlice(text, 'user_info')
  return { ok: true, id, userInfo, watchlist: decodeWatchlist(user['watchlist']) }
}

function decodeWatchlist(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  const ids = value.filter((id): id is string => typeof id === 'string' && isValidUserId(id))
  return [...new Set(ids)]
}
