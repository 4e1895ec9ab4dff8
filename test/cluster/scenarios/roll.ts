import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp } from '../../black-box/server-node.js'
import { ms, sleep, timeUntil, until } from '../../black-box/waiting.js'
import { findProgram } from '../../harness/find-program.js'
import { startHaproxy } from '../../proxies/haproxy.js'
import { Cluster } from '../cluster.js'
import { checkAnswers, checkDeliveries } from '../ledger-checks.js'
import { Ledger } from '../ledger.js'
import { names, restAgrees, viewsAgree, watchAll } from '../members.js'
import { returningClients, type ReturningClient } from '../returning-client.js'

const channel = 'presence-room'
const nodes = [0, 1, 2]
const perSecond = 50
/** One event a second in each; names of the same length. */
const rooms = Array.from({ length: perSecond }, (_none, index) => `room-${String(index).padStart(2, '0')}`)
const leaving = 20
/** The snippet's two checks in a row, one a second, and one more: an operator (or Kubernetes) waits for the balancer too. */
const balancerSeesMs = 3000

/**
 * The shipped HAProxy configuration, unchanged but for addresses, in place of the balancer of R17. Every client, member or not, reads a
 * room, so the story of each is compared with what was published while it was connected. Triggers come on connections of their own.
 *
 * Scaled: the drain has 3 s + 8 s instead of 5 s + 20 s, which `--long` has. `--fast`: 300 clients, 60 of them members, 3 s + 3 s.
 */
export const roll: Scenario = {
  id: 'ROLL',
  title:
    'rolling restart of 3 nodes behind a real HAProxy from deploy/haproxy, members among the clients, 50 triggers/s',
  seconds: { fast: 55, normal: 90, long: 150 },
  async run(run) {
    const program = findProgram('haproxy')
    if (program === undefined) {
      run.skipped = 'needs haproxy: none in PATH'
      return
    }
    const [clients, members] = run.pick([300, 60], [1500, 300])
    const drain = run.pick(
      { preStopDelayMs: 3000, periodMs: 3000 },
      { preStopDelayMs: 3000, periodMs: 8000 },
      { preStopDelayMs: 5000, periodMs: 20_000 },
    )
    const cluster = await Cluster.start(run, { nodes: nodes.length, config: { drain } })
    const ports = cluster.nodes.map(({ port }) => port)
    const haproxy = await startHaproxy(program, ports)
    run.onEnd(() => haproxy.close())
    const target = { host: '127.0.0.1', port: haproxy.port, app: oneApp }
    const ledger = new Ledger({ channels: rooms, perSecond, targets: [target], fresh: true })
    const users = names('user', members)
    const startedAtMs = performance.now()
    const crowd = await returningClients(
      run,
      clients,
      () => target,
      async (connection, index) => {
        const user = users[index]
        if (user !== undefined) await connection.subscribe(channel, user)
        const room = rooms[index % rooms.length]!
        await connection.subscribe(room)
        const session = ledger.read(connection, [room])
        const { onClosed } = connection
        connection.onClosed = () => {
          session.end()
          onClosed?.()
        }
      },
    )
    run.figure('all connected and subscribed after', ms(performance.now() - startedAtMs))
    await reportSpread(run, cluster, 'connections of each node before')
    ledger.start()
    await sleep(1000)

    for (const node of nodes) await restart(run, cluster, node, drain)
    await timeUntil(() => crowd.every(({ here }) => here), 15_000)
    // Longer than a handover and a lease: what the restarts could still cause, would come now.
    await sleep(run.pick(7000, 16_000))
    await ledger.stop()
    await reportSpread(run, cluster, 'connections of each node after')
    reportReturns(run, crowd)
    run.equal('triggers not accepted', ledger.triggers.filter(({ status }) => status !== 200).length, 0)
    checkAnswers(run, ledger)
    checkDeliveries(run, ledger)
    await checkGhosts(run, cluster, crowd, users)
  },
}

async function restart(
  run: Run,
  cluster: Cluster,
  index: number,
  drain: { readonly preStopDelayMs: number; readonly periodMs: number },
): Promise<void> {
  const node = cluster.node(index)
  const startedAtMs = performance.now()
  node.signal('SIGTERM')
  await until('the node has ended', () => node.exit !== undefined, drain.preStopDelayMs + drain.periodMs + 15_000)
  const took = ms(performance.now() - startedAtMs)
  const code = node.exit?.code
  run.check(`node ${index} ended after`, `${took}, exit code ${code ?? ''}`, 'code 0', code === 0)
  await cluster.restart(index)
  await sleep(balancerSeesMs)
}

async function reportSpread(run: Run, cluster: Cluster, name: string): Promise<void> {
  const connected = await Promise.all(
    cluster.nodes.map(async (node) => (await node.scrape()).sum('connected', 'app_id')),
  )
  run.figure(name, connected.join(', '))
}

function reportReturns(run: Run, crowd: readonly ReturningClient[]): void {
  const returns = crowd.flatMap((client) => client.returns)
  run.equal('closed with another code than 4200', returns.filter(({ code }) => code !== 4200).length, 0)
  run.check('came back', `${returns.length} returns`, '> 0', returns.length > 0)
  run.equal('clients that are not back', crowd.filter(({ here }) => !here).length, 0)
  const failed = crowd.reduce((sum, client) => sum + client.failedAttempts, 0)
  run.equal('attempts to come back that failed', failed, 0)
  const away = returns.map(({ closedAtMs, backAtMs = Infinity }) => backAtMs - closedAtMs)
  run.figure('away, longest', ms(Math.max(...away)))
}

/** Who is there is known exactly, on every node and to whoever comes; and so when some have left for good. */
async function checkGhosts(
  run: Run,
  cluster: Cluster,
  crowd: readonly ReturningClient[],
  users: readonly string[],
): Promise<void> {
  const right = await timeUntil(() => restAgrees(cluster, nodes, channel, users), 5000, 50)
  run.equal('members by REST of each node are those connected', right === undefined ? 'no' : 'yes', 'yes')
  const watches = await watchAll(run, cluster, nodes, channel, 1)
  for (const client of crowd.slice(0, leaving)) client.close()
  const left = [...users.slice(leaving), ...nodes.map((node) => `watcher-${node}-0`)]
  const settled = async () => viewsAgree(watches, channel, left) && (await restAgrees(cluster, nodes, channel, left))
  const took = await timeUntil(settled, 10_000, 50)
  run.reached(`${leaving} leave for good: every view and REST is the truth after`, took, 2000, '≤ 2 s')
}
