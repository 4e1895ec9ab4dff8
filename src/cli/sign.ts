import { parseChannelName } from '../protocol/channel-name.js'
import { channelAuthText, HmacKey, userAuthText } from '../protocol/signature.js'
import { CommandError, type Call, type Command } from './command.js'
import { identityFlags, identityFor, type Identity } from './target.js'

/** Prints what an auth endpoint would answer, for a first test by hand. */
export const signCommand: Command = {
  name: 'sign',
  summary: 'Print the auth token of a channel or a user, as an auth endpoint would answer it.',
  operands: 'SOCKET_ID [CHANNEL]',
  operandsMin: 1,
  operandsMax: 2,
  flags: [
    { name: 'channel-data', value: 'JSON', description: 'Member data; a presence channel needs a user_id in it.' },
    { name: 'user', value: 'JSON', description: 'Sign a user in instead; the id is needed in it.' },
    ...identityFlags,
  ],
  examples: [
    ['sign 123.456 private-orders', 'For a private channel.'],
    [`sign 123.456 presence-room --channel-data '{"user_id":"7"}'`, 'For a presence channel.'],
    [`sign 123.456 --user '{"id":"7"}'`, 'For pusher:signin.'],
  ],
  async run(call, console) {
    const [socketId = '', channel] = call.operands
    if (!/^\d+\.\d+$/.test(socketId)) {
      throw new CommandError(`${socketId} is no socket id: it is two numbers with a dot, like 123.456.`, 2)
    }
    const user = call.flags['user']
    if ((user === undefined) === (channel === undefined)) {
      throw new CommandError('Sign either a channel or a user: give CHANNEL or --user.', 2)
    }
    const identity = identityFor(call, console)
    const answer =
      user === undefined ? channelAnswer(socketId, channel ?? '', call, identity) : userAnswer(socketId, user, identity)
    console.print(JSON.stringify(answer))
    return 0
  },
}

/** What an auth endpoint answers for a channel (3.1). */
export function channelToken(
  socketId: string,
  channel: string,
  channelData: string | undefined,
  identity: Identity,
): string {
  return `${identity.key}:${new HmacKey(identity.secret).sign(channelAuthText(socketId, channel, channelData))}`
}

function channelAnswer(socketId: string, channel: string, call: Call, identity: Identity): Record<string, string> {
  const traits = parseChannelName(channel)
  if (traits === undefined) throw new CommandError(`${channel} is no valid channel name.`, 2)
  const channelData = call.flags['channel-data']
  if (traits.auth === 'member' && channelData === undefined) {
    throw new CommandError(`${channel} is a presence channel: give --channel-data '{"user_id":"…"}'.`, 2)
  }
  if (channelData !== undefined) requireJsonObject('--channel-data', channelData)
  const auth = channelToken(socketId, channel, channelData, identity)
  return channelData === undefined ? { auth } : { auth, channel_data: channelData }
}

function userAnswer(socketId: string, user: string, { key, secret }: Identity): Record<string, string> {
  requireJsonObject('--user', user)
  return { auth: `${key}:${new HmacKey(secret).sign(userAuthText(socketId, user))}`, user_data: user }
}

function requireJsonObject(flag: string, text: string): void {
  if (!isJsonObject(text)) throw new CommandError(`${flag} must be a JSON object.`, 2)
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
