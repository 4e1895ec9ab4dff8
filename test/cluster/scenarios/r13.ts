import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { ms, sleep, timeUntil } from '../../black-box/waiting.js'
import { RedisSentinel } from '../../harness/redis-sentinel.js'
import { Cluster } from '../cluster.js'
import { checkAnswers, checkNoneTwice } from '../ledger-checks.js'
import { Ledger } from '../ledger.js'
import type { MemberWatch } from '../member-watch.js'
import { checkOrder, joinAll, names, rangeText, restAgrees, viewsAgree, watchAll } from '../members.js'

const channel = 'presence-room'
const nodes = [0, 1]
const membersPerNode = 50
const watchersPerNode = 2
const readersPerNode = 10
const perSecond = 50
const servingMs = 2000
const exactMs = 10_000
const everybody = nodes.flatMap((node) => [
  ...names(`user-${node}`, membersPerNode),
  ...names(`watcher-${node}`, watchersPerNode),
])

/** 20 repeats with `--long`, 3 otherwise, 1 with `--fast`. The sentinels call a master down after 1 s. */
export const r13: Scenario = {
  id: 'R13',
  title: 'Sentinel: the master is killed, again and again, under 2 nodes and 50 triggers/s',
  seconds: { fast: 15, normal: 35, long: 200 },
  async run(run) {
    const repeats = run.pick(1, 3, 20)
    const sentinels = await RedisSentinel.start()
    run.onEnd(() => sentinels.close())
    const cluster = await Cluster.start(run, {
      nodes: nodes.length,
      redisSection: { mode: 'sentinel', nodes: sentinels.nodes, sentinelName: sentinels.name },
    })
    const ledger = new Ledger({ channels: ['steady'], perSecond, targets: nodes.map((node) => cluster.target(node)) })
    const watches = await watchAll(run, cluster, nodes, channel, watchersPerNode)
    for (const node of nodes) {
      await joinAll(run, cluster, node, channel, names(`user-${node}`, membersPerNode))
      const clients = await run.clients(readersPerNode, cluster.target(node), (client) => client.subscribe('steady'))
      for (const client of clients) ledger.read(client)
    }
    await timeUntil(() => viewsAgree(watches, channel, everybody), 5000)
    for (const watch of watches) watch.mark()
    ledger.start()
    const rounds: Round[] = []
    for (let count = 0; count < repeats; count += 1)
      rounds.push(await failOver(cluster, sentinels, ledger, watches, count + 1 < repeats))
    await ledger.stop()
    report(run, ledger, rounds)
    run.figure('accepted, and missing at a client', `${ledger.missing().length} of ${ledger.deliveries}`)
    run.figure(
      'lost, unsure, by the metrics',
      `${await cluster.sum('bus_lost_total')}, ${await cluster.sum('bus_unsure_total')}`,
    )
    checkAnswers(run, ledger)
    checkNoneTwice(run, ledger)
    const told = watches.map((watch) => watch.removed() + watch.added())
    run.equal('false member events per watcher', rangeText(told), '0')
    checkOrder(run, watches)
    run.equal('processes that ended', nodes.length - cluster.running().length, 0)
  },
}

interface Round {
  /** Since the kill. */
  readonly promotedMs: number
  /** Of each node, since the promotion. */
  readonly firstMs: readonly (number | undefined)[]
  readonly exactMs: number | undefined
  /** Of the last second of the round, missing at any client. */
  readonly missingAfterwards: number
}

async function failOver(
  cluster: Cluster,
  sentinels: RedisSentinel,
  ledger: Ledger,
  watches: readonly MemberWatch[],
  mend: boolean,
): Promise<Round> {
  await sleep(1000)
  const old = await sentinels.master()
  const killedAtMs = performance.now()
  await old.kill()
  await sentinels.promoted(old)
  const promotedAtMs = performance.now()
  const exact = async () =>
    viewsAgree(watches, channel, everybody) && (await restAgrees(cluster, nodes, channel, everybody))
  const exactAfterMs = await timeUntil(exact, exactMs + 5000, 50)
  const first = (node: number) => ledger.firstSuccessMs(promotedAtMs, node)
  await timeUntil(() => nodes.every((node) => first(node) !== undefined), 10_000)
  // What changed at the promotion shows within a lease.
  await sleep(2000)
  const settledAtMs = performance.now()
  await sleep(1000)
  const untilMs = performance.now()
  await sleep(300)
  const round = {
    promotedMs: promotedAtMs - killedAtMs,
    firstMs: nodes.map(first),
    exactMs: exactAfterMs,
    missingAfterwards: ledger.missing(ledger.sessions, settledAtMs, untilMs).length,
  }
  if (mend) await sentinels.mend(old)
  return round
}

function report(run: Run, ledger: Ledger, rounds: readonly Round[]): void {
  run.figure('rounds', rounds.length)
  run.figure('promotion after the kill, slowest', ms(Math.max(...rounds.map(({ promotedMs }) => promotedMs))))
  const firsts = rounds.flatMap(({ firstMs }) => firstMs)
  const wedged = firsts.filter((first) => first === undefined).length
  const slowest = Math.max(...firsts.map((first) => first ?? Infinity))
  run.reached('first 200 of each node after the promotion, slowest', slowest, servingMs)
  run.equal('wedged nodes, over all rounds', wedged, 0)
  run.equal(
    'missing anywhere in the last second of a round',
    rounds.reduce((sum, round) => sum + round.missingAfterwards, 0),
    0,
  )
  const exacts = rounds.map((round) => round.exactMs ?? Infinity)
  const slowestExact = Math.max(...exacts)
  run.reached('presence exact after the promotion, slowest', slowestExact, exactMs)
  run.figure('refused and yet delivered', `${ledger.deliveredThoughRefused().length} in ${rounds.length} rounds`)
}
