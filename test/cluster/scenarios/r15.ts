import type { Scenario } from '../../black-box/scenario.js'
import { sleep, timeUntil } from '../../black-box/waiting.js'
import { Cluster, leases } from '../cluster.js'
import { checkOrder, joinAll, names, rangeText, restAgrees, usersByRest, viewsAgree, watchAll } from '../members.js'
import { typesText } from '../outbox.js'

const channel = 'presence-room'
const perUserNode = 250
const perNode = 5
const rebuiltMs = 20_000

export const r15: Scenario = {
  id: 'R15',
  title: `FLUSHALL with ${2 * perUserNode} members on 2 nodes`,
  seconds: { fast: 20, normal: 35, long: 35 },
  async run(run) {
    const cluster = await Cluster.start(run, { nodes: 2, config: leases(run) })
    const watches = await watchAll(run, cluster, [0, 1], channel, perNode)
    const users = [names('left', perUserNode), names('right', perUserNode)]
    const crowd = [
      ...(await joinAll(run, cluster, 0, channel, users[0]!)),
      ...(await joinAll(run, cluster, 1, channel, users[1]!)),
    ]
    const people = [...users.flat(), ...names('watcher-0', perNode), ...names('watcher-1', perNode)]
    await timeUntil(() => viewsAgree(watches, channel, people), 5000)
    for (const watch of watches) watch.mark()

    // Longer than the lease and the wait for the other nodes: what would come, has come.
    const afterwardsMs = run.pick(10_000, 20_000)
    const startedAtMs = performance.now()
    await cluster.redis.command('FLUSHALL')
    let rebuiltAtMs: number | undefined
    let [partial, refused, whole] = [0, 0, 0]
    while (performance.now() < startedAtMs + afterwardsMs) {
      for (const node of [0, 1]) {
        const got = await usersByRest(cluster.rest(node), channel)
        if (got === undefined) refused += 1
        else if (got.length === people.length) whole += 1
        else partial += 1
      }
      const agree = await restAgrees(cluster, [0, 1], channel, people)
      if (!agree) rebuiltAtMs = undefined
      else rebuiltAtMs ??= performance.now()
      await sleep(50)
    }
    const tookMs = rebuiltAtMs === undefined ? undefined : rebuiltAtMs - startedAtMs
    run.reached('REST of both nodes is the truth again, and stays so, after', tookMs, rebuiltMs)
    run.figure('reads meanwhile', `${whole} whole, ${refused} refused`)
    run.equal('reads that gave a partial number as a true one (D4)', partial, 0)
    run.equal('false member_removed per watcher', rangeText(watches.map((watch) => watch.removed())), '0')
    run.equal('false member_added per watcher', rangeText(watches.map((watch) => watch.added())), '0')
    run.equal('webhooks', typesText(await cluster.outbox()), 'none')
    run.equal('connections dropped', crowd.filter((client) => client.closed !== undefined).length, 0)

    // The rebuilt state is no picture: a leave and an arrival are told.
    crowd[0]?.close()
    const told = await timeUntil(() => watches.every((watch) => watch.removed('left-0') === 1), 10_000)
    run.reached('a leave afterwards is told after', told, 1000, '≤ 1 s')
    checkOrder(run, watches)
  },
}
