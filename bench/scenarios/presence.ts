/** Joining and leaving a presence channel of two hundred, or a thousand: everybody else is told of each. */
import { orStall, runLanes } from '../load/lanes.js'
import { atFirst } from '../load/load.js'
import type { Load, Placing } from '../load/load.js'
import type { ServerMessage } from '../load/message.js'
import type { PusherClient } from '../load/pusher-client.js'
import { clientFrame, opcodes } from '../load/websocket-frame.js'
import { perUnit } from '../measure/meter.js'
import type { Reading, Scenario, ScenarioRun } from '../scenario.js'

const usual = 200
const many = 1_000
const joiners = 10
/** Above every member's. */
const firstJoiner = 10_000
const channel = 'presence-room'
/** So many that the code is compiled, however busy the machine is. */
const warmUpRounds = 8_000
const warmUpMaxMs = 30_000

const leaveFrame = clientFrame(opcodes.text, JSON.stringify({ event: 'pusher:unsubscribe', data: { channel } }))

const userId = (index: number) => `user-${index}`
const userInfo = (index: number) => ({ name: `Member number ${index}`, role: index % 7 === 0 ? 'editor' : 'reader' })
const channelData = (index: number) => JSON.stringify({ user_id: userId(index), user_info: userInfo(index) })

export const presence: Scenario = {
  name: 'presence',
  rows: ['presence-join', 'presence-leave'],
  quick: true,
  run: (run) => joinAndLeave(run, 'presence', atFirst),
}

export const presenceOfMany: Scenario = {
  name: 'presence-1000',
  rows: ['presence-1000-join', 'presence-1000-leave'],
  quick: false,
  run: (run) => joinAndLeave(run, 'presence-1000', atFirst, many),
}

/** @param placing of the members, and of those who come and go */
export async function joinAndLeave(
  { load, meter, pace }: ScenarioRun,
  rows: string,
  placing: Placing,
  members = usual,
): Promise<Reading[]> {
  await warmUp(load, placing)
  const room = await Room.open(load, placing, members)
  // A round in a room of two hundred is about 15 ms of the server's time.
  const rounds = Math.max(4, Math.ceil((pace.measureMs / 100) * (usual / members)))
  await room.joinAll()
  await room.leaveAll()
  const joining = new Sum()
  const leaving = new Sum()
  for (let round = 0; round < rounds; round += 1) {
    joining.add(await meter.cpu(() => room.joinAll()))
    leaving.add(await meter.cpu(() => room.leaveAll()))
  }
  room.finish()
  return [joining.reading(`${rows}-join`, rounds), leaving.reading(`${rows}-leave`, rounds)]
}

/**
 * Joins and leaves in rooms of two: a join into a large room is so long that hundreds of them would not compile the code that
 * a server has compiled after its first minute.
 */
async function warmUp(load: Load, placing: Placing): Promise<void> {
  const rooms = 8
  const roomPlacing: Placing = (index) => placing(Math.floor(index / 2) + (index % 2))
  const clients = await load.clients(2 * rooms, async () => {}, roomPlacing)
  const lanes = await Promise.all(
    Array.from({ length: rooms }, async (_, lane) => {
      const [first, second] = clients.slice(2 * lane, 2 * lane + 2)
      if (first === undefined || second === undefined) throw new Error('a room of two needs two')
      const name = `presence-pair-${lane}`
      await first.subscribe(name, channelData(0))
      const frame = second.subscribeFrame(name, channelData(1))
      const leave = clientFrame(opcodes.text, JSON.stringify({ event: 'pusher:unsubscribe', data: { channel: name } }))
      const told = () => new Promise<void>((resolve) => (first.onMember = () => resolve()))
      return async () => {
        const came = told()
        await second.sendSubscribe(name, frame)
        await came
        const left = told()
        second.send(leave)
        await left
      }
    }),
  )
  const comeAndGo = (lane: number) => lanes[lane]?.() ?? Promise.reject(new Error(`no lane ${lane}`))
  await runLanes(rooms, warmUpMaxMs, comeAndGo, warmUpRounds)
  for (const client of clients) client.close()
}

/** What the rounds cost together. */
class Sum {
  #microseconds = 0
  readonly #parts: Record<string, number> = {}

  add({ microseconds, parts }: { microseconds: number; parts: Readonly<Record<string, number>> }): void {
    this.#microseconds += microseconds
    for (const [name, cost] of Object.entries(parts)) this.#parts[name] = (this.#parts[name] ?? 0) + cost
  }

  reading(row: string, rounds: number): Reading {
    const operations = rounds * joiners
    return { row, value: this.#microseconds / operations, operations, parts: perUnit(this.#parts, operations) }
  }
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

  static async open(load: Load, placing: Placing, members: number): Promise<Room> {
    const inside = await openMembers(load, placing, members)
    const outside = await load.clients(joiners, async () => {}, placing)
    const room = new Room(load, inside, outside)
    for (const client of [...inside, ...outside]) client.onMember = (message) => room.#hear(client, message)
    return room
  }

  async joinAll(): Promise<void> {
    for (const [index, client] of this.#joiners.entries()) {
      const id = firstJoiner + index
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
      const data = JSON.stringify({ user_id: userId(firstJoiner + index) })
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

/**
 * Opens the members; resolves when each has been told of all others. They enter one after the other: a server that tells twice of
 * those who enter two nodes at once could not be measured at all.
 */
async function openMembers(load: Load, placing: Placing, members: number): Promise<readonly PusherClient[]> {
  let known = 0
  let allKnow = () => {}
  const complete = new Promise<void>((resolve) => (allKnow = resolve))
  let before: Promise<unknown> = Promise.resolve()
  const enter = async (client: PusherClient, index: number) => {
    // A member knows those in its roster and those announced later.
    let told = 0
    const count = (more: number) => {
      told += more
      if (told === members) known += 1
      if (known === members) allKnow()
    }
    client.onMember = () => count(1)
    const entered = before.then(() => client.subscribe(channel, channelData(index)))
    before = entered
    count(countOf(await entered) ?? NaN)
  }
  const inside = await load.clients(members, enter, placing)
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
