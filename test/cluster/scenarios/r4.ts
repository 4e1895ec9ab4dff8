import type { Scenario } from '../../black-box/scenario.js'
import { sleep, timeUntil } from '../../black-box/waiting.js'
import { WireClient } from '../../black-box/wire-client.js'
import { Cluster, leases } from '../cluster.js'
import { checkOrder, checkSettled, joinAll, names, watchAll } from '../members.js'

const channel = 'presence-room'
const members = 200
const perNode = 3
const returnMs = 2000
/** What happens to a user who comes back: nothing at all, or a leave and an arrival. */
const allowedHistories = new Set(['', 'removed added'])
const sweptMs = 30_000

export const r4: Scenario = {
  id: 'R4',
  title: `SIGKILL of 1 of 3 nodes; its ${members} members come back elsewhere within ${returnMs / 1000} s`,
  seconds: { fast: 12, normal: 25, long: 25 },
  async run(run) {
    const cluster = await Cluster.start(run, { nodes: 3, config: leases(run) })
    const watches = await watchAll(run, cluster, [1, 2], channel, perNode)
    const users = names('user', members)
    const crowd = await joinAll(run, cluster, 0, channel, users)
    await timeUntil(() => watches.every((watch) => watch.view(channel)?.size === members + watches.length), 5000)
    for (const watch of watches) watch.mark()

    const back = users.map(async (user, index) => {
      await timeUntil(() => crowd[index]?.closed !== undefined, 5000)
      await sleep((index * returnMs) / members)
      const client = new WireClient(cluster.target(1 + (index % 2)))
      run.onEnd(() => client.destroy())
      await client.connected
      await client.subscribe(channel, user)
    })
    const killedAtMs = performance.now()
    await cluster.node(0).kill()
    await Promise.all(back)
    run.figure('all back after, s', ((performance.now() - killedAtMs) / 1000).toFixed(1))

    const people = [...users, ...names('watcher-1', perNode), ...names('watcher-2', perNode)]
    const swept = await timeUntil(async () => (await cluster.sum('lease_takeovers_total')) > 0, sweptMs, 200)
    run.check('the dead node is swept', swept === undefined ? 'never' : 'yes', 'yes', swept !== undefined)
    await sleep(3000)
    const histories = new Map<string, number>()
    for (const watch of watches) {
      for (const user of users) {
        const history = watch.historyOf(user)
        histories.set(history, (histories.get(history) ?? 0) + 1)
      }
    }
    const text = [...histories].map(([history, count]) => `${count} × ${history === '' ? 'nothing' : history}`)
    const allowed = [...histories.keys()].every((history) => allowedHistories.has(history))
    run.check('per user and watcher', text.join(', '), 'nothing, or removed added', allowed)
    checkOrder(run, watches)
    await checkSettled(run, cluster, {
      name: 'every view and REST is the truth after',
      withinMs: 1000,
      channel,
      users: people,
      watches,
    })
  },
}
