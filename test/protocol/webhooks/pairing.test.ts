/** Section 5: a leave and a return within the delay send neither webhook. */
import { describe, expect, it } from 'vitest'
import { credentials } from '../../harness/test-server.js'
import type { Attempt, ReceivedEvent } from '../../harness/webhook-receiver.js'
import { framesSoFar } from '../raw/expecting.js'
import { hook, join, leave, namesOf, placeOf, sharedHooks } from './hooked-server.js'

const delayMs = 400

describe('leave and return', () => {
  const hooked = sharedHooks((receiver) => [
    hook(receiver, '/held', { leaveDelayMs: delayMs }),
    hook(receiver, '/at-once', { leaveDelayMs: 0 }),
    hook(receiver, '/removed', { leaveDelayMs: delayMs, events: ['member_removed'] }),
    hook(receiver, '/added', { leaveDelayMs: delayMs, events: ['member_added'] }),
    hook(receiver, '/vacated', { leaveDelayMs: delayMs, events: ['channel_vacated'] }),
    hook(receiver, '/occupied', { leaveDelayMs: delayMs, events: ['channel_occupied'] }),
  ])

  it('within the delay: neither, for channels and for members, however often; the last leave is told', async () => {
    const { server, receiver } = hooked()
    const channel = 'presence-flap'
    const client = await server.connect()
    const pairedBefore = await server.outcome('paired')
    for (let round = 0; round < 4; round += 1) {
      await join(client, channel, 'ann')
      await framesSoFar(client)
      leave(client, channel)
    }
    const events = await receiver.heard(4, { path: '/held', channel })
    expect(namesOf(events).toSorted()).toEqual([
      'channel_occupied',
      'channel_vacated',
      'member_added',
      'member_removed',
    ])
    // Every leave but the last took its return with it, so nothing more can come.
    const kinds = ['channel_occupied', 'channel_vacated', 'member_added', 'member_removed'] as const
    const told = (path: string) => namesOf(receiver.events({ path, channel }))
    await receiver.heard(16, { path: '/at-once', channel })
    for (const path of ['/removed', '/vacated', '/added', '/occupied']) await receiver.heard(1, { path, channel })
    await server.nothingQueued()
    expect(told('/held').toSorted()).toEqual([...kinds])
    expect(told('/removed')).toEqual(['member_removed'])
    expect(told('/added')).toEqual(['member_added'])
    expect(told('/vacated')).toEqual(['channel_vacated'])
    expect(told('/occupied')).toEqual(['channel_occupied'])
    // leaveDelayMs 0: everything as it happened.
    expect(told('/at-once').toSorted()).toEqual(kinds.flatMap((name) => [name, name, name, name]))
    // 3 returns × (2 leaves + 2 returns) of /held, and the one side that the four others wanted.
    expect((await server.outcome('paired')) - pairedBefore).toBe(12 + 4 * 3)
    client.close()
  })

  it('another connection and another tab are a return as well', async () => {
    const { server, receiver } = hooked()
    const channel = 'presence-reload'
    const first = await server.connect()
    await join(first, channel, 'ann')
    await receiver.heard(2, { path: '/held', channel })
    first.socket.terminate()
    await server.occupied(channel, false)
    const [second, third] = [await server.connect(), await server.connect()]
    await join(second, channel, 'ann')
    await join(third, channel, 'ann')
    third.close()
    second.close()
    await receiver.heard(4, { path: '/held', channel })
    await server.nothingQueued()
    const names = namesOf(receiver.events({ path: '/held', channel }))
    expect(names.toSorted()).toEqual(['channel_occupied', 'channel_vacated', 'member_added', 'member_removed'])
  })

  it('who comes instead of another pairs for the channel, and not for the members', async () => {
    const { server, receiver } = hooked()
    const channel = 'presence-shift'
    const [ann, bea] = [await server.connect(), await server.connect()]
    await join(ann, channel, 'ann')
    await receiver.heard(2, { path: '/held', channel })
    leave(ann, channel)
    await server.occupied(channel, false)
    await join(bea, channel, 'bea')
    await receiver.heard(4, { path: '/held', channel })
    leave(bea, channel)
    const events = await receiver.heard(6, { path: '/held', channel })
    const told = events.map(({ name, user_id: user }) => (user === undefined ? name : `${name} ${user}`))
    expect(told.filter((each) => each.startsWith('channel_'))).toEqual(['channel_occupied', 'channel_vacated'])
    expect(told.filter((each) => each.startsWith('member_')).slice(0, 3)).toEqual([
      'member_added ann',
      'member_added bea',
      'member_removed ann',
    ])
    expect(told).toHaveLength(6)
    for (const client of [ann, bea]) client.close()
  })

  it('no return: told after the delay', async () => {
    const { server, receiver } = hooked()
    const channel = 'plain'
    const client = await server.connect()
    await client.subscribe(channel)
    leave(client, channel)
    await receiver.heard(2, { path: '/held', channel })
    const vacated = requestFor(receiver.at('/held'), channel, 'channel_vacated')
    expect(ageMs(vacated)).toBeGreaterThanOrEqual(delayMs - 2)
    expect(ageMs(vacated)).toBeLessThan(delayMs + 1000)
    expect(ageMs(requestFor(receiver.at('/at-once'), channel, 'channel_vacated'))).toBeLessThan(delayMs)
    client.close()
  })

  it('a return after the delay: both', async () => {
    const { server, receiver } = hooked()
    const channel = 'private-late'
    const client = await server.connect()
    await client.subscribePrivate(channel, credentials)
    leave(client, channel)
    await receiver.heard(2, { path: '/held', channel })
    await client.subscribePrivate(channel, credentials)
    const events = await receiver.heard(3, { path: '/held', channel })
    expect(namesOf(events)).toEqual(['channel_occupied', 'channel_vacated', 'channel_occupied'])
    client.close()
  })

  it('the other members are told of a leave at once', async () => {
    const { server, receiver } = hooked()
    const channel = 'presence-watched'
    const [watcher, client] = [await server.connect(), await server.connect()]
    await join(watcher, channel, 'watcher')
    await join(client, channel, 'ann')
    await watcher.next('pusher_internal:member_added')
    const leftMs = Date.now()
    client.close()
    await watcher.next('pusher_internal:member_removed')
    const seenMs = Date.now()
    const isAnn = ({ user_id: user }: ReceivedEvent) => user === 'ann'
    expect(receiver.events({ path: '/held', channel, name: 'member_removed' }).filter(isAnn)).toEqual([])
    await receiver.heard(1, { path: '/held', channel, name: 'member_removed' })
    const told = requestFor(receiver.at('/held'), channel, 'member_removed')
    expect(seenMs - leftMs).toBeLessThan(delayMs)
    expect(told.atMs - leftMs).toBeGreaterThanOrEqual(delayMs - 2)
    watcher.close()
  })
})

function requestFor(attempts: readonly Attempt[], channel: string, name: string): Attempt {
  const found = attempts.find(({ events }) => events.some((each) => each.channel === channel && each.name === name))
  if (found === undefined) throw new Error(`no ${name} of ${channel}`)
  return found
}

/** How long after its event happened the request came. */
function ageMs({ atMs, events }: Attempt): number {
  return atMs - placeOf(events[0]!.id).ms
}
