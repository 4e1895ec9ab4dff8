import { Balancer } from '../../black-box/balancer.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp } from '../../black-box/server-node.js'
import { sleep, timeUntil, until } from '../../black-box/waiting.js'
import { WireClient } from '../../black-box/wire-client.js'
import { Cluster } from '../cluster.js'
import { checkAnswers, checkDeliveries } from '../ledger-checks.js'
import { Ledger } from '../ledger.js'
import { returningClients, type ReturningClient } from '../returning-client.js'

const readers = 100
const members = 200
const perSecond = 50
/** After the period of the drain. */
const backMs = 5000

/** `--fast`: 500 clients, a pre-stop delay of 2 s and a period of 5 s. test/faults has the same for one node alone. */
export const r16: Scenario = {
  id: 'R16',
  title: 'SIGTERM to 1 of 3 nodes, with all clients on it, 50 triggers/s',
  seconds: { fast: 20, normal: 45, long: 45 },
  async run(run) {
    const drain = run.pick({ preStopDelayMs: 2000, periodMs: 5000 }, { preStopDelayMs: 5000, periodMs: 20_000 })
    const cluster = await Cluster.start(run, { nodes: 3, config: { drain } })
    const balancer = await Balancer.start(() => cluster.nodes)
    run.onEnd(() => balancer.close())
    const balanced = balancer.target(oneApp)
    const ledger = new Ledger({ channels: ['steady'], perSecond, targets: [balanced], fresh: true })
    let draining = false
    const target = () => (draining ? balanced : cluster.target(0))
    const crowd = await returningClients(run, run.pick(500, 2000), target, async (connection, index) => {
      if (index < members) await connection.subscribe('presence-room', `user-${index}`)
      else if (index < members + readers) await ledger.join(connection)
      else await connection.subscribe(`room-${index % 50}`)
    })
    ledger.start()
    await sleep(1000)

    draining = true
    const startedAtMs = performance.now()
    cluster.node(0).signal('SIGTERM')
    await watchPreStop(run, cluster, drain.preStopDelayMs, startedAtMs)
    const deadlineMs = drain.periodMs + 15_000
    await until(
      'every client is closed and the process has ended',
      () => cluster.node(0).exit !== undefined,
      deadlineMs,
    )
    const stoppedAtMs = startedAtMs + drain.preStopDelayMs
    await timeUntil(() => crowd.every(({ here }) => here), backMs + 10_000)
    const backAfterMs = Math.max(...crowd.map((client) => client.returns[0]?.backAtMs ?? Infinity)) - stoppedAtMs
    await ledger.stop()
    reportCloses(run, crowd, drain.periodMs)
    const allowedMs = drain.periodMs + backMs
    run.reached('all back elsewhere, after the pre-stop delay', backAfterMs, allowedMs)
    run.equal('exit code', cluster.node(0).exit?.code ?? '', 0)
    run.figure('connections handed to each node', [...balancer.handed.values()].join(', '))
    run.equal('connections refused behind the balancer', balancer.refused, 0)
    checkAnswers(run, ledger)
    run.equal('triggers not accepted', ledger.triggers.filter(({ status }) => status !== 200).length, 0)
    checkDeliveries(run, ledger)
  },
}

/** Readiness turns red at once; new clients are taken for as long as balancers may still send them. */
async function watchPreStop(run: Run, cluster: Cluster, preStopDelayMs: number, startedAtMs: number): Promise<void> {
  const node = cluster.node(0)
  const red = await timeUntil(async () => (await node.status('/ready')) === 503, 3000)
  run.reached('readiness 503 after', red, 1000, '≤ 1 s')
  let [accepted, refused] = [0, 0]
  while (performance.now() < startedAtMs + preStopDelayMs - 300) {
    const client = new WireClient(node.target())
    await client.connected.then(
      () => (accepted += 1),
      () => (refused += 1),
    )
    client.destroy()
    await sleep(50)
  }
  const text = `${accepted} accepted, ${refused} refused`
  run.check('new clients during the pre-stop delay', text, '> 0, 0', accepted > 0 && refused === 0)
}

function reportCloses(run: Run, crowd: readonly ReturningClient[], periodMs: number): void {
  const firsts = crowd.map((client) => client.returns[0])
  run.equal(`closed with 4200, of ${crowd.length}`, firsts.filter((first) => first?.code === 4200).length, crowd.length)
  run.equal('closed again', crowd.filter(({ returns }) => returns.length > 1).length, 0)
  // Twice what an even spread would be: 10 % for 20 s.
  const allowed = (2 * 1000) / periodMs
  const share = busiestSecond(firsts.map((first) => first?.closedAtMs ?? Infinity)) / crowd.length
  // Whoever reads late sees what was spread as one heap.
  run.check('busiest second closes', `${(share * 100).toFixed(1)} %`, `≤ ${allowed * 100} %`, share <= allowed, {
    timed: true,
  })
}

function busiestSecond(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  let [most, from] = [0, 0]
  for (const [index, time] of sorted.entries()) {
    while (time - (sorted[from] ?? 0) >= 1000) from += 1
    most = Math.max(most, index - from + 1)
  }
  return most
}
