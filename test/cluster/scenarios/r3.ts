import type { Scenario } from '../../black-box/scenario.js'
import { sleep, timeUntil } from '../../black-box/waiting.js'
import { Cluster, leases } from '../cluster.js'
import { checkOrder, joinAll, names, watchAll } from '../members.js'

const channel = 'presence-room'
const members = 300
const victim = 4
const survivors = [0, 1, 2, 3]
const perNode = 2
const allowedMs = 30_000

/** `--fast` plays 3 times. */
export const r3: Scenario = {
  id: 'R3',
  title: `SIGKILL of 1 of 5 nodes with ${members} members, all survivors race to clean up, again and again`,
  seconds: { fast: 20, normal: 330, long: 330 },
  async run(run) {
    const repeats = run.pick(3, 20)
    const cluster = await Cluster.start(run, { nodes: 5, config: leases(run) })
    const watches = await watchAll(run, cluster, survivors, channel, perNode)
    const users = names('user', members)
    let [wrongCounts, webhooks, slowestMs] = [0, 0, 0]
    for (let round = 0; round < repeats; round += 1) {
      const crowd = await joinAll(run, cluster, victim, channel, users)
      await timeUntil(() => watches.every((watch) => watch.view(channel)?.size === members + watches.length), 5000)
      const before = await cluster.outbox()
      for (const watch of watches) watch.mark()
      const killedAtMs = performance.now()
      await cluster.node(victim).kill()
      await timeUntil(() => watches.every((watch) => watch.removed() >= members), allowedMs)
      slowestMs = Math.max(slowestMs, ...watches.map((watch) => watch.lastAtMs - killedAtMs))
      // Whoever still wants to clean up has a second more.
      await sleep(1000)
      for (const watch of watches)
        wrongCounts += users.filter((user) => watch.removed(user) !== 1).length + watch.added()
      webhooks += (await cluster.outbox(before)).length
      for (const client of crowd) client.destroy()
      if (round + 1 < repeats) await cluster.restart(victim)
    }
    run.figure('rounds', repeats)
    run.equal('users not removed exactly once, over all watchers', wrongCounts, 0)
    run.equal('webhooks', webhooks, repeats * members)
    run.inTime('the last removal after', slowestMs, allowedMs)
    checkOrder(run, watches)
    run.figure('takeovers counted', await cluster.sum('lease_takeovers_total'))
  },
}
