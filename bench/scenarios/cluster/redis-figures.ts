/** Single figures of INFO. */
import type { RedisCommands } from '../../servers/server.js'

/** Bytes that Redis has allocated, its own buffers included. */
export function usedBytes(redis: RedisCommands): Promise<number> {
  return figure(redis, 'memory', 'used_memory')
}

/** Channels that somebody is subscribed to. */
export function subscribedChannels(redis: RedisCommands): Promise<number> {
  return figure(redis, 'stats', 'pubsub_channels')
}

async function figure(redis: RedisCommands, section: string, name: string): Promise<number> {
  const text = String(await redis.command('INFO', section))
  const found = new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1]
  if (found === undefined) throw new Error(`INFO ${section} has no ${name}`)
  return Number(found)
}
