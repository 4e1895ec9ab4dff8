/** What a server weighs when it starts, what waiting connections cost, and what each of them adds. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Load } from '../load/load.js'
import { runPaced } from '../load/paced.js'
import type { PusherClient } from '../load/pusher-client.js'
import { clientFrame, opcodes } from '../load/websocket-frame.js'
import type { Meter } from '../measure/meter.js'
import type { Scenario } from '../scenario.js'

const silent = 3_000
const held = 15_000
const channels = 100

/** Once, 8 to 15 s after connections have come in, V8 collects what they left behind; RSS is read after that. */
const collectedMs = 15_000
/** The same collection spoils one or two of three slices, and is no part of idling. The slowest idle timer seen: 4 s. */
const slices = 3
const sliceMs = 4_000
/** As often as a client that hears nothing does it, where the server names this time. */
const pingEveryMs = 30_000
const pingsMs = 8_000
const pongMs = 5_000
const pingFrame = clientFrame(opcodes.text, '{"event":"pusher:ping","data":{}}')

export const idle: Scenario = {
  name: 'idle',
  rows: ['idle-rss', 'start-rss', 'idle-cpu', 'idle-cpu-15000', 'idle-cpu-pings'],
  quick: false,
  async run({ load, meter }) {
    await wait(500)
    const atStart = meter.residentBytes()
    const open = (count: number) => load.clients(count, (client, index) => client.subscribe(`idle-${index % channels}`))
    const first = await open(silent)
    await wait(2_000)
    const fewSilent = await quietest(meter)
    const others = await open(held - silent)
    const collectedAt = performance.now() + collectedMs
    const allSilent = await quietest(meter)
    await wait(Math.max(0, collectedAt - performance.now()))
    const grown = meter.residentBytes() - atStart
    const pinging = await pings(load, meter, [...first, ...others])
    return [
      { row: 'idle-rss', value: grown / held, operations: held },
      { row: 'start-rss', value: atStart / 1_000_000, operations: 1 },
      { row: 'idle-cpu', value: fewSilent, operations: slices },
      { row: 'idle-cpu-15000', value: allSilent, operations: slices },
      { row: 'idle-cpu-pings', value: pinging, operations: 1 },
    ]
  },
}

/** CPU time in ms per second of the quietest of the slices. */
async function quietest(meter: Meter): Promise<number> {
  const idleMsPerSecond: number[] = []
  while (idleMsPerSecond.length < slices) {
    const from = performance.now()
    const { microseconds } = await meter.cpu(() => wait(sliceMs))
    idleMsPerSecond.push(microseconds / (performance.now() - from))
  }
  return Math.min(...idleMsPerSecond)
}

/** The same while the clients ping in turn; each of their pings must be answered once. */
async function pings(load: Load, meter: Meter, clients: readonly PusherClient[]): Promise<number> {
  const perSecond = (clients.length * 1_000) / pingEveryMs
  let answered = 0
  for (const client of clients) client.onPong = () => (answered += 1)
  const from = performance.now()
  const { microseconds, result: sent } = await meter.cpu(() =>
    runPaced(perSecond, pingsMs, (next, count) => {
      for (let index = next; index < next + count; index += 1) clients[index % clients.length]?.send(pingFrame)
    }),
  )
  const value = microseconds / (performance.now() - from)
  const deadline = performance.now() + pongMs
  while (answered < sent && performance.now() < deadline) await wait(20)
  if (answered < sent) load.faults.add('lost', `${sent - answered} of ${sent} pings were not answered`)
  if (answered > sent) load.faults.add('doubled', `${answered} answers to ${sent} pings`)
  return value
}
