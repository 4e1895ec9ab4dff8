/** Section 5: what is not delivered is tried again, for a while. */
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../fakes/manual-clock.js'
import { eventually } from '../../harness/eventually.js'
import { freePort } from '../../harness/free-port.js'
import { credentials } from '../../harness/test-server.js'
import type { Answer, AnswerRule, Attempt, WebhookReceiver } from '../../harness/webhook-receiver.js'
import { hook, namesOf, OwnHooks, placeOf, sharedHooks, whisper } from './hooked-server.js'

const timeoutMs = 150

describe('another attempt', () => {
  const hooked = sharedHooks((receiver) => [hook(receiver, '/hook', { timeoutMs })])

  /** The first requests for a channel are answered so, the rest 200. */
  const answerFirst = (channel: string, answers: readonly Answer[]): AnswerRule => {
    let requests = 0
    return ({ body }) => (body.includes(`"${channel}"`) ? (answers[requests++] ?? 200) : 200)
  }

  it('comes later with the same event, stamped and signed again, whatever went wrong', async () => {
    const { server, receiver } = hooked()
    const failures = new Map<string, Answer[]>([
      ['status-500', [500, 500]],
      ['status-404', [404]],
      ['status-410', [410]],
      ['status-429', [429]],
      ['status-304', [304]],
      ['redirect', [{ status: 307, headers: { location: '/elsewhere' } }]],
      ['no-answer', ['hang']],
      ['late-answer', [{ status: 200, afterMs: 2 * timeoutMs }]],
    ])
    const rules = [...failures].map(([channel, answers]) => ({ channel, rule: answerFirst(channel, answers) }))
    receiver.answer((attempt) => {
      const own = rules.find(({ channel }) => attempt.events[0]?.channel === channel)
      return own?.rule(attempt) ?? 200
    })
    const client = await server.connect()
    for (const channel of failures.keys()) await client.subscribe(channel)
    await receiver.heard(failures.size)
    await server.nothingQueued()
    for (const [channel, answers] of failures) {
      const attempts = requestsFor(receiver, channel)
      expect(attempts.length, channel).toBe(answers.length + 1)
      expect(new Set(attempts.map(({ events }) => JSON.stringify(events))).size, channel).toBe(1)
      expect(new Set(attempts.map(({ deliveryId }) => deliveryId)).size, channel).toBe(attempts.length)
      for (const [index, distanceMs] of distances(attempts).entries()) {
        // Half of 0.5 s at least, doubled each time; a second of margin for a busy machine.
        const fullMs = 500 * 2 ** index
        expect(distanceMs, channel).toBeGreaterThanOrEqual(fullMs / 2)
        expect(distanceMs, channel).toBeLessThan(fullMs + timeoutMs + 1000)
        const [before, after] = attempts.slice(index).map(({ headers }) => headers['x-pusher-signature'])
        expect(after, channel).not.toBe(before)
      }
    }
    expect(await server.outcome('delivered')).toBe(failures.size)
    expect(await server.outcome('retried')).toBe([...failures.values()].flat().length)
    expect(receiver.at('/elsewhere')).toEqual([])
    // A sender that waits in vain ends its connection.
    const hung = requestsFor(receiver, 'no-answer')[0]!
    expect([hung.status, hung.endedAtMs! - hung.atMs < timeoutMs + 1000]).toEqual([undefined, true])
    client.close()
    await receiver.heard(2 * failures.size)
  })

  it.each([200, 201, 202, 204, 299])('not after %i', async (status) => {
    const { server, receiver } = hooked()
    const channel = `fine-${status}`
    receiver.answer(status)
    const client = await server.connect()
    await client.subscribe(channel)
    client.close()
    const events = await receiver.heard(2, { channel })
    await server.nothingQueued()
    expect(namesOf(events)).toEqual(['channel_occupied', 'channel_vacated'])
    expect(receiver.attempts.filter(({ body }) => body.includes(`"${channel}"`))).toHaveLength(2)
  })

  it('what follows in the same channel waits for it, other channels do not', async () => {
    const { server, receiver } = hooked()
    receiver.answer(answerFirst('private-stuck', [500]))
    const client = await server.connect()
    await client.subscribePrivate('private-stuck', credentials)
    const failed = () => receiver.attempts.some(({ status, body }) => status === 500 && body.includes('private-stuck'))
    await eventually('the attempt that fails', failed)
    for (const n of [1, 2, 3]) whisper(client, 'private-stuck', `client-${n}`, {})
    await client.subscribe('free')
    await receiver.heard(1, { channel: 'free' })
    expect(receiver.events({ channel: 'private-stuck' })).toEqual([])
    const events = await receiver.heard(4, { channel: 'private-stuck' })
    expect(events.map(({ name, event }) => event ?? name)).toEqual([
      'channel_occupied',
      'client-1',
      'client-2',
      'client-3',
    ])
    client.close()
  })
})

describe('a receiver that was gone', () => {
  const own = new OwnHooks()

  it('gets what happened meanwhile, in order per channel, when it is back on its port', async () => {
    const { server, receiver } = await own.start((to) => [hook(to, '/hook')], { port: await freePort() })
    await receiver.close()
    const client = await server.connect()
    await client.subscribePrivate('private-a', credentials)
    await eventually('a failed attempt', async () => (await server.outcome('retried')) >= 1)
    for (const n of [1, 2]) whisper(client, 'private-a', `client-${n}`, {})
    await client.subscribe('b')
    await eventually('another', async () => (await server.queued()) === 4)
    await receiver.reopen()
    const events = await receiver.heard(3, { channel: 'private-a' })
    expect(events.map(({ name, event }) => event ?? name)).toEqual(['channel_occupied', 'client-1', 'client-2'])
    await receiver.heard(1, { channel: 'b' })
    await server.nothingQueued()
    expect(await server.outcome('delivered')).toBe(4)
    // One line for the receiver, not one per attempt or event.
    expect(server.logger.at('warn')).toHaveLength(1)
    client.close()
  })
})

describe('giving up', () => {
  const own = new OwnHooks()
  const isGivenUp = ({ message }: { message: string }) => message.includes('given up')

  it('after retryForMs: counted, logged once, and later events have their own time', async () => {
    const { server, receiver } = await own.start((to) => [hook(to, '/hook?token=hidden', { retryForMs: 900 })])
    receiver.answer(500)
    const client = await server.connect()
    await client.subscribePrivate('private-a', credentials)
    await eventually('it is given up', async () => (await server.outcome('given_up')) === 1)
    expect(await server.queued()).toBe(0)
    const attempts = receiver.attempts.length
    expect(attempts).toBeGreaterThanOrEqual(2)
    const happenedMs = placeOf(receiver.attempts[0]!.events[0]!.id).ms
    expect(receiver.attempts.at(-1)!.timeMs - happenedMs).toBeLessThanOrEqual(900)
    expect(await server.outcome('retried')).toBe(attempts - 1)
    const line = server.logger.lines.filter(isGivenUp)
    expect(line).toHaveLength(1)
    expect(line[0]).toMatchObject({ level: 'warn', fields: { app_id: '3' } })
    expect(JSON.stringify(server.logger.lines)).not.toContain('hidden')
    receiver.answer(200)
    whisper(client, 'private-a', 'client-later', {})
    expect((await receiver.heard(1)).map(({ event }) => event)).toEqual(['client-later'])
    expect(await server.outcome('delivered')).toBe(1)
    client.close()
  })

  it('at once with retryForMs 0', async () => {
    const { server, receiver } = await own.start((to) => [hook(to, '/hook', { retryForMs: 0 })])
    receiver.answer(500)
    const client = await server.connect()
    for (const channel of ['a', 'b', 'c']) await client.subscribe(channel)
    await eventually('all are given up', async () => (await server.outcome('given_up')) === 3)
    expect(receiver.attempts).toHaveLength(3)
    expect([await server.queued(), await server.outcome('retried')]).toEqual([0, 0])
    client.close()
  })

  it('after five minutes by default, at growing distances up to 30 s', async () => {
    const clock = new ManualClock(Date.now())
    const { server, receiver } = await own.start((to) => [hook(to, '/hook')], { clock })
    receiver.answer(500)
    const client = await server.connect()
    await client.subscribe('a')
    const stepMs = 500
    for (let passedMs = 0; passedMs < 400_000; passedMs += stepMs) {
      clock.advance(stepMs)
      // The network takes no time of that clock; it gets some of the real one.
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const { attempts } = receiver
    expect(new Set(attempts.map(({ events }) => events[0]?.id)).size).toBe(1)
    const happenedMs = placeOf(attempts[0]!.events[0]!.id).ms
    for (const [index, distanceMs] of distances(attempts).entries()) {
      const fullMs = Math.min(30_000, 500 * 2 ** index)
      expect(distanceMs).toBeGreaterThanOrEqual(fullMs / 2)
      // The wait begins some steps later, when the answer is there.
      expect(distanceMs).toBeLessThan(fullMs + 20 * stepMs)
    }
    const lastMs = attempts.at(-1)!.timeMs - happenedMs
    expect(lastMs).toBeLessThanOrEqual(300_000)
    // The next would have been due after at most 30 s more.
    expect(lastMs).toBeGreaterThan(300_000 - 30_000 - 20 * stepMs)
    expect(await server.outcome('given_up')).toBe(1)
    expect(await server.outcome('retried')).toBe(attempts.length - 1)
    expect(await server.queued()).toBe(0)
    expect(server.logger.lines.filter(isGivenUp)).toHaveLength(1)
    client.close()
  })
})

function requestsFor(receiver: WebhookReceiver, channel: string): Attempt[] {
  return receiver.attempts.filter(({ events }) => events.some((event) => event.channel === channel))
}

/** Between the attempts, by the sender's clock. */
function distances(attempts: readonly Attempt[]): number[] {
  return attempts.slice(1).map(({ timeMs }, index) => timeMs - attempts[index]!.timeMs)
}
