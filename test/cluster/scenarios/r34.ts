import { RestClient } from '../../black-box/rest-client.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { timeUntil } from '../../black-box/waiting.js'
import type { WireClient } from '../../black-box/wire-client.js'
import { Cluster } from '../cluster.js'

const nodes = [0, 1, 2]
const channels = Array.from({ length: 20 }, (_none, index) => `talk-${String(index).padStart(2, '0')}`)
const clientsPerNode = 17
const eventName = 'numbered'
const digits = 8
const beginning = Buffer.from(`{"event":"${eventName}","channel":"talk-`)
/** After the channel's number. */
const dataAt = '","data":"'.length
const arrivedMs = 10_000

/**
 * Every client is in all 20 channels, and every node publishes to each of them from a connection of its own, the next event as soon
 * as the last one is answered. `--fast`: 300 000 deliveries.
 */
export const r34: Scenario = {
  id: 'R34',
  title: '1 M deliveries over 3 nodes and 20 channels',
  seconds: { fast: 10, normal: 30, long: 30 },
  async run(run) {
    const cluster = await Cluster.start(run, { nodes: nodes.length })
    const readers: Reader[] = []
    for (const node of nodes) {
      const clients = await run.clients(clientsPerNode, cluster.target(node), async (client) => {
        for (const channel of channels) await client.subscribe(channel)
      })
      readers.push(...clients.map((client) => new Reader(client)))
    }
    const perLane = Math.ceil(run.pick(300_000, 1_000_000) / (readers.length * nodes.length * channels.length))
    const startedAtMs = performance.now()
    const lanes = nodes.flatMap((node) =>
      channels.map((_name, channel) => publish(run, cluster, node, channel, perLane)),
    )
    const refused = (await Promise.all(lanes)).reduce((sum, count) => sum + count, 0)
    const expected = readers.length * nodes.length * channels.length * perLane
    const received = () => readers.reduce((sum, reader) => sum + reader.received, 0)
    await timeUntil(() => received() >= expected, arrivedMs)
    const seconds = (performance.now() - startedAtMs) / 1000
    run.equal('triggers not answered 200', refused, 0)
    run.equal('deliveries', received(), expected)
    run.figure('  per second', Math.round(received() / seconds))
    run.equal(
      'lost',
      readers.reduce((sum, reader) => sum + reader.lost(perLane), 0),
      0,
    )
    run.equal(
      'doubled',
      readers.reduce((sum, reader) => sum + reader.doubled, 0),
      0,
    )
    run.equal(
      'reordered',
      readers.reduce((sum, reader) => sum + reader.reordered, 0),
      0,
    )
    run.equal(
      'gaps, lost, by the metrics',
      `${await cluster.sum('bus_gaps_total')}, ${await cluster.sum('bus_lost_total')}`,
      '0, 0',
    )
    run.equal('connections dropped', readers.filter(({ client }) => client.closed !== undefined).length, 0)
  },
}

/** @returns how many were not accepted */
async function publish(run: Run, cluster: Cluster, node: number, channel: number, count: number): Promise<number> {
  const rest = new RestClient(cluster.target(node))
  run.onEnd(() => rest.close())
  let refused = 0
  for (let number = 0; number < count; number += 1) {
    const data = `${node}:${String(number).padStart(digits, '0')}`
    const { status } = await rest.trigger([channels[channel]!], eventName, data)
    if (status !== 200) refused += 1
  }
  return refused
}

/** One client: what came from each publisher in each channel. */
class Reader {
  readonly client: WireClient
  received = 0
  doubled = 0
  reordered = 0
  /** Per publisher and channel: the number awaited next. */
  readonly #next = new Uint32Array(nodes.length * channels.length)
  /** Jumped over and not seen since. */
  readonly #missing = new Set<number>()

  constructor(client: WireClient) {
    this.client = client
    client.onBytes = (bytes, start, end) => {
      const channelAt = start + beginning.length
      if (end < channelAt || beginning.compare(bytes, start, channelAt) !== 0) return false
      const nodeAt = channelAt + 2 + dataAt
      this.#take(
        readNumber(bytes, nodeAt, 1) * channels.length + readNumber(bytes, channelAt, 2),
        readNumber(bytes, nodeAt + 2, digits),
      )
      return true
    }
  }

  lost(perLane: number): number {
    return this.#missing.size + this.#next.reduce((sum, next) => sum + perLane - next, 0)
  }

  #take(lane: number, number: number): void {
    const next = this.#next[lane] ?? 0
    const place = (of: number) => of * nodes.length * channels.length + lane
    if (number < next) {
      if (!this.#missing.delete(place(number))) {
        this.doubled += 1
        return
      }
      this.reordered += 1
    } else {
      for (let between = next; between < number; between += 1) this.#missing.add(place(between))
      this.#next[lane] = number + 1
    }
    this.received += 1
  }
}

function readNumber(bytes: Buffer, start: number, length: number): number {
  let value = 0
  for (let index = start; index < start + length; index += 1) value = value * 10 + (bytes[index] ?? 0) - 0x30
  return value
}
