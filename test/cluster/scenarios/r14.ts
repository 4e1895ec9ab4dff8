import { partitionCount, tagOf } from '../../../src/backend/redis/keys.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { ms, sleep, timeUntil } from '../../black-box/waiting.js'
import type { WireClient } from '../../black-box/wire-client.js'
import { RedisCluster } from '../../harness/redis-cluster.js'
import type { RedisServer } from '../../harness/redis-server.js'
import { Cluster } from '../cluster.js'
import { checkAnswers, checkNoneTwice } from '../ledger-checks.js'
import { Ledger } from '../ledger.js'
import { MemberWatch } from '../member-watch.js'
import { checkOrder, names, rangeText, restAgrees, viewsAgree } from '../members.js'

const nodes = [0, 1]
/** Enough for every partition to have some. */
const eventChannels = Array.from({ length: 80 }, (_none, index) => `event-${String(index).padStart(2, '0')}`)
const rooms = names('presence-room', 12)
/** In every room. One of each node leaves, and another comes, while slots move, and again while a master is dead. */
const membersPerNode = 5
const perSecond = 100
const readersPerNode = 3
const exactMs = 15_000
const nodeTimeoutMs = 1500

/** Each master has a replica, so that the cluster can go on; it calls a master down after 1.5 s. */
export const r14: Scenario = {
  id: 'R14',
  title: 'Redis Cluster: all slots of one master move to another, which then dies, under 2 nodes and 100 triggers/s',
  seconds: { fast: 25, normal: 25, long: 25 },
  async run(run) {
    const redis = await RedisCluster.start({ replicas: 1, nodeTimeoutMs })
    run.onEnd(() => redis.close())
    const cluster = await Cluster.start(run, {
      nodes: nodes.length,
      redisSection: { mode: 'cluster', nodes: redis.nodes },
    })
    const ledger = new Ledger({
      channels: eventChannels,
      perSecond,
      targets: nodes.map((node) => cluster.target(node)),
    })
    const people = new People(run, cluster)
    await people.come()
    for (const node of nodes) {
      const clients = await run.clients(readersPerNode, cluster.target(node), async (client) => {
        for (const channel of eventChannels) await client.subscribe(channel)
      })
      for (const client of clients) ledger.read(client)
    }
    ledger.start()
    // A node counts from the first message of a channel that it has seen.
    await sleep((2000 * eventChannels.length) / perSecond)

    const [from, to] = [redis.masters[0]!, redis.masters[1]!]
    const movingAtMs = performance.now()
    const changes = people.change('moving')
    const slots = await moveAll(redis, from, to)
    run.check(`slots of our ${partitionCount} partitions moved`, slots, '> 0', slots > 0)
    run.figure('  in', ms(performance.now() - movingAtMs))
    await changes
    await people.checkExact('presence is exact after the move, after')
    await sleep(1000)
    const killedAtMs = performance.now()
    run.figure('triggers since the move began', ledger.answersText(movingAtMs, killedAtMs))
    run.figure('lost until then, by the metrics', await cluster.sum('bus_lost_total'))

    await to.kill()
    await people.change('dying')
    await people.checkExact('presence is exact since the master died, after', killedAtMs)
    const again = await timeUntil(
      () => nodes.every((node) => ledger.firstSuccessMs(killedAtMs + 3 * nodeTimeoutMs, node) !== undefined),
      exactMs,
    )
    run.check('accepted on both nodes again', again === undefined ? 'no' : 'yes', 'yes', again !== undefined)
    await sleep(3000)
    const settledAtMs = performance.now()
    await sleep(2000)
    await ledger.stop()
    run.figure('triggers since the kill', ledger.answersText(killedAtMs, settledAtMs))
    run.figure('triggers at the end', ledger.answersText(settledAtMs))
    run.equal('  missing at a client', ledger.missing(ledger.sessions, settledAtMs).length, 0)
    checkAnswers(run, ledger)
    checkNoneTwice(run, ledger)
    run.figure('refused and yet delivered', ledger.deliveredThoughRefused().length)
    await checkGaps(run, cluster, ledger)
    people.report()
    run.equal('processes that ended', nodes.length - cluster.running().length, 0)
  },
}

/** @returns how many of our partitions were there */
async function moveAll(redis: RedisCluster, from: RedisServer, to: RedisServer): Promise<number> {
  let moved = 0
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const tag = `{${tagOf(partition)}}`
    if ((await redis.serverOf(tag, from)) !== from) continue
    await redis.moveSlot(await redis.slotOf(tag), from, to)
    moved += 1
  }
  return moved
}

/** Nothing is lost that the node has not counted. */
async function checkGaps(run: Run, cluster: Cluster, ledger: Ledger): Promise<void> {
  for (const node of nodes) {
    const sessions = ledger.sessions.slice(node * readersPerNode, (node + 1) * readersPerNode)
    const missed = Math.max(...sessions.map((session) => ledger.missedBy(session)))
    const scrape = await cluster.node(node).scrape()
    const [gaps, lost] = [scrape.sum('bus_gaps_total'), scrape.sum('bus_lost_total')]
    run.check(`missed by a client of node ${node}`, missed, `≤ ${lost} in ${gaps} gaps, by the metric`, missed <= lost)
  }
}

/** Members of every room on every node, and a watcher per node in all rooms. */
class People {
  readonly #run: Run
  readonly #cluster: Cluster
  readonly #watches: MemberWatch[] = []
  readonly #here = new Map<string, WireClient>()

  constructor(run: Run, cluster: Cluster) {
    this.#run = run
    this.#cluster = cluster
  }

  async come(): Promise<void> {
    for (const node of nodes) {
      const watch = new MemberWatch(await this.#run.client(this.#cluster.target(node)))
      for (const room of rooms) await watch.client.subscribe(room, `watcher-${node}`)
      this.#watches.push(watch)
      for (const user of names(`user-${node}`, membersPerNode)) await this.#enter(node, user)
    }
    await timeUntil(() => rooms.every((room) => viewsAgree(this.#watches, room, this.#everybody)), 5000)
    for (const watch of this.#watches) watch.mark()
  }

  async change(name: string): Promise<void> {
    for (const node of nodes) {
      const [leaving] = [...this.#here.keys()].filter((user) => user.startsWith(`user-${node}`))
      if (leaving !== undefined) this.#here.get(leaving)?.close()
      if (leaving !== undefined) this.#here.delete(leaving)
      await sleep(500)
      await this.#enter(node, `${name}-${node}`)
    }
  }

  async checkExact(name: string, sinceMs = performance.now()): Promise<void> {
    const exact = async () => {
      for (const room of rooms) {
        if (!viewsAgree(this.#watches, room, this.#everybody)) return false
        if (!(await restAgrees(this.#cluster, nodes, room, this.#everybody))) return false
      }
      return true
    }
    const took = await timeUntil(exact, exactMs + 10_000, 100)
    const sinceThenMs = took === undefined ? undefined : performance.now() - sinceMs
    this.#run.reached(name, sinceThenMs, exactMs)
  }

  report(): void {
    const staying = nodes
      .flatMap((node) => names(`user-${node}`, membersPerNode))
      .filter((user) => this.#here.has(user))
    const told = this.#watches.map((watch) => staying.filter((user) => watch.historyOf(user) !== '').length)
    this.#run.equal(`told of the ${staying.length} who stayed, per watcher`, rangeText(told), '0')
    checkOrder(this.#run, this.#watches)
    const dropped = [...this.#here.values()].filter((client) => client.closed !== undefined).length
    this.#run.equal('connections dropped', dropped, 0)
  }

  get #everybody(): string[] {
    return [...this.#here.keys(), ...nodes.map((node) => `watcher-${node}`)]
  }

  async #enter(node: number, user: string): Promise<void> {
    const client = await this.#run.client(this.#cluster.target(node))
    this.#here.set(user, client)
    await Promise.all(rooms.map((room) => client.subscribe(room, user)))
  }
}
