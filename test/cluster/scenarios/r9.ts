import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import type { ServerNode } from '../../black-box/server-node.js'
import { sleep } from '../../black-box/waiting.js'
import { Cluster } from '../cluster.js'
import { checkAnswers, checkNoneTwice, checkRefused } from '../ledger-checks.js'
import { Ledger, type Session } from '../ledger.js'

const nodes = [0, 1, 2]
const readersPerNode = 10
const perSecond = 100
const killEveryMs = 2000
const lossMax = 0.01

/** `--fast` cuts for 14 s instead of 60 s. */
export const r9: Scenario = {
  id: 'R9',
  title: 'CLIENT KILL TYPE pubsub every 2 s under 3 nodes and 100 triggers/s',
  seconds: { fast: 25, normal: 70, long: 70 },
  async run(run) {
    const cluster = await Cluster.start(run, { nodes: nodes.length })
    const ledger = new Ledger({ channels: ['steady'], perSecond, targets: nodes.map((node) => cluster.target(node)) })
    const sessions: Session[][] = []
    for (const node of nodes) {
      const clients = await run.clients(readersPerNode, cluster.target(node), (client) => client.subscribe('steady'))
      sessions.push(clients.map((client) => ledger.read(client)))
    }
    ledger.start()
    // A node counts from the first message it has seen.
    await sleep(1000)
    const brokeAtMs = performance.now()
    let cuts = 0
    let killed = 0
    while (performance.now() < brokeAtMs + run.pick(14_000, 60_000)) {
      killed += Number(await cluster.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub'))
      cuts += 1
      await sleep(killEveryMs)
    }
    await ledger.stop()

    run.check('cuts, connections killed', `${cuts}, ${killed}`, `${nodes.length} each`, killed >= cuts * nodes.length)
    checkAnswers(run, ledger)
    checkNoneTwice(run, ledger)
    checkRefused(run, ledger, brokeAtMs, 0)
    const missing = ledger.missing().length
    const loss = missing / (missing + ledger.deliveries)
    run.check(
      'loss',
      `${(loss * 100).toFixed(2)} %, ${missing} of ${missing + ledger.deliveries}`,
      `≤ ${lossMax * 100} %`,
      loss <= lossMax,
      // What is lost is what comes while a link is being made again.
      { timed: true },
    )
    for (const node of nodes) await checkCounted(run, ledger, cluster.node(node), node, sessions[node]!)
    run.figure('reconnects, by the metric', await cluster.sum('bus_reconnects_total'))
  },
}

/** What a node's clients miss is what it has counted, and it has said so. */
async function checkCounted(
  run: Run,
  ledger: Ledger,
  node: ServerNode,
  index: number,
  sessions: readonly Session[],
): Promise<void> {
  const missed = new Set(sessions.map((session) => ledger.missedBy(session)))
  const scrape = await node.scrape()
  const [gaps, lost] = [scrape.sum('bus_gaps_total'), scrape.sum('bus_lost_total')]
  run.equal(`lost on node ${index}, by its metric`, String(lost), [...missed].join(' or '))
  const lines = node.logLines.filter(({ msg }) => msg === 'Messages of the bus were missed')
  // Of one message ten lines a minute are written, and the others counted.
  const told = lines.length === gaps || (lines.length >= 10 && gaps > lines.length)
  run.check('  gaps, by the metric and in the log', `${gaps}, ${lines.length}`, 'equal, or sampled', told)
}
