import type { Scenario } from '../../black-box/scenario.js'
import { TcpProxy } from '../../black-box/tcp-proxy.js'
import { sleep, timeUntil } from '../../black-box/waiting.js'
import { Cluster, watchedApp } from '../cluster.js'
import { checkOrder, checkRest, names, rangeText, watchAll } from '../members.js'
import { typesText } from '../outbox.js'

const channel = 'presence-room'
const members = 300
const perNode = 3
/** What the contract adds to the two timeouts. */
const slackMs = 5000

/** `--fast`: timeouts of 3 s + 3 s instead of 30 s + 30 s. */
export const r20: Scenario = {
  id: 'R20',
  title: `the network of ${members} presence clients of one node freezes without FIN, watchers on both`,
  seconds: { fast: 20, normal: 80, long: 80 },
  async run(run) {
    const heartbeat = run.pick({ activityTimeoutSeconds: 3, pongTimeoutSeconds: 3 }, undefined)
    const apps = [{ ...watchedApp, ...(heartbeat === undefined ? {} : { heartbeat }) }]
    const cluster = await Cluster.start(run, { nodes: 2, apps })
    const watches = await watchAll(run, cluster, [0, 1], channel, perNode)
    const { proxy, target } = await TcpProxy.start(cluster.target(0))
    run.onEnd(() => proxy.close())
    const users = names('user', members)
    await run.clients(members, target, (client, index) => client.subscribe(channel, users[index]))
    await timeUntil(() => watches.every((watch) => watch.view(channel)?.size === members + watches.length), 5000)
    const before = await cluster.outbox()
    for (const watch of watches) watch.mark()
    proxy.freeze()
    const frozenAtMs = performance.now()
    const allowedMs = run.pick(6000, 60_000) + slackMs
    await timeUntil(() => watches.every((watch) => watch.removed() >= members), allowedMs + 10_000)
    const tookMs = Math.max(...watches.map((watch) => watch.lastAtMs)) - frozenAtMs
    await sleep(2000)
    run.equal('member_removed per watcher', rangeText(watches.map((watch) => watch.removed())), String(members))
    const different = watches.map((watch) => users.filter((user) => watch.removed(user) !== 1).length)
    run.equal('users not removed exactly once, per watcher', rangeText(different), '0')
    run.inTime('the last of them after', tookMs, allowedMs)
    run.equal('webhooks', typesText(await cluster.outbox(before)), `${members} × member_removed`)
    await checkRest(
      run,
      cluster,
      [0, 1],
      channel,
      [0, 1].flatMap((node) => names(`watcher-${node}`, perNode)),
    )
    checkOrder(run, watches)
  },
}
