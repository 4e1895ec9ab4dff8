import { cpuMicroseconds } from '../../../bench/measure/process-cost.js'
import { Offered, Publisher, watchedChannel } from '../overload.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp, type ServerNode } from '../../black-box/server-node.js'
import { megabytes, ms, sleep, timeUntil, until } from '../../black-box/waiting.js'
import type { WireClient } from '../../black-box/wire-client.js'

const readers = 2
const closedLoopConnections = 64
const times = 4
/**
 * Without its compiler V8 is like a machine several times as slow: only so can one process on the other core offer four times
 * what the node sustains.
 */
const slowMachine = ['--jitless']
const answerMs = 1000
/** Twice the bodies that the node lets wait at any time. */
const growthBytesMax = 256 * 1_048_576

export const r33: Scenario = {
  id: 'R33',
  title: `${times} × the sustainable trigger rate`,
  seconds: { fast: 25, normal: 50, long: 50 },
  async run(run) {
    const node = await run.startNode({ apps: [oneApp] }, { nodeArguments: slowMachine })
    const publisher = new Publisher(node.target())
    run.onEnd(() => publisher.close())
    const seen: Map<number, number>[] = []
    const clients = await run.clients(readers, node.target(), async (client) => {
      await client.subscribe(watchedChannel)
      seen.push(countEvents(client))
    })
    const before = new Offered()
    const sustainable = await measureSustainable(run, node, publisher, before)
    await publisher.open(before)
    await until('the events so far', () => seen.every((events) => countWrong(events, before.accepted) === 0), 5000)
    for (const events of seen) events.clear()

    const offered = new Offered()
    const rssBefore = node.rssBytes()
    const memory = watchMemory(node)
    const lag = watchLag()
    const durationMs = run.pick(10_000, 30_000)
    await publisher.openLoop(times * sustainable, durationMs, offered)
    const grown = memory.stop() - rssBefore
    const rate = (offered.sent * 1000) / durationMs
    // Until the node begins to refuse, all connections wait; that is the first second, which is a tenth of the short run.
    const share = run.pick(0.8, 0.9)
    run.check(
      'offered',
      `${Math.round(rate)}/s over ${publisher.connections} connections`,
      `≥ ${100 * share} % of ${times} ×`,
      rate >= share * times * sustainable,
      { timed: true },
    )
    run.figure('due but not sent, all connections waiting', offered.notSent)
    run.figure('load generator, longest turn', ms(lag.stop()))
    reportAnswers(run, offered)
    await timeUntil(() => seen.every((events) => countWrong(events, offered.accepted) === 0), 5000, 200)
    const wrong = seen.map((events) => countWrong(events, offered.accepted)).join(' ')
    run.equal('accepted but not delivered exactly once, per reader', wrong, seen.map(() => 0).join(' '))
    run.equal('readers dropped', clients.filter((client) => client.closed !== undefined).length, 0)
    run.check('memory grew by at most', megabytes(grown), `≤ ${megabytes(growthBytesMax)}`, grown <= growthBytesMax)
    run.equal('process', node.exit === undefined ? 'runs' : 'ended', 'runs')
    const after = await publisher.closedLoop(closedLoopConnections, 2000, new Offered())
    run.check('rate afterwards, closed loop', `${Math.round(after)}/s`, '≥ half of before', after >= sustainable / 2, {
      timed: after > 0,
    })
  },
}

/** What the node answers over connections that each wait for the answer before. */
async function measureSustainable(run: Run, node: ServerNode, publisher: Publisher, offered: Offered): Promise<number> {
  await publisher.closedLoop(closedLoopConnections, 1500, offered)
  const cpuBefore = cpuMicroseconds([node.pid])
  const measureMs = run.pick(3000, 5000)
  const sustainable = await publisher.closedLoop(closedLoopConnections, measureMs, offered)
  const used = (cpuMicroseconds([node.pid]) - cpuBefore) / (measureMs * 1000)
  run.figure(
    'sustainable, closed loop',
    `${Math.round(sustainable)}/s (100 channels each), ${(used * 100).toFixed(0)} % of a core`,
  )
  return sustainable
}

function reportAnswers(run: Run, offered: Offered): void {
  const text = [...offered.statuses].map(([status, count]) => `${count} × ${status}`).join(', ')
  const strange = [...offered.statuses.keys()].filter((status) => status !== 200 && status !== 429 && status !== 503)
  run.check('answers', text, '200, 429, 503 only', strange.length === 0)
  run.equal('answered', offered.answered, offered.sent)
  const { refusedLatency: refused, acceptedLatency: accepted } = offered
  const figures = (latency: typeof refused) =>
    [latency.quantileMs(0.5), latency.quantileMs(0.99), latency.maxMs].map(ms).join(', ')
  const measured = refused.count === 0 ? 'none' : figures(refused)
  run.check('refused: p50, p99, max', measured, `max ≤ ${ms(answerMs)}`, refused.maxMs <= answerMs, { timed: true })
  run.figure('accepted: p50, p99, max', figures(accepted))
}

/** How often each number came. */
function countEvents(client: WireClient): Map<number, number> {
  const events = new Map<number, number>()
  const marker = Buffer.from('"data":"')
  client.onBytes = (bytes, start, end) => {
    const at = bytes.indexOf(marker, start)
    if (at < 0 || at >= end) return false
    const number = Number.parseInt(bytes.toString('latin1', at + marker.length, end), 10)
    events.set(number, (events.get(number) ?? 0) + 1)
    return true
  }
  return events
}

function countWrong(events: ReadonlyMap<number, number>, accepted: Uint32Array): number {
  let wrong = 0
  for (const [number, count] of accepted.entries()) wrong += Math.abs((events.get(number) ?? 0) - count)
  return wrong
}

function watchMemory(node: ServerNode): { stop(): number } {
  let maxBytes = 0
  const timer = setInterval(() => (maxBytes = Math.max(maxBytes, node.rssBytes())), 100)
  return {
    stop: () => {
      clearInterval(timer)
      return maxBytes
    },
  }
}

/** How late the load generator itself was: its own turns count into every latency it measures. */
function watchLag(): { stop(): number } {
  let last = performance.now()
  let longest = 0
  let running = true
  void (async () => {
    while (running) {
      await sleep(5)
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }
  })()
  return {
    stop: () => {
      running = false
      return longest
    },
  }
}
