import { describe, expect, test, vi } from 'vitest'
import type { Drain } from '../../../src/core/drain.js'
import { NodeFixture, names, nothingLeft, settle, type Client } from './node-fixture.js'

const periodMs = 20_000

/** Drains while time passes in small steps; tells how many had been closed after each step. */
async function drain(
  fixture: NodeFixture,
  clients: readonly Client[],
  ms: number,
  reconnect: Drain['reconnect'] = 'at-once',
): Promise<number[]> {
  const closedAfter: number[] = []
  let done = false
  const draining = fixture.node.drain({ periodMs: ms, reconnect }).then(() => {
    done = true
  })
  await settle()
  closedAfter.push(clients.filter((client) => !client.socket.open).length)
  for (let step = 0; step < 1000 && !done; step += 1) {
    fixture.clock.advance(50)
    await new Promise((resolve) => setImmediate(resolve))
    closedAfter.push(clients.filter((client) => !client.socket.open).length)
  }
  await draining
  return closedAfter
}

describe('draining (R16)', () => {
  test('closes everybody with 4200, evenly: no second closes more than a tenth', async () => {
    const fixture = await NodeFixture.start()
    const clients = Array.from({ length: 1500 }, () => fixture.connect())
    const closedAfter = await drain(fixture, clients, periodMs)
    expect(clients.every(({ socket }) => socket.ended?.code === 4200)).toBe(true)
    expect(clients[0]?.socket.ended?.reason).toBe('Please reconnect immediately')
    expect(clients[0]?.received.at(-1)).toMatchObject({ event: names.error, data: { code: 4200 } })
    let busiest = 0
    for (let from = 0; from < closedAfter.length; from += 1) {
      const to = Math.min(from + 20, closedAfter.length - 1)
      busiest = Math.max(busiest, closedAfter[to]! - closedAfter[from]!)
    }
    expect(busiest).toBeLessThanOrEqual(150)
    // It takes about the period, not less than nine tenths of it.
    expect(closedAfter.length * 50).toBeGreaterThan(periodMs * 0.9)
    expect(closedAfter.length * 50).toBeLessThanOrEqual(periodMs + 100)
    expect(fixture.leftovers()).toEqual(nothingLeft)
  })

  test('is no leave: members and signed-in users are held for a handover (D6)', async () => {
    const fixture = await NodeFixture.start()
    const ann = await fixture.member('presence-a', 'ann')
    ann.signIn('ann')
    const bob = await fixture.member('presence-a', 'bob')
    bob.unsubscribe('presence-a')
    const cy = await fixture.member('presence-a', 'cy')
    cy.close(4200)
    await drain(fixture, [ann], 0)
    expect(fixture.backend.callsOf('presence.leave')).toEqual([
      `presence.leave 3/presence-a ${bob.id} bob`,
      // Only what we close is a handover, whatever code a client uses.
      `presence.leave 3/presence-a ${cy.id} cy`,
      `presence.leave 3/presence-a ${ann.id} ann handover`,
    ])
    expect(fixture.backend.callsOf('users.signOut')).toEqual([`users.signOut 3 ann ${ann.id} handover`])
  })

  test('one that restarts asks its clients to wait, and that is no leave either', async () => {
    const fixture = await NodeFixture.start()
    const ann = await fixture.member('presence-a', 'ann')
    const clients = [ann, ...Array.from({ length: 20 }, () => fixture.connect())]
    const closedAfter = await drain(fixture, clients, 1000, 'after-a-second')
    expect(closedAfter.length).toBeGreaterThan(15)
    const reason = 'The server restarts: please reconnect after a second'
    expect(clients.map(({ socket }) => socket.ended)).toEqual(clients.map(() => ({ code: 4100, reason })))
    expect(fixture.backend.callsOf('presence.leave')).toEqual([`presence.leave 3/presence-a ${ann.id} ann handover`])
  })

  test('the backend is given up when it has heard of the last leaves, and not for ever later', async () => {
    const fixture = await NodeFixture.start()
    const close = vi.spyOn(fixture.backend, 'close')
    const ann = await fixture.member('presence-a', 'ann')
    fixture.backend.hold('presence.leave')
    await drain(fixture, [ann], 0)
    const stopped = fixture.stop()
    await settle()
    expect(close).not.toHaveBeenCalled()
    fixture.backend.release('presence.leave')
    await stopped
    expect(close).toHaveBeenCalledTimes(1)

    const stuck = await NodeFixture.start()
    const bob = await stuck.member('presence-a', 'bob')
    stuck.backend.hold('presence.leave')
    await drain(stuck, [bob], 0)
    const ended = stuck.stop()
    for (let step = 0; step < 2; step += 1) {
      await settle()
      stuck.clock.advance(2000)
    }
    await ended
    expect(stuck.clock.timers).toBe(0)
  })

  test('every other close of ours is a leave', async () => {
    const fixture = await NodeFixture.start()
    const ann = await fixture.member('presence-a', 'ann')
    ann.signIn('ann')
    await settle()
    await fixture.node.api.terminateUser('3', 'ann')
    expect(fixture.backend.callsOf('presence.leave')).toEqual([`presence.leave 3/presence-a ${ann.id} ann`])
    expect(fixture.backend.callsOf('users.signOut')).toEqual([`users.signOut 3 ann ${ann.id}`])
  })

  test('presence members are closed last, and in no particular order', async () => {
    const fixture = await NodeFixture.start()
    const members = await Promise.all(
      Array.from({ length: 50 }, (_none, index) => fixture.member('presence-a', `u${index}`)),
    )
    const others = Array.from({ length: 50 }, () => fixture.connect())
    const order: Client[] = []
    for (const client of [...members, ...others]) {
      const closed = client.socket.onClose
      client.socket.onClose = (code) => {
        order.push(client)
        closed?.(code)
      }
    }
    await drain(fixture, [...members, ...others], periodMs)
    expect(order).toHaveLength(100)
    expect(new Set(order.slice(0, 50))).toEqual(new Set(others))
    expect(order.slice(0, 50)).not.toEqual(others)
    expect(order.slice(50)).not.toEqual(members)
  })

  test('nobody new is let in meanwhile, and nobody who slipped in stays', async () => {
    const fixture = await NodeFixture.start()
    const clients = Array.from({ length: 10 }, () => fixture.connect())
    const draining = fixture.node.drain({ periodMs: 1000, reconnect: 'at-once' })
    expect(fixture.connect().socket.ended?.code).toBe(4100)
    // Clients that leave on their own are not waited for.
    const leaving = clients.find(({ socket }) => socket.open)
    leaving?.close()
    for (let step = 0; step < 30; step += 1) {
      fixture.clock.advance(50)
      await settle()
    }
    await draining
    expect(fixture.leftovers()).toEqual(nothingLeft)
    expect(leaving?.socket.open).toBe(false)
    expect(leaving?.socket.ended).toBeUndefined()
  })

  test.each([0, 1])('a period of 0 closes all at once; with %i connections it ends', async (count) => {
    const fixture = await NodeFixture.start()
    const clients = Array.from({ length: count }, () => fixture.connect())
    await fixture.node.drain({ periodMs: 0, reconnect: 'at-once' })
    expect(clients.every(({ socket }) => socket.ended?.code === 4200)).toBe(true)
  })
})
