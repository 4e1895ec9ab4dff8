/**
 * R6 and R7: Redis is killed and comes back empty, or freezes. Every trigger is accounted for.
 *
 * Scaled: 200 of the 1 000 connections get every event (20 000 deliveries/s); the others are in rooms of their own, and 210 of them
 * are presence members. `--fast`: 300 connections, 60 of them get every event; Redis is away for 5 s, frozen for 3 s.
 */
import { LatencyHistogram } from '../../black-box/latency.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { ms, sleep, timeUntil } from '../../black-box/waiting.js'
import type { WireClient } from '../../black-box/wire-client.js'
import { Cluster } from '../cluster.js'
import { checkAnswers, checkDeliveries, checkRefused } from '../ledger-checks.js'
import { Ledger } from '../ledger.js'
import type { MemberWatch } from '../member-watch.js'
import { checkOrder, checkRest, joinAll, names, rangeText, restAgrees, viewsAgree, watchAll } from '../members.js'
import { typesText, type OutboxRecord } from '../outbox.js'

const channel = 'presence-room'
const membersPerNode = 100
const watchersPerNode = 5
const perSecond = 100
const servingMs = 3000
const exactMs = 20_000
/** Longer than a lease and the wait for other nodes: what would be told wrongly, has been told. */
const afterwardsMs = 18_000
const freshP99Ms = 500
/** Channels that are entered meanwhile: their webhooks are true. */
const freshNames = 'fresh-'
/** Under way at the kill, in the whole run. */
const underWayMax = 5

export const r6: Scenario = {
  id: 'R6',
  title: 'Redis is killed under 1 000 connections on 2 nodes and 100 triggers/s, and comes back empty',
  seconds: { fast: 20, normal: 45, long: 45 },
  async run(run) {
    const stage = await Stage.set(run)
    const { redis } = stage.cluster
    const brokeAtMs = performance.now()
    await redis.kill()
    await sleep(run.pick(5000, 10_000))
    await redis.restart()
    await stage.end(brokeAtMs, performance.now(), underWayMax)
  },
}

export const r7: Scenario = {
  id: 'R7',
  title: 'Redis freezes under 1 000 connections on 2 nodes and 100 triggers/s',
  seconds: { fast: 18, normal: 35, long: 35 },
  async run(run) {
    const stage = await Stage.set(run)
    const { cluster } = stage
    const brokeAtMs = performance.now()
    cluster.redis.freeze()
    const latency = await comeFor(run, cluster, brokeAtMs + run.pick(3000, 5000))
    cluster.redis.thaw()
    await stage.end(brokeAtMs, performance.now(), 0)
    const p99 = latency.quantileMs(0.99)
    run.inTime(`p99 of ${latency.count} that connect and subscribe meanwhile`, p99, freshP99Ms, `< ${ms(freshP99Ms)}`)
  },
}

interface InPlace {
  readonly ledger: Ledger
  readonly watches: readonly MemberWatch[]
  readonly crowd: readonly WireClient[]
  readonly before: readonly OutboxRecord[]
}

/** Everybody in place, and triggers running. */
class Stage {
  readonly cluster: Cluster
  readonly #run: Run
  readonly #ledger: Ledger
  readonly #watches: readonly MemberWatch[]
  readonly #crowd: readonly WireClient[]
  readonly #before: readonly OutboxRecord[]

  private constructor(run: Run, cluster: Cluster, { ledger, watches, crowd, before }: InPlace) {
    this.cluster = cluster
    this.#run = run
    this.#ledger = ledger
    this.#watches = watches
    this.#crowd = crowd
    this.#before = before
  }

  static async set(run: Run): Promise<Stage> {
    const connections = run.pick(300, 1000)
    const readers = run.pick(60, 200)
    const cluster = await Cluster.start(run, { nodes: 2 })
    const ledger = new Ledger({ channels: ['steady'], perSecond, targets: [cluster.target(0), cluster.target(1)] })
    const watches = await watchAll(run, cluster, [0, 1], channel, watchersPerNode)
    const crowd: WireClient[] = watches.map(({ client }) => client)
    for (const node of [0, 1]) {
      crowd.push(...(await joinAll(run, cluster, node, channel, membersOf(node))))
      const reading = await run.clients(readers / 2, cluster.target(node), (client) => client.subscribe('steady'))
      for (const client of reading) ledger.read(client)
      crowd.push(...reading)
      const left = connections / 2 - membersPerNode - watchersPerNode - readers / 2
      crowd.push(
        ...(await run.clients(left, cluster.target(node), (client, index) => client.subscribe(`room-${index}`))),
      )
    }
    await timeUntil(() => viewsAgree(watches, channel, everybody), 5000)
    // Nobody comes or goes from now on: whatever is told of members, or to a webhook, is false.
    for (const watch of watches) watch.mark()
    ledger.start()
    await sleep(2000)
    return new Stage(run, cluster, { ledger, watches, crowd, before: await cluster.outbox() })
  }

  async end(brokeAtMs: number, backAtMs: number, refusedMax: number): Promise<void> {
    const run = this.#run
    const exact = await this.#timeToExact()
    run.inTime('presence is exact on both nodes, since Redis is back, after', exact, exactMs)
    await sleep(Math.max(0, run.pick(6000, afterwardsMs) - (performance.now() - backAtMs)))
    await this.#ledger.stop()
    run.figure('triggers while Redis was away', this.#ledger.answersText(brokeAtMs, backAtMs))
    checkAnswers(run, this.#ledger)
    checkDeliveries(run, this.#ledger)
    checkRefused(run, this.#ledger, brokeAtMs, refusedMax)
    run.figure('unsure, by the metric', await this.cluster.sum('bus_unsure_total'))
    for (const node of [0, 1]) {
      const first = this.#ledger.firstSuccessMs(backAtMs, node)
      run.reached(`first 200 of node ${node}, since Redis is back, after`, first, servingMs)
    }
    await this.#checkNothingFalse()
  }

  /** Since the call, until REST tells the truth: it refuses or tells the truth meanwhile, and so do the views. */
  async #timeToExact(): Promise<number | undefined> {
    const exact = async () =>
      viewsAgree(this.#watches, channel, everybody) && (await restAgrees(this.cluster, [0, 1], channel, everybody))
    return timeUntil(exact, exactMs, 50)
  }

  async #checkNothingFalse(): Promise<void> {
    const run = this.#run
    await checkRest(run, this.cluster, [0, 1], channel, everybody)
    const removed = this.#watches.map((watch) => watch.removed())
    const added = this.#watches.map((watch) => watch.added())
    run.equal('false member_removed, member_added per watcher', `${rangeText(removed)}, ${rangeText(added)}`, '0, 0')
    checkOrder(run, this.#watches)
    const records = await this.cluster.outbox(this.#before)
    const untrue = records.filter((record) => !record.channel.startsWith(freshNames))
    run.equal('webhooks', typesText(untrue), 'none')
    const dropped = this.#crowd.filter((client) => client.closed !== undefined).length
    const ended = 2 - this.cluster.running().length
    run.equal(`dropped of ${this.#crowd.length} connections, ended processes`, `${dropped}, ${ended}`, '0, 0')
  }
}

const everybody = [0, 1].flatMap((node) => [...membersOf(node), ...names(`watcher-${node}`, watchersPerNode)])

function membersOf(node: number): string[] {
  return names(`user-${node}`, membersPerNode)
}

/** Clients that connect and subscribe, one after another. */
async function comeFor(run: Run, cluster: Cluster, untilMs: number): Promise<LatencyHistogram> {
  const latency = new LatencyHistogram()
  for (let index = 0; performance.now() < untilMs; index += 1) {
    const startedAtMs = performance.now()
    const client = await run.client(cluster.target(index % 2))
    await client.subscribe(index % 4 < 2 ? `${freshNames}${index}` : 'steady')
    latency.add(performance.now() - startedAtMs)
    await sleep(20)
  }
  return latency
}
