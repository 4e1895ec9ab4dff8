/** The figures of the sizing model in docs/scaling.md: what one channel, node, member and connection takes. */
import { setTimeout as wait } from 'node:timers/promises'
import { orStall } from '../../load/lanes.js'
import { spread } from '../../load/load.js'
import type { Load } from '../../load/load.js'
import { perUnit } from '../../measure/meter.js'
import type { Measured } from '../../measure/meter.js'
import type { Reading, Scenario } from '../../scenario.js'
import type { RedisCommands } from '../../servers/server.js'
import { openChannels } from './open-channels.js'
import { subscribedChannels, usedBytes } from './redis-figures.js'

const channels = 20_000
const rooms = 20
const members = 100
/** Longer than a node keeps a channel that nobody here listens to any more. */
const givenUpMs = 20_000
const idleMs = 4_000

/** Channels without an end, each first at one node and then at the other as well. */
const channelCosts: Scenario = {
  name: 'cluster-channels',
  rows: ['cluster-subscribe', 'cluster-channel-bytes', 'cluster-node-bytes'],
  quick: false,
  async run({ load, meter, redis }) {
    await openChannels(load, 2_000, spread, (index) => `warm-${index}`)
    await wait(500)
    const before = redis === undefined ? 0 : await usedBytes(redis)
    const opening = await meter.cpu(() => openChannels(load, channels, spread))
    const readings = [per('cluster-subscribe', opening, channels)]
    if (redis === undefined) return readings
    await wait(500)
    const once = await usedBytes(redis)
    await openChannels(load, channels, (connection) => connection + 1)
    await wait(500)
    const twice = await usedBytes(redis)
    readings.push({ row: 'cluster-channel-bytes', value: (once - before) / channels, operations: channels })
    readings.push({ row: 'cluster-node-bytes', value: (twice - once) / channels, operations: channels })
    return readings
  },
}

/** Members of presence channels, on both nodes. */
const memberCosts: Scenario = {
  name: 'cluster-members',
  rows: ['cluster-member-bytes'],
  quick: false,
  needsRedis: true,
  async run({ load, redis }) {
    if (redis === undefined) throw new Error('no Redis')
    await enter(load, 'warm', 1, 10)
    await wait(500)
    const before = await usedBytes(redis)
    await enter(load, 'room', rooms, members)
    await wait(500)
    const count = rooms * members
    const value = ((await usedBytes(redis)) - before) / count
    return [{ row: 'cluster-member-bytes', value, operations: count }]
  },
}

/** A page is opened and closed: connection, one private channel of its own, and everything that is cleared away afterwards. */
const connectionCosts: Scenario = {
  name: 'cluster-connect',
  rows: ['cluster-connect', 'cluster-idle'],
  quick: false,
  async run({ load, meter, pace, redis }) {
    let connected = 0
    const open = (count: number) =>
      orStall(
        load.clients(
          count,
          async (client) => {
            connected += 1
            await client.subscribe(`private-user.${connected}`)
          },
          spread,
        ),
        () => connected,
      )
    await open(1_000)
    const idle = await meter.cpu(() => wait(idleMs))
    const kept = redis === undefined ? 0 : await subscribedChannels(redis)
    const count = 2 * pace.measureMs
    const started = performance.now()
    const used = await meter.cpu(async () => {
      for (const client of await open(count)) client.close()
      await (redis === undefined ? wait(500) : cleared(redis, kept))
    })
    // What the nodes do all the time goes on meanwhile.
    const share = (performance.now() - started) / idleMs
    const own = { ...used, microseconds: used.microseconds - share * idle.microseconds, parts: { ...used.parts } }
    for (const [name, cost] of Object.entries(idle.parts)) own.parts[name] = (own.parts[name] ?? 0) - share * cost
    // Microseconds per millisecond are milliseconds per second.
    return [per('cluster-connect', own, count), per('cluster-idle', idle, idleMs)]
  },
}

export const clusterSizing: readonly Scenario[] = [connectionCosts, channelCosts, memberCosts]

function per<T>(row: string, { microseconds, parts }: Measured<T>, units: number): Reading {
  return { row, value: microseconds / units, operations: units, parts: perUnit(parts, units) }
}

async function enter(load: Load, name: string, roomCount: number, memberCount: number): Promise<void> {
  let entered = 0
  const opening = load.clients(
    roomCount * memberCount,
    async (client, index) => {
      const data = { user_id: `user-${index}`, user_info: { name: `Member number ${index}`, role: 'reader' } }
      client.onMember = () => {}
      await client.subscribe(`presence-${name}-${index % roomCount}`, JSON.stringify(data))
      entered += 1
    },
    (index) => Math.floor(index / roomCount),
  )
  await orStall(opening, () => entered)
}

/** Resolves when the nodes have given up all channels but those they had before. */
async function cleared(redis: RedisCommands, kept: number): Promise<void> {
  const deadline = performance.now() + givenUpMs
  while ((await subscribedChannels(redis)) > kept) {
    if (performance.now() > deadline) throw new Error('channels without subscribers are not given up')
    await wait(200)
  }
}
