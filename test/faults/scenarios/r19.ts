import { median } from '../../../bench/measure/statistics.js'
import { EventStream } from '../../black-box/event-stream.js'
import { RestClient } from '../../black-box/rest-client.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp, type ServerNode } from '../../black-box/server-node.js'
import { megabytes, sleep, timeUntil, until } from '../../black-box/waiting.js'
import { WindowedLatency, windowsText } from '../../black-box/windowed-latency.js'
import type { WireClient } from '../../black-box/wire-client.js'

const fastClients = { fast: 50, normal: 200, long: 200 }
const slow = 20
const eventBytes = 8192
const perSecond = 200
/** The default of `websocket.backpressureBytes`. */
const limitBytes = 1_048_576
const baselineMs = 4000
const windowMs = 500
const busyMs = 250
/** A machine that others use too gets more rounds before it fails. */
const moreRounds = 4

interface Round {
  /** Of the fast clients alone and beside the slow ones, per window. */
  readonly baseP99sMs: readonly number[]
  readonly slowP99sMs: readonly number[]
  readonly goneMs: number
  readonly grownBytes: number
  /** How the slow ones ended, in their own eyes, once they read again. */
  readonly ends: readonly (number | string)[]
}

export const r19: Scenario = {
  id: 'R19',
  title: `200 fast clients (50 with --fast) and ${slow} that never read, ${eventBytes} B events at ${perSecond}/s`,
  seconds: { fast: 45, normal: 90, long: 90 },
  async run(run) {
    const fast = fastClients[run.mode]
    const node = await run.startNode({ apps: [oneApp], websocket: { backpressureBytes: limitBytes } })
    const stream = new EventStream(new RestClient(node.target()), { channel: 'steady', perSecond, bytes: eventBytes })
    await run.clients(fast, node.target(), async (client) => {
      await client.subscribe(stream.channel)
      stream.read(client)
    })
    stream.start()
    await sleep(2000)
    const filesBefore = node.openFiles().sockets
    const rounds: Round[] = []
    const wanted = run.pick(3, 5)
    while (rounds.length < wanted || (rise(rounds) >= 0.2 && rounds.length < wanted + moreRounds)) {
      rounds.push(await playRound(run, node, stream))
    }
    await stream.stop()
    const base = rounds.flatMap((round) => round.baseP99sMs)
    // With queues that only grow, a rise would mean nothing.
    const isTellable = median(base) < busyMs
    run.check(
      'fast p99 without the slow',
      windowsText(base),
      `< ${busyMs} ms, or the machine is too busy`,
      isTellable,
      {
        timed: true,
      },
    )
    run.figure('fast p99 beside the slow', windowsText(rounds.flatMap((round) => round.slowP99sMs)))
    const risen = rise(rounds)
    run.check(`rise, ${rounds.length} rounds`, `${(risen * 100).toFixed(0)} %`, '< 20 %', risen < 0.2, { timed: true })
    const grown = Math.max(...rounds.map((round) => round.grownBytes))
    const allowed = slow * limitBytes + 20 * 1_048_576
    run.check('memory grew by at most', megabytes(grown), `≤ ${megabytes(allowed)}`, grown <= allowed)
    const gone = Math.max(...rounds.map((round) => round.goneMs))
    run.reached(`all ${slow} gone after at most`, gone, 30_000, '≤ 30 s')
    const counted = (await node.scrape()).sum('slow_consumer_closed_total')
    run.equal('counted as slow consumers', counted, slow * rounds.length)
    const ends = rounds.flatMap((round) => round.ends)
    const fine = ends.filter((end) => end === 4100 || end === 1006).length
    run.equal('slow ones that read 4100 or the end, once they read', fine, slow * rounds.length)
    run.figure('of them 4100', ends.filter((end) => end === 4100).length)
    const freed = await timeUntil(() => node.openFiles().sockets <= filesBefore, 5000)
    run.equal(
      'sockets of the slow left in the process',
      freed === undefined ? node.openFiles().sockets - filesBefore : 0,
      0,
    )
    run.equal('fast clients: events missed, wrong', `${stream.missed()}, ${stream.wrong()}`, '0, 0')
    run.figure('events', `${stream.sent}, answered ${stream.answersText()}`)
  },
}

/** Fast clients alone, then beside slow ones until those are gone. */
async function playRound(run: Run, node: ServerNode, stream: EventStream): Promise<Round> {
  const base = new WindowedLatency(stream.latency, windowMs)
  await sleep(baselineMs)
  const baseP99sMs = base.stop()
  const rssBefore = node.rssBytes()
  const closedBefore = (await node.scrape()).sum('slow_consumer_closed_total')
  const stuck = await run.clients(slow, node.target(), async (client) => {
    await client.subscribe(stream.channel)
    client.onBytes = () => true
    client.pause()
  })
  const beside = new WindowedLatency(stream.latency, windowMs)
  const startedAtMs = performance.now()
  let grownBytes = 0
  const areGone = async () => {
    grownBytes = Math.max(grownBytes, node.rssBytes() - rssBefore)
    const scrape = await node.scrape()
    return (
      scrape.sum('connected') === stream.readers.length &&
      scrape.sum('slow_consumer_closed_total') >= closedBefore + slow
    )
  }
  const gone = await timeUntil(areGone, 40_000, 200)
  const goneMs = gone === undefined ? Infinity : performance.now() - startedAtMs
  const slowP99sMs = beside.stop()
  for (const client of stuck) client.resume()
  await until('the slow ones read their end', () => stuck.every((client) => client.ended), 10_000).catch(
    () => undefined,
  )
  const ends = stuck.map((client: WireClient) => client.closed?.code ?? 'still open')
  for (const client of stuck) client.destroy()
  await sleep(1000)
  return { baseP99sMs, slowP99sMs, goneMs, grownBytes, ends }
}

function rise(rounds: readonly Round[]): number {
  const [beside, base] = [rounds.flatMap((round) => round.slowP99sMs), rounds.flatMap((round) => round.baseP99sMs)]
  return median(beside) / median(base) - 1
}
