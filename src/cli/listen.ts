import type { WebSocket } from 'ws'
import { parseChannelName } from '../protocol/channel-name.js'
import { CommandError, type Command, type Console } from './command.js'
import { channelToken } from './sign.js'
import { isLocal, originOf, targetFlags, targetOf, type Identity } from './target.js'
import { programVersion } from './version.js'

/** Subscribes to channels and prints what arrives; private and presence channels are signed with the app's secret. */
export const listenCommand: Command = {
  name: 'listen',
  summary: 'Subscribe to channels of a running server and print their events.',
  operands: 'CHANNEL…',
  operandsMin: 1,
  operandsMax: 100,
  flags: [
    { name: 'user', value: 'ID', description: 'user_id in presence channels (default: belfry-listen).' },
    ...targetFlags,
  ],
  examples: [
    ['listen orders', 'Events of a public channel.'],
    ['listen private-orders presence-room --user 7', 'The command signs for itself.'],
  ],
  async run(call, console) {
    for (const channel of call.operands) {
      if (parseChannelName(channel) === undefined) throw new CommandError(`${channel} is no valid channel name.`, 2)
    }
    const target = targetOf(call, console)
    const { WebSocket } = await import('ws')
    const path = `${target.pathPrefix}/app/${target.key}?protocol=7&client=belfry-listen&version=${programVersion()}`
    const socket = new WebSocket(`${originOf(target, 'ws')}${path}`, {
      rejectUnauthorized: !isLocal(target.host),
      handshakeTimeout: 10_000,
    })
    return listen(socket, call.operands, call.flags['user'] ?? 'belfry-listen', target, console)
  },
}

/** Resolves with the exit code once the connection is over. */
function listen(
  socket: WebSocket,
  channels: readonly string[],
  userId: string,
  identity: Identity,
  console: Console,
): Promise<number> {
  return new Promise((resolve) => {
    socket.on('message', (data: Buffer) => {
      const frame = readFrame(data.toString('utf8'))
      if (frame === undefined) return
      if (frame.event === 'pusher:ping') socket.send(JSON.stringify({ event: 'pusher:pong', data: {} }))
      if (frame.event === 'pusher:ping' || frame.event === 'pusher:pong') return
      console.print([frame.channel, frame.event, frame.data].filter((part) => part !== '').join('\t'))
      if (frame.event !== 'pusher:connection_established') return
      const socketId = socketIdOf(frame.data)
      for (const channel of channels) socket.send(subscribeFrame(channel, socketId, userId, identity))
    })
    socket.on('error', (error) => console.complain(`No connection: ${error.message}`))
    socket.on('close', (code, reason) => {
      console.complain(`Connection closed: ${code} ${reason.toString('utf8')}`.trimEnd())
      resolve(1)
    })
  })
}

interface Frame {
  readonly event: string
  readonly channel: string
  /** As text. */
  readonly data: string
}

function readFrame(text: string): Frame | undefined {
  const { event, channel, data } = recordOf(text)
  if (typeof event !== 'string') return undefined
  const dataText = typeof data === 'string' || data === undefined ? (data ?? '') : JSON.stringify(data)
  return { event, channel: typeof channel === 'string' ? channel : '', data: dataText }
}

function socketIdOf(data: string): string {
  const socketId = recordOf(data)['socket_id']
  return typeof socketId === 'string' ? socketId : ''
}

function subscribeFrame(channel: string, socketId: string, userId: string, identity: Identity): string {
  const auth = parseChannelName(channel)?.auth
  const channelData = auth === 'member' ? JSON.stringify({ user_id: userId }) : undefined
  const token = auth === 'none' ? '' : channelToken(socketId, channel, channelData, identity)
  return JSON.stringify({ event: 'pusher:subscribe', data: { channel, auth: token, channel_data: channelData } })
}

/** The object a text stands for; an empty one for any other text. */
function recordOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
