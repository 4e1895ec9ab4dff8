import { Agent } from 'node:https'
import { CommandError, type Command } from './command.js'
import { isLocal, originOf, targetFlags, targetOf, type Address } from './target.js'

/** Sends one event, as an application does: with the `pusher` library. */
export const triggerCommand: Command = {
  name: 'trigger',
  summary: 'Send an event to channels of a running server.',
  operands: 'CHANNEL[,CHANNEL…] EVENT [DATA]',
  operandsMin: 2,
  operandsMax: 3,
  flags: [{ name: 'socket-id', value: 'ID', description: 'The connection that must not get it.' }, ...targetFlags],
  examples: [
    [`trigger orders order.shipped '{"id":7}'`, 'One event to the server of belfry.yaml.'],
    ['trigger a,b hello --port 8080 --env-file .env', 'To two channels, as the app of a Laravel .env.'],
  ],
  async run(call, console) {
    const [channels = '', event = '', data = '{}'] = call.operands
    const target = targetOf(call, console)
    const { default: Pusher } = await import('pusher')
    const pusher = new Pusher({
      appId: target.appId,
      key: target.key,
      secret: target.secret,
      useTLS: target.secure,
      // The library has no setting for a path prefix; it takes the host as it is, and signs without it.
      host: `${originOf(target, 'http').replace(/^https?:\/\//, '')}${target.pathPrefix}`,
      timeout: 10_000,
      ...(target.secure && isLocal(target.host) ? { agent: new Agent({ rejectUnauthorized: false }) } : {}),
    })
    const socketId = call.flags['socket-id']
    try {
      await pusher.trigger(channels.split(','), event, data, socketId === undefined ? {} : { socket_id: socketId })
    } catch (error) {
      throw new CommandError(failureText(error, target))
    }
    console.print(`Sent ${event} to ${channels}.`)
    return 0
  },
}

/** The library's own text holds the signed address, which is nobody's business. */
function failureText(error: unknown, target: Address): string {
  const { status, body, error: cause } = error as { status?: unknown; body?: unknown; error?: unknown }
  if (typeof status === 'number') return `The server answered ${status}: ${String(body).trim()}`
  if (error instanceof Error && cause === undefined) return `${error.message}.`.replace(/\.\.$/, '.')
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer'
  return `No connection to ${originOf(target, 'http')} (${code}): is the server running?`
}
