import type { Scenario } from '../../black-box/scenario.js'
import { sleep, timeUntil } from '../../black-box/waiting.js'
import { Cluster, leases } from '../cluster.js'
import { checkOrder, checkRest, checkSettled, joinAll, names, rangeText, watchAll } from '../members.js'

const channel = 'presence-room'
const members = 300
/** Of them, gone while their node is frozen: they must not come back with it. */
const goneMeanwhile = 20
const perNode = 3
const allowedMs = 30_000
const equalMs = 10_000

/** `--fast` freezes for 8 s: longer than the lease and the beat that notices its end. */
export const r5: Scenario = {
  id: 'R5',
  title: `SIGSTOP of 1 of 3 nodes with ${members} members for longer than its lease, then SIGCONT`,
  seconds: { fast: 15, normal: 60, long: 60 },
  async run(run) {
    const frozenMs = run.pick(8000, 40_000)
    const cluster = await Cluster.start(run, { nodes: 3, config: leases(run) })
    const others = await watchAll(run, cluster, [1, 2], channel, perNode)
    const own = await watchAll(run, cluster, [0], channel, perNode)
    const watches = [...others, ...own]
    const users = names('user', members)
    const crowd = await joinAll(run, cluster, 0, channel, users)
    await timeUntil(() => watches.every((watch) => watch.view(channel)?.size === members + watches.length), 5000)
    for (const watch of watches) watch.mark()

    const startedAtMs = performance.now()
    cluster.node(0).freeze()
    await sleep(1000)
    for (const client of crowd.slice(0, goneMeanwhile)) client.destroy()
    // The watchers of the frozen node are members like the others.
    const leaving = members + perNode
    await timeUntil(() => others.every((watch) => watch.removed() >= leaving), allowedMs + 5000)
    const tookMs = Math.max(...others.map((watch) => watch.lastAtMs)) - startedAtMs
    run.equal(
      'member_removed per watcher elsewhere',
      rangeText(others.map((watch) => watch.removed())),
      String(leaving),
    )
    run.inTime('the last of them after', tookMs, allowedMs)
    await sleep(Math.max(0, frozenMs - (performance.now() - startedAtMs)))

    cluster.node(0).thaw()
    const people = [...users.slice(goneMeanwhile), ...[0, 1, 2].flatMap((node) => names(`watcher-${node}`, perNode))]
    await checkSettled(run, cluster, {
      name: 'after SIGCONT, every view and REST is the truth after',
      withinMs: equalMs,
      channel,
      users: people,
      watches,
    })
    await checkRest(run, cluster, cluster.running(), channel, people)
    const false_ = own.map((watch) => people.filter((user) => watch.historyOf(user) !== '').length)
    run.equal('users told of on the frozen node although nothing changed, per watcher', rangeText(false_), '0')
    const ghosts = watches.map(
      (watch) => users.slice(0, goneMeanwhile).filter((user) => watch.view(channel)?.has(user)).length,
    )
    run.equal('ghosts per watcher', rangeText(ghosts), '0')
    run.equal(
      'connections dropped',
      crowd.slice(goneMeanwhile).filter((client) => client.closed !== undefined).length,
      0,
    )
    checkOrder(run, watches)
  },
}
