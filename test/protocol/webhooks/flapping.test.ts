/** 500 users of one channel who leave and return: within the delay nothing is told, after it everything once. */
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../fakes/manual-clock.js'
import { eventually } from '../../harness/eventually.js'
import { counted, Crowd, expectAwayAndBack } from './crowd.js'
import { hook, OwnHooks, type Hooked } from './hooked-server.js'

const users = 500
const channel = 'presence-stadium'
const deadlineMs = 20_000

describe('500 users on one node', () => {
  const own = new OwnHooks()

  it('who are back within 2 s cause no webhook; who are away for 5 s one of each', async () => {
    const clock = new ManualClock(Date.now())
    // All settings that matter here at their defaults.
    const { server, receiver } = await own.start(
      (to) => [hook(to, '/hook', { leaveDelayMs: 3000, batch: { enabled: true } })],
      { clock },
    )
    const crowd = () => Crowd.connect(channel, users, [server.port])
    const [first, second, third] = [await crowd(), await crowd(), await crowd()]
    await first.join()
    await eventually('all are told', () => told({ server, receiver }, clock) === users + 1, deadlineMs)
    expect(counted(receiver.events())).toEqual({ channel_occupied: 1, member_added: users })

    const before = receiver.attempts.length
    first.leave()
    await server.occupied(channel, false)
    await pass(clock, 2000)
    await second.join()
    await pass(clock, 10_000)
    await eventually('all are paired', async () => (await server.outcome('paired')) === 2 * (users + 1), deadlineMs)
    expect(await server.queued()).toBe(0)
    expect(receiver.attempts.length).toBe(before)

    second.leave()
    await server.occupied(channel, false)
    await pass(clock, 5000)
    await third.join()
    await eventually('all are told', () => told({ server, receiver }, clock) === 3 * (users + 1), deadlineMs)
    await pass(clock, 10_000)
    const events = receiver.events().slice(users + 1)
    expectAwayAndBack(events, users)
    // All leaves before all returns, as it was.
    expect(events.slice(0, users + 1).every(({ name }) => /removed|vacated/.test(name))).toBe(true)
    expect(new Set(receiver.events().map(({ id }) => id)).size).toBe(3 * (users + 1))
    expect(receiver.figures.invalid).toBe(0)
    third.leave()
    await server.occupied(channel, false)
  })
})

/** Events told so far; lets a little time pass, in which more are sent. */
function told({ receiver }: Hooked, clock: ManualClock): number {
  clock.advance(10)
  return receiver.events().length
}

/** Lets time pass in small steps, each with some real time for what it causes on the network. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  const stepMs = 50
  for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
    clock.advance(stepMs)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
