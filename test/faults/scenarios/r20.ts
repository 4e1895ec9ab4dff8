import { RestClient } from '../../black-box/rest-client.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp } from '../../black-box/server-node.js'
import { TcpProxy } from '../../black-box/tcp-proxy.js'
import { sleep, timeUntil, until } from '../../black-box/waiting.js'

const members = 300
const watchers = 5
const channel = 'presence-room'
/** What the contract adds to the two timeouts. */
const slackMs = 5000

export const r20: Scenario = {
  id: 'R20',
  title: `the network of ${members} presence clients freezes without FIN, ${watchers} watchers elsewhere`,
  seconds: { fast: 25, normal: 80, long: 80 },
  async run(run) {
    const heartbeat = run.pick({ activityTimeoutSeconds: 3, pongTimeoutSeconds: 3 }, undefined)
    const node = await run.startNode({ apps: [{ ...oneApp, ...(heartbeat === undefined ? {} : { heartbeat }) }] })
    const filesBefore = node.openFiles().sockets
    const removed = Array.from({ length: watchers }, () => new Map<string, number>())
    let lastAtMs = 0
    await run.clients(watchers, node.target(), async (client, index) => {
      await client.subscribe(channel, `watcher-${index}`)
      client.onMessage = ({ event, data }) => {
        if (event !== 'pusher_internal:member_removed') return
        const { user_id: user } = JSON.parse(data) as { user_id: string }
        removed[index]?.set(user, (removed[index].get(user) ?? 0) + 1)
        lastAtMs = performance.now()
      }
    })
    const { proxy, target } = await TcpProxy.start(node.target())
    run.onEnd(() => proxy.close())
    await run.clients(members, target, (client, index) => client.subscribe(channel, `user-${index}`))
    // Everybody has been heard of just now.
    await until('all members', async () => (await node.scrape()).sum('presence_members') === members + watchers, 5000)
    proxy.freeze()
    const frozenAtMs = performance.now()
    const allowedMs = run.pick(6000, 60_000) + slackMs
    const allTold = () => removed.every((seen) => seen.size === members)
    await timeUntil(allTold, allowedMs + 15_000)
    const tookMs = allTold() ? lastAtMs - frozenAtMs : undefined
    run.reached('every watcher told of every removal after', tookMs, allowedMs)
    await sleep(2000)
    const counts = removed.map((seen) => [...seen.values()].reduce((sum, count) => sum + count, 0))
    run.equal('member_removed per watcher', counts.join(' '), Array.from({ length: watchers }, () => members).join(' '))
    const rest = new RestClient(node.target())
    const { body } = await rest.send('GET', `/channels/${channel}/users`)
    rest.close()
    run.equal('members left by REST', (JSON.parse(body) as { users: unknown[] }).users.length, watchers)
    const scrape = await node.scrape()
    run.equal('closed with 4201', scrape.sum('disconnections_total', 'code="4201"'), members)
    run.equal('connected by the metric', scrape.sum('connected'), watchers)
    const free = () => node.openFiles().sockets <= filesBefore + watchers + 1
    const freed = await timeUntil(free, 20_000, 200)
    run.reached('sockets of the frozen given back after', freed, 10_000, '≤ 10 s')
  },
}
