import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.js'
import { credentials, describeInProcess, TestServer } from '../../harness/test-server.js'
import { errorText, eventText } from './expecting.js'
import { ClockedServer } from './shared-server.js'

const reconnect = 'Please reconnect immediately'

describe('4200, please reconnect (1.5)', () => {
  it('a node that goes tells readiness first, still serves, then closes all with 4200', async () => {
    const server = await TestServer.start({}, { drain: { preStopDelayMs: 600, periodMs: 300 } })
    const clients = [await server.connect(), await server.connect(), await server.connect()]
    for (const client of clients) await client.subscribe('news')
    const stopped = server.running.drainAndStop()
    const ready = await eventually('readiness is red', async () => {
      const answer = await fetch(`${server.url}/ready`)
      return answer.status === 503 ? answer : undefined
    })
    expect(await ready.text()).toBe('Not ready: draining\n')
    expect((await fetch(`${server.url}/live`)).status).toBe(200)
    await server.trigger('news', 'late', 'd')
    const latecomer = await server.connect()
    for (const client of [...clients, latecomer]) {
      expect(await client.waitForClose()).toEqual({ code: 4200, reason: reconnect })
      expect(client.frames.at(-1)?.text).toBe(errorText(4200, reconnect))
    }
    for (const client of clients) expect((await client.next()).text).toBe(eventText('late', 'news', 'd'))
    await stopped
    const isClosed = () =>
      fetch(`${server.url}/live`)
        .then(() => false)
        .catch(() => true)
    await eventually('a closed port', isClosed)
  })
})

describeInProcess('4200 over the period (1.5)', 'moves its clock', () => {
  it('spreads the closes over the period, presence members last', async () => {
    const server = await ClockedServer.start({})
    const members = [await server.connect(), await server.connect()]
    for (const member of members) await member.subscribePresence('presence-a', credentials, 'u1')
    const others = [await server.connect(), await server.connect(), await server.connect()]
    const order: string[] = []
    const secondsOfCloses: number[] = []
    const startedAtMs = server.clock.monotonicMs()
    const note = (who: string) => {
      order.push(who)
      secondsOfCloses.push(Math.round((server.clock.monotonicMs() - startedAtMs) / 1000))
    }
    for (const client of others) client.socket.on('close', () => note('other'))
    for (const member of members) member.socket.on('close', () => note('member'))
    const stopped = server.drainAndStop()
    // 5 s of the pre-stop delay, 20 s of the period; each step leaves the sockets time for what the last one did.
    while (order.length < 5) {
      server.clock.advance(50)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    let ended = false
    void stopped.then(() => (ended = true))
    await eventually('the end', () => {
      server.clock.advance(50)
      return ended
    })
    expect(order).toEqual(['other', 'other', 'other', 'member', 'member'])
    expect(secondsOfCloses).toEqual([5, 9, 13, 17, 21])
  })
})
