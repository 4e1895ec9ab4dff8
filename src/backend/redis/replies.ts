import type { StoredMember } from './announced-roster.js'
import { infoOf, isJsonOrNone, wholeNumber } from './wire.js'

/** Replies of Redis as typed values. Data of another kind than expected is somebody else's, and reads as empty. */

export function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? (reply as unknown[]) : []
}

export function textOf(reply: unknown): string {
  return typeof reply === 'string' ? reply : typeof reply === 'number' ? String(reply) : ''
}

export function textsOf(reply: unknown): string[] {
  return listOf(reply).filter((item) => typeof item === 'string')
}

export function numberOf(reply: unknown): number {
  const number = typeof reply === 'number' ? reply : Number(textOf(reply))
  return Number.isFinite(number) ? number : 0
}

/** The fields and values of a hash. */
export function pairsOf(reply: unknown): Map<string, string> {
  const items = listOf(reply)
  const pairs = new Map<string, string>()
  for (let index = 0; index + 1 < items.length; index += 2) pairs.set(textOf(items[index]), textOf(items[index + 1]))
  return pairs
}

/** A roster as lib-members.lua keeps it: user → `ORDER` and, when the user gave any, `:` and user info. */
export function membersOf(reply: unknown): StoredMember[] {
  const members: StoredMember[] = []
  for (const [userId, value] of pairsOf(reply)) {
    const colon = value.indexOf(':')
    const order = wholeNumber(colon === -1 ? value : value.slice(0, colon))
    const userInfo = colon === -1 ? undefined : infoOf(value.slice(colon))
    if (order >= 0 && isJsonOrNone(userInfo)) members.push({ userId, userInfo, order })
  }
  return members
}
