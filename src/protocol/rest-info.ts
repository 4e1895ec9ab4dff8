import { refuse, restErrors, type Refusal } from './rest-errors.js'

/** The attributes a request asks for with `info` (4.3, 4.5, 4.6). */
export interface Info {
  readonly userCount: boolean
  readonly subscriptionCount: boolean
  /** The last event; only for one channel (4.6). */
  readonly cache: boolean
}

export const noInfo: Info = { userCount: false, subscriptionCount: false, cache: false }

/** What may be asked in triggers and lists. */
export const countAttributes: readonly string[] = ['user_count', 'subscription_count']
/** What may be asked of one channel. */
export const channelAttributes: readonly string[] = [...countAttributes, 'cache']

/** Reads a comma-separated list. Empty or absent asks for nothing; an attribute that is not allowed is refused. */
export function decodeInfo(text: string | undefined, allowed: readonly string[]): Info | Refusal {
  if (text === undefined || text === '') return noInfo
  const asked = new Set<string>()
  for (const piece of text.split(',')) {
    const attribute = piece.trim()
    if (!allowed.includes(attribute)) return refuse(restErrors.unknownInfo, attribute, allowed.join(', '))
    asked.add(attribute)
  }
  return {
    userCount: asked.has('user_count'),
    subscriptionCount: asked.has('subscription_count'),
    cache: asked.has('cache'),
  }
}
