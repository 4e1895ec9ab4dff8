import { RestClient } from '../../black-box/rest-client.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { sleep } from '../../black-box/waiting.js'
import { WireClient } from '../../black-box/wire-client.js'
import { Cluster, watchedApp } from '../cluster.js'

const perSecond = 300
const durationMs = 10_000
const connectionsMax = 900
/** A slice is a 50th of the limit (connection-places.ts). */
const slice = connectionsMax / 50
const comers = 1200
const lanes = 8
/** Triggers per second offered to each node, together 1.8 times the budget; then the load moves to another node. */
const offers = [
  [400, 120, 20],
  [10, 60, 470],
]
/** Of a hundred comers, so many go to each node. */
const comersOfHundred = [70, 25, 5]

/** D8. */
export const budget: Scenario = {
  id: 'BUDGET',
  title: `${perSecond} triggers/s and ${connectionsMax} connections shared by 3 unevenly loaded nodes`,
  seconds: { fast: 20, normal: 40, long: 40 },
  async run(run) {
    const limits = { triggersPerSecond: perSecond, connections: connectionsMax }
    const cluster = await Cluster.start(run, { nodes: 3, apps: [{ ...watchedApp, limits }] })
    for (const offered of offers.slice(0, run.pick(1, offers.length))) {
      const loads = await Promise.all(offered.map((rate, node) => offer(cluster, node, rate)))
      const wanted = (perSecond * durationMs) / 1000
      const accepted = loads.reduce((sum, load) => sum + load.accepted, 0)
      const holds = Math.abs(accepted - wanted) <= wanted / 10
      run.check(`accepted in 10 s of ${offered.join(' + ')} per second`, accepted, `${wanted} ± 10 %`, holds)
      run.figure('  per node', loads.map((load) => load.accepted).join(' + '))
      run.equal(
        '  answered neither 200 nor 429',
        loads.reduce((sum, load) => sum + load.others, 0),
        0,
      )
      const sent = loads.reduce((sum, load) => sum + load.sent, 0)
      run.check('  offered', sent, '≥ 1.5 × the budget', sent >= 1.5 * wanted, { timed: true })
    }
    await checkConnections(run, cluster)
  },
}

interface Load {
  sent: number
  accepted: number
  others: number
}

/** Open loop at this rate: what is due while all lanes wait is sent as soon as one is free. */
async function offer(cluster: Cluster, node: number, rate: number): Promise<Load> {
  const load: Load = { sent: 0, accepted: 0, others: 0 }
  const startedAtMs = performance.now()
  const due = () => Math.floor((Math.min(durationMs, performance.now() - startedAtMs) * rate) / 1000)
  const lane = async () => {
    const rest = new RestClient(cluster.target(node))
    while (performance.now() < startedAtMs + durationMs) {
      if (load.sent >= due()) {
        await sleep(1)
        continue
      }
      load.sent += 1
      const { status } = await rest.trigger(['anything'], 'event', 'x')
      if (status === 200) load.accepted += 1
      else if (status !== 429) load.others += 1
    }
    rest.close()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return load
}

async function checkConnections(run: Run, cluster: Cluster): Promise<void> {
  const codes = new Map<number | string, number>()
  const admitted: WireClient[] = []
  let next = 0
  const lane = async () => {
    for (let index = next++; index < comers; index = next++) {
      const client = new WireClient(cluster.target(nodeOf(index)))
      run.onEnd(() => client.destroy())
      await client.connected.then(
        () => admitted.push(client),
        () => undefined,
      )
      await sleep(5)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  // A refusal is a close after the handshake of TCP; it may still be on its way.
  await sleep(1000)
  const open = admitted.filter((client) => client.closed === undefined).length
  for (const { closed } of admitted) if (closed !== undefined) codes.set(closed.code, (codes.get(closed.code) ?? 0) + 1)
  run.check(
    `admitted of ${comers} connections`,
    open,
    `${connectionsMax} ± ${slice}`,
    Math.abs(open - connectionsMax) <= slice,
  )
  run.figure(
    '  closed after they were admitted',
    [...codes].map(([code, count]) => `${count} × ${code}`).join(', ') || 'none',
  )

  for (const client of admitted.slice(0, 100)) client.destroy()
  await sleep(1000)
  let back = 0
  for (let index = 0; index < 150; index += 1) {
    const client = new WireClient(cluster.target(index % 3))
    run.onEnd(() => client.destroy())
    await client.connected.then(
      () => (back += 1),
      () => undefined,
    )
  }
  const now = open - 100 + back
  run.check(
    'after 100 have gone and 150 came',
    now,
    `${connectionsMax} ± ${slice}`,
    Math.abs(now - connectionsMax) <= slice,
  )
}

function nodeOf(index: number): number {
  const place = (index * 37) % 100
  if (place < comersOfHundred[0]!) return 0
  return place < comersOfHundred[0]! + comersOfHundred[1]! ? 1 : 2
}
