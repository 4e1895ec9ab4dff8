/**
 * What a channel is, read from its name once (2.2). Kinds are data: each trait is looked at in one place of the core, so that
 * `private-encrypted-cache-x` needs no code of its own.
 */
export interface ChannelTraits {
  /** What a subscriber must prove: nothing, a signature, a signature with member data, or to be signed in as the user. */
  readonly auth: 'none' | 'signature' | 'member' | 'user'
  readonly presence: boolean
  readonly encrypted: boolean
  readonly cache: boolean
  /** Whether client events are allowed on it (2.6, rule 3). */
  readonly clientEvents: boolean
  /** `#` channels are left out of channel lists, occupancy and subscription counts (2.8). */
  readonly listed: boolean
}

const publicChannel: ChannelTraits = traits('none', {})
const publicCache: ChannelTraits = traits('none', { cache: true })
const privateChannel: ChannelTraits = traits('signature', { clientEvents: true })
const privateCache: ChannelTraits = traits('signature', { clientEvents: true, cache: true })
const encrypted: ChannelTraits = traits('signature', { encrypted: true })
const encryptedCache: ChannelTraits = traits('signature', { encrypted: true, cache: true })
const presence: ChannelTraits = traits('member', { presence: true, clientEvents: true })
const presenceCache: ChannelTraits = traits('member', { presence: true, clientEvents: true, cache: true })
const userChannel: ChannelTraits = traits('user', { listed: false })

const namePattern = /^[A-Za-z0-9_\-=@,.;]+$/
const userChannelPrefix = '#server-to-user-'

/** The traits of a valid name, or undefined when the alphabet forbids the name. Length is the app's limit, not checked here. */
export function parseChannelName(name: string): ChannelTraits | undefined {
  if (!namePattern.test(name)) return userOfChannel(name) === undefined ? undefined : userChannel
  if (name.startsWith('private-encrypted-')) return name.startsWith('cache-', 18) ? encryptedCache : encrypted
  if (name.startsWith('private-')) return name.startsWith('cache-', 8) ? privateCache : privateChannel
  if (name.startsWith('presence-')) return name.startsWith('cache-', 9) ? presenceCache : presence
  return name.startsWith('cache-') ? publicCache : publicChannel
}

/** Whether a valid name is one of a cache channel; cheaper than all traits, because nearly no name holds the word. */
export function isCacheChannel(name: string): boolean {
  return name.includes('cache-') && parseChannelName(name)?.cache === true
}

/** The user id of `#server-to-user-ID`, or undefined when the name is no such channel. */
export function userOfChannel(name: string): string | undefined {
  if (!name.startsWith(userChannelPrefix)) return undefined
  const userId = name.slice(userChannelPrefix.length)
  return namePattern.test(userId) && userId.length <= userIdLengthMax ? userId : undefined
}

/** Whether a signed-in user's id keeps the alphabet and length of 2.8. */
export function isValidUserId(userId: string): boolean {
  return namePattern.test(userId) && userId.length <= userIdLengthMax
}

/** Characters of a signed-in user's id: what the python and go libraries allow (2.8). */
export const userIdLengthMax = 200

function traits(auth: ChannelTraits['auth'], some: Partial<ChannelTraits>): ChannelTraits {
  return { auth, presence: false, encrypted: false, cache: false, clientEvents: false, listed: true, ...some }
}
