import { join } from 'node:path'
import { EventStream } from '../../black-box/event-stream.js'
import { RestClient } from '../../black-box/rest-client.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp } from '../../black-box/server-node.js'
import { sleep } from '../../black-box/waiting.js'
import { rest } from '../../harness/rest.js'
import { Cluster, leases } from '../cluster.js'
import { checkOrder, checkRest, joinAll, names, rangeText, watchAll } from '../members.js'

const channel = 'presence-room'
const minuteMs = 60_000
/** Each node's wall clock against the true one, in ms. */
const shiftsMs = [-5 * minuteMs, 0, 5 * minuteMs]
const nodes = [0, 1, 2]
const perNode = 20
const perSecond = 50
const preload = join(import.meta.dirname, '..', 'shifted-clock.cjs')

/** `--fast` runs for 8 s instead of 40 s. */
export const r27: Scenario = {
  id: 'R27',
  title: 'the clocks of 3 nodes are 5 min behind, right, and 5 min ahead; REST callers are 9 and 11 min behind them',
  seconds: { fast: 18, normal: 50, long: 50 },
  async run(run) {
    const cluster = await Cluster.start(run, {
      nodes: nodes.length,
      config: leases(run),
      options: (index) => ({
        nodeArguments: ['--require', preload],
        environment: { BELFRY_TEST_CLOCK_SHIFT_MS: String(shiftsMs[index]) },
      }),
    })
    const watches = await watchAll(run, cluster, nodes, channel, 1)
    for (const node of nodes) await joinAll(run, cluster, node, channel, names(`user-${node}`, perNode))
    const people = nodes.flatMap((node) => [`watcher-${node}-0`, ...names(`user-${node}`, perNode)])
    const streams = nodes.map(
      (node) => new EventStream(new RestClient(cluster.target(node)), { channel: `from-${node}`, perSecond }),
    )
    for (const watch of watches) {
      for (const stream of streams) {
        await watch.client.subscribe(stream.channel)
        stream.read(watch.client)
      }
    }
    await sleep(1000)
    for (const watch of watches) watch.mark()
    const before = await cluster.outbox()
    for (const stream of streams) stream.start()
    await sleep(run.pick(8000, 40_000))
    for (const stream of streams) await stream.stop()

    for (const node of nodes) await callLate(run, cluster, node)
    const triggered = streams.reduce((sum, stream) => sum + stream.sent, 0)
    run.check('triggers', triggered, '> 1 000', triggered > 1000)
    run.equal('triggers not answered 200', sum(streams.map((stream) => stream.notAccepted)), 0)
    run.equal('events missed', sum(streams.map((stream) => stream.missed())), 0)
    run.equal('events doubled or out of order', sum(streams.map((stream) => stream.wrong())), 0)
    run.equal('dropped by the bus', await cluster.sum('bus_dropped_total'), 0)
    run.equal('false removals per watcher', rangeText(watches.map((watch) => watch.removed())), '0')
    run.equal('false arrivals per watcher', rangeText(watches.map((watch) => watch.added())), '0')
    run.equal('webhooks', (await cluster.outbox(before)).length, 0)
    checkOrder(run, watches)
    await checkRest(run, cluster, nodes, channel, people)
  },
}

/** Callers 9 and 11 minutes behind this node's clock. */
async function callLate(run: Run, cluster: Cluster, node: number): Promise<void> {
  const target = { url: cluster.node(node).url, appId: oneApp.id, key: oneApp.key, secret: oneApp.secret }
  const nodeS = Math.floor((Date.now() + (shiftsMs[node] ?? 0)) / 1000)
  const ask = (timestampS: number) => rest(target, 'GET', 'channels', { timestampS })
  const name = `node ${(shiftsMs[node] ?? 0) / minuteMs} min`
  run.equal(`${name}: caller 9 min behind it`, (await ask(nodeS - 9 * 60)).status, 200)
  const late = nodeS - 11 * 60
  const refusal = await ask(late)
  const timesS = (refusal.text.match(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g) ?? []).map((time) => Date.parse(time) / 1000)
  const both = timesS.includes(late) && timesS.some((timeS) => Math.abs(timeS - nodeS) < 30)
  run.equal(
    `${name}: caller 11 min behind it`,
    `${refusal.status}, ${both ? 'both times' : 'not both times'}`,
    '401, both times',
  )
  if (!both) run.figure('  text', refusal.text)
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
