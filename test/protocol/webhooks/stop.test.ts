/** A node without Redis that goes sends what it has; nobody else could. */
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../fakes/manual-clock.js'
import { eventually } from '../../harness/eventually.js'
import { credentials } from '../../harness/test-server.js'
import { framesSoFar } from '../raw/expecting.js'
import { hook, join, leave, namesOf, OwnHooks, whisper } from './hooked-server.js'

describe('a server that stops', () => {
  const own = new OwnHooks()
  /** Far longer than the test: only the end can send what waits for it. */
  const endlessMs = 60_000

  it('sends what is gathered, the leaves that are held, and those that its end causes', async () => {
    const { server, receiver } = await own.start((to) => [
      hook(to, '/gathered', { batch: { enabled: true, windowMs: endlessMs, max: 100 }, leaveDelayMs: endlessMs }),
    ])
    const client = await server.connect()
    await join(client, 'presence-stays', 'ann')
    await client.subscribePrivate('private-left', credentials)
    whisper(client, 'private-left', 'client-last', {})
    leave(client, 'private-left')
    await framesSoFar(client)
    expect(receiver.attempts).toEqual([])
    const stopped = server.drainAndStop()
    expect((await client.waitForClose()).code).toBe(4200)
    await stopped
    const told = (channel: string) => namesOf(receiver.events({ channel }))
    // client_event comes by another way than what is stored, and those two ways have no common order.
    expect(told('private-left').toSorted()).toEqual(['channel_occupied', 'channel_vacated', 'client_event'])
    expect(told('presence-stays').toSorted()).toEqual([
      'channel_occupied',
      'channel_vacated',
      'member_added',
      'member_removed',
    ])
    expect(told('presence-stays').slice(0, 2).toSorted()).toEqual(['channel_occupied', 'member_added'])
  })

  it('waits for requests under way, and tries once more what had failed', async () => {
    const { server, receiver } = await own.start((to) => [hook(to, '/slow'), hook(to, '/failed')])
    receiver.answer(({ path }) => (path === '/slow' ? { status: 200, afterMs: 500 } : 500))
    const client = await server.connect()
    await client.subscribe('a')
    await receiver.attempted(1, '/slow')
    await receiver.attempted(1, '/failed')
    receiver.answer(({ path }) => (path === '/slow' ? { status: 200, afterMs: 100 } : 200))
    await server.drainAndStop()
    for (const path of ['/slow', '/failed']) {
      expect(namesOf(receiver.events({ path, channel: 'a' }))).toEqual(['channel_occupied', 'channel_vacated'])
    }
    client.close()
  })

  it('does not wait for ever for a receiver that hangs: what is lost is counted in one line of the log', async () => {
    const clock = new ManualClock(Date.now())
    const { server, receiver } = await own.start((to) => [hook(to, '/hangs', { timeoutMs: endlessMs })], { clock })
    receiver.answer('hang')
    const client = await server.connect()
    await client.subscribe('a')
    await eventually('the request', () => {
      clock.advance(10)
      return receiver.attempts.length === 1
    })
    let ended = false
    const startMs = clock.monotonicMs()
    void server.drainAndStop().then(() => (ended = true))
    await eventually('the end', () => {
      clock.advance(20)
      return ended
    })
    // 10 s for webhooks, and the drain before them.
    expect(clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(10_000)
    expect(clock.monotonicMs() - startMs).toBeLessThan(15_000)
    const lines = server.logger.at('warn')
    expect(lines.map(({ message }) => message)).toEqual([
      'Webhook events could not be sent before the end and are lost',
    ])
    expect(lines[0]?.fields).toMatchObject({ events: 2 })
    expect(receiver.attempts).toHaveLength(1)
  })
})
