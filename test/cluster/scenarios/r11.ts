import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { sleep, timeUntil } from '../../black-box/waiting.js'
import { Cluster } from '../cluster.js'
import { checkNoneTwice } from '../ledger-checks.js'
import { Ledger, type Session } from '../ledger.js'
import { checkOrder, checkSettled, joinAll, names, watchAll } from '../members.js'

const channel = 'presence-room'
const nodes = [0, 1, 2]
const cutNode = 0
const others = [1, 2]
const membersPerNode = 20
const watchersPerNode = 2
const readersPerNode = 10
const perSecond = 50
const redMs = 10_000
const equalMs = 10_000
const answeredMs = 1600

/** `--fast` cuts for 10 s instead of 30 s: readiness has just turned red, and the node's lease is about to end. */
export const r11: Scenario = {
  id: 'R11',
  title: 'what Redis sends to 1 of 3 nodes is cut off, what the node sends is not',
  seconds: { fast: 20, normal: 40, long: 40 },
  async run(run) {
    const cluster = await Cluster.start(run, { nodes: nodes.length, proxied: [cutNode] })
    // Two accounts: what the cut node is asked to publish, and what the others are.
    const ofCut = new Ledger({ channels: ['cut'], perSecond, targets: [cluster.target(cutNode)] })
    const ofOthers = new Ledger({ channels: ['kept'], perSecond, targets: others.map((node) => cluster.target(node)) })
    const watches = await watchAll(run, cluster, nodes, channel, watchersPerNode)
    const cutSessions: Session[] = []
    const keptSessions: Session[] = []
    for (const node of nodes) {
      await joinAll(run, cluster, node, channel, names(`user-${node}`, membersPerNode))
      const clients = await run.clients(readersPerNode, cluster.target(node), async (client) => {
        await client.subscribe('cut')
        await client.subscribe('kept')
      })
      for (const client of clients) {
        ofCut.read(client)
        const session = ofOthers.read(client)
        ;(node === cutNode ? cutSessions : keptSessions).push(session)
      }
    }
    for (const ledger of [ofCut, ofOthers]) ledger.start()
    await sleep(1000)

    const cutAtMs = performance.now()
    cluster.proxy(cutNode).freeze('answers')
    const red = await timeUntil(async () => !(await cluster.node(cutNode).ready()), redMs + 5000)
    run.reached('readiness of the cut node is red after', red, redMs)
    // Whoever comes and goes meanwhile is known to some nodes only.
    const [late] = await joinAll(run, cluster, 1, channel, ['late-1'])
    await joinAll(run, cluster, cutNode, channel, ['late-0'])
    await sleep(Math.max(0, cutAtMs + run.pick(10_000, 30_000) - performance.now()))
    late?.close()
    const thawedAtMs = performance.now()
    cluster.proxy(cutNode).thaw()
    const users = [
      'late-0',
      ...nodes.flatMap((node) => [
        ...names(`user-${node}`, membersPerNode),
        ...names(`watcher-${node}`, watchersPerNode),
      ]),
    ]
    await checkSettled(run, cluster, {
      name: 'every view and REST is the truth after',
      withinMs: equalMs,
      channel,
      users,
      watches,
    })
    const ready = await timeUntil(() => cluster.node(cutNode).ready(), equalMs)
    run.reached('readiness is back after', ready === undefined ? undefined : performance.now() - thawedAtMs, equalMs)
    const answers = ofOthers.triggers.length
    await timeUntil(() => ofOthers.triggers.length > answers + perSecond, 3000)
    for (const ledger of [ofCut, ofOthers]) await ledger.stop()

    await checkCutNode(run, cluster, ofCut, cutAtMs, thawedAtMs)
    run.figure('triggers to the others', ofOthers.answersText())
    run.equal('  not accepted', ofOthers.triggers.filter(({ status }) => status !== 200).length, 0)
    run.equal('  missing at their clients', ofOthers.missing(keptSessions).length, 0)
    await checkLoss(run, cluster, [ofCut, ofOthers])
    for (const ledger of [ofCut, ofOthers]) checkNoneTwice(run, ledger)
    checkOrder(run, watches)
    run.equal('processes that ended', nodes.length - cluster.running().length, 0)
  },
}

async function checkCutNode(
  run: Run,
  cluster: Cluster,
  ledger: Ledger,
  cutAtMs: number,
  thawedAtMs: number,
): Promise<void> {
  run.figure('triggers to the cut node meanwhile', ledger.answersText(cutAtMs, thawedAtMs))
  const meanwhile = ledger.triggers.filter(
    ({ sentAtMs, answeredAtMs }) => sentAtMs > cutAtMs && answeredAtMs < thawedAtMs,
  )
  run.equal('  answered otherwise than 503', meanwhile.filter(({ status }) => status !== 503).length, 0)
  run.reached('  the slowest after', ledger.slowestAnswerMs, answeredMs, '≤ 1500 ms')
  const delivered = ledger.deliveredThoughRefused()
  const unsure = (await cluster.node(cutNode).scrape()).sum('bus_unsure_total')
  run.check(
    '  of these, delivered to the others',
    delivered.length,
    `≤ ${unsure}, counted as unsure`,
    delivered.length <= unsure,
  )
  const last = Math.max(0, ...delivered.map(({ sentAtMs }) => sentAtMs - cutAtMs))
  run.inTime('  the last of them sent after', last, redMs, '≤ 10 s: before the cut is noticed')
  const again = ledger.firstSuccessMs(thawedAtMs, 0)
  run.reached('  accepted again after', again, equalMs)
}

/** What the clients of the cut node missed is what it has counted. */
async function checkLoss(run: Run, cluster: Cluster, ledgers: readonly Ledger[]): Promise<void> {
  // Its clients came first, and each of them misses the same.
  const missed = ledgers.reduce((sum, ledger) => sum + ledger.missedBy(ledger.sessions[0]!), 0)
  const lost = (await cluster.node(cutNode).scrape()).sum('bus_lost_total')
  run.equal('missed by a client of the cut node, by the metric', lost, missed)
}
