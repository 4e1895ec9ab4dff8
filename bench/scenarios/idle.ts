/** What a server weighs when it starts, what waiting connections cost, and what each of them adds. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Meter } from '../measure/meter.js'
import type { Scenario } from '../scenario.js'

const silent = 3_000
const held = 10_000
const channels = 100

/** Once, 8 to 15 s after connections have come in, V8 collects what they left behind; RSS is read after that. */
const collectedMs = 15_000
/** The same collection spoils one or two of three slices, and is no part of idling. The slowest idle timer seen: 4 s. */
const slices = 3
const sliceMs = 4_000

export const idle: Scenario = {
  name: 'idle',
  rows: ['idle-rss', 'start-rss', 'idle-cpu'],
  quick: false,
  async run({ load, meter }) {
    await wait(500)
    const atStart = meter.residentBytes()
    const open = (count: number) => load.clients(count, (client, index) => client.subscribe(`idle-${index % channels}`))
    await open(silent)
    await wait(2_000)
    const idleMsPerSecond: number[] = []
    while (idleMsPerSecond.length < slices) idleMsPerSecond.push(await idleSlice(meter))
    await open(held - silent)
    await wait(collectedMs)
    const grown = meter.residentBytes() - atStart
    return [
      { row: 'idle-rss', value: grown / held, operations: held },
      { row: 'start-rss', value: atStart / 1_000_000, operations: 1 },
      { row: 'idle-cpu', value: Math.min(...idleMsPerSecond), operations: slices },
    ]
  },
}

async function idleSlice(meter: Meter): Promise<number> {
  const from = performance.now()
  const { microseconds } = await meter.cpu(() => wait(sliceMs))
  return microseconds / (performance.now() - from)
}
