/** Joining and leaving a presence channel of two hundred: everybody else is told of each. */
import { orStall } from '../load/lanes.js'
import type { Load } from '../load/load.js'
import type { ServerMessage } from '../load/message.js'
import type { PusherClient } from '../load/pusher-client.js'
import { clientFrame, opcodes } from '../load/websocket-frame.js'
import type { Reading, Scenario, ScenarioRun } from '../scenario.js'

const members = 200
const joiners = 10
const channel = 'presence-room'

const leaveFrame = clientFrame(opcodes.text, JSON.stringify({ event: 'pusher:unsubscribe', data: { channel } }))

const userId = (index: number) => `user-${index}`
const userInfo = (index: number) => ({ name: `Member number ${index}`, role: index % 7 === 0 ? 'editor' : 'reader' })
const channelData = (index: number) => JSON.stringify({ user_id: userId(index), user_info: userInfo(index) })

export const presence: Scenario = {
  name: 'presence',
  rows: ['presence-join', 'presence-leave'],
  quick: true,
  async run(run) {
    const { load, meter, pace } = run
    const room = await Room.open(load)
    // A round is about 15 ms of the server's time.
    const rounds = Math.max(4, Math.ceil(pace.measureMs / 100))
    await room.joinAll()
    await room.leaveAll()
    let joining = 0
    let leaving = 0
    for (let round = 0; round < rounds; round += 1) {
      joining += (await meter.cpu(() => room.joinAll())).microseconds
      leaving += (await meter.cpu(() => room.leaveAll())).microseconds
    }
    room.finish()
    return [reading('presence-join', joining, rounds), reading('presence-leave', leaving, rounds)]
  },
}

function reading(row: string, microseconds: number, rounds: number): Reading {
  return { row, value: microseconds / (rounds * joiners), operations: rounds * joiners }
}

/** The channel, and who has been told what. */
class Room {
  readonly #load: Load
  readonly #joiners: readonly PusherClient[]
  readonly #inside: Set<PusherClient>
  /** Who still has to hear of the change under way. */
  readonly #unaware = new Set<PusherClient>()
  #expected = ''
  #told: () => void = () => {}
  #heard = 0

  private constructor(load: Load, inside: readonly PusherClient[], joiners: readonly PusherClient[]) {
    this.#load = load
    this.#inside = new Set(inside)
    this.#joiners = joiners
  }

  static async open(load: ScenarioRun['load']): Promise<Room> {
    const inside = await openMembers(load)
    const outside = await load.clients(joiners, async () => {})
    const room = new Room(load, inside, outside)
    for (const client of [...inside, ...outside]) client.onMember = (message) => room.#hear(client, message)
    return room
  }

  async joinAll(): Promise<void> {
    for (const [index, client] of this.#joiners.entries()) {
      const id = members + index
      const frame = client.subscribeFrame(channel, channelData(id))
      const data = JSON.stringify({ user_id: userId(id), user_info: userInfo(id) })
      const told = this.#expect(`pusher_internal:member_added ${data}`)
      const roster = await orStall(client.sendSubscribe(channel, frame), () => this.#heard)
      await orStall(told, () => this.#heard)
      this.#inside.add(client)
      this.#checkRoster(roster)
    }
  }

  async leaveAll(): Promise<void> {
    for (const [index, client] of this.#joiners.entries()) {
      this.#inside.delete(client)
      const data = JSON.stringify({ user_id: userId(members + index) })
      const told = this.#expect(`pusher_internal:member_removed ${data}`)
      client.send(leaveFrame)
      await orStall(told, () => this.#heard)
    }
  }

  finish(): void {
    if (this.#unaware.size > 0) this.#load.faults.add('lost', this.#expected, this.#unaware.size)
  }

  #expect(change: string): Promise<void> {
    this.#expected = change
    for (const client of this.#inside) this.#unaware.add(client)
    return new Promise((resolve) => (this.#told = resolve))
  }

  #hear(client: PusherClient, message: ServerMessage): void {
    this.#heard += 1
    const change = `${message.event} ${message.data}`
    if (change !== this.#expected || message.channel !== channel) this.#load.faults.add('malformed', change)
    else if (!this.#unaware.delete(client)) this.#load.faults.add('doubled', change)
    if (this.#unaware.size === 0) this.#told()
  }

  #checkRoster(text: string): void {
    const count = countOf(text)
    if (count !== this.#inside.size) this.#load.faults.add('malformed', `roster of ${count}: ${text}`)
  }
}

/** Opens the members; resolves when each has been told of all others. */
async function openMembers(load: Load): Promise<readonly PusherClient[]> {
  let known = 0
  let allKnow = () => {}
  const complete = new Promise<void>((resolve) => (allKnow = resolve))
  const inside = await load.clients(members, async (client, index) => {
    // A member knows those in its roster and those announced later.
    let told = 0
    const count = (more: number) => {
      told += more
      if (told === members) known += 1
      if (known === members) allKnow()
    }
    client.onMember = () => count(1)
    const roster = await client.subscribe(channel, channelData(index))
    count(countOf(roster) ?? NaN)
  })
  await orStall(complete, () => known)
  return inside
}

/** How many members a roster has, if its three parts agree. */
function countOf(roster: string): number | undefined {
  const data: unknown = JSON.parse(roster)
  if (typeof data !== 'object' || data === null || !('presence' in data)) return undefined
  const { presence } = data
  if (typeof presence !== 'object' || presence === null) return undefined
  if (!('count' in presence && 'ids' in presence && 'hash' in presence)) return undefined
  const { count, ids, hash } = presence
  if (typeof count !== 'number' || !Array.isArray(ids) || typeof hash !== 'object' || hash === null) return undefined
  return ids.length === count && ids.every((id) => String(id) in hash) ? count : undefined
}
