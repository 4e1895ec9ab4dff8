/** R1 and R2: the node of hundreds of members is killed; those who are elsewhere too have not left. */
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { ms, sleep, timeUntil } from '../../black-box/waiting.js'
import { Cluster, leases } from '../cluster.js'
import { checkOrder, checkRest, joinAll, names, rangeText, watchAll } from '../members.js'
import type { MemberWatch } from '../member-watch.js'
import { typesText } from '../outbox.js'

const channel = 'presence-room'
const members = 500
const alsoElsewhere = 50
const watchers = 20
const targetMs = 15_000
const allowedMs = 30_000

export const r1: Scenario = {
  id: 'R1',
  title: `SIGKILL of 1 of 3 nodes with ${members} members, ${alsoElsewhere} of them also elsewhere, ${watchers} watchers`,
  seconds: { fast: 12, normal: 20, long: 20 },
  run: (run) => kill(run, [0]),
}

export const r2: Scenario = {
  id: 'R2',
  title: `SIGKILL of 2 of 3 nodes at once, with ${members} members, ${alsoElsewhere} of them also on the survivor`,
  seconds: { fast: 12, normal: 20, long: 20 },
  run: (run) => kill(run, [0, 1]),
}

/** The members are spread over the victims; the watchers, and the others' second connections, over the survivors. */
async function kill(run: Run, victims: readonly number[]): Promise<void> {
  const cluster = await Cluster.start(run, { nodes: 3, config: leases(run) })
  const survivors = cluster.running().filter((node) => !victims.includes(node))
  const watches = await watchAll(run, cluster, survivors, channel, watchers / survivors.length)
  const users = names('user', members)
  const staying = users.slice(0, alsoElsewhere)
  const leaving = users.slice(alsoElsewhere)
  for (const [index, victim] of victims.entries())
    await joinAll(run, cluster, victim, channel, share(users, index, victims.length))
  // On the last node, which is a survivor in both.
  await joinAll(run, cluster, 2, channel, staying)
  const whole = (watch: MemberWatch) => watch.view(channel)?.size === members + watchers
  await timeUntil(() => watches.every(whole), 5000)
  run.equal('watchers that see everybody before', watches.filter(whole).length, watchers)

  const before = await cluster.outbox()
  for (const watch of watches) watch.mark()
  const killedAtMs = performance.now()
  await Promise.all(victims.map((victim) => cluster.node(victim).kill()))
  await timeUntil(() => watches.every((watch) => watch.removed() >= leaving.length), allowedMs + 5000)
  const tookMs = Math.max(...watches.map((watch) => watch.lastAtMs)) - killedAtMs
  const people = [...staying, ...watches.map((_watch, index) => watcherName(survivors, index))]
  await checkRest(run, cluster, survivors, channel, people)
  await sleep(2000)
  run.equal('member_removed per watcher', rangeText(watches.map((watch) => watch.removed())), String(leaving.length))
  const different = watches.map((watch) => leaving.filter((user) => watch.removed(user) !== 1).length)
  run.equal('users not removed exactly once, per watcher', rangeText(different), '0')
  const stayed = watches.map((watch) => staying.filter((user) => watch.historyOf(user) !== '').length)
  run.equal(`told of the ${alsoElsewhere} who stayed, per watcher`, rangeText(stayed), '0')
  run.inTime('the last of them after', tookMs, allowedMs, `≤ ${ms(allowedMs)}, target ${ms(targetMs)}`)
  checkOrder(run, watches)
  const entries = await cluster.outbox(before)
  run.equal('webhooks', typesText(entries), `${leaving.length} × member_removed`)
  run.equal('users among them', new Set(entries.map(({ user }) => user)).size, leaving.length)
  run.figure('takeovers counted', await cluster.sum('lease_takeovers_total'))
}

function share(users: readonly string[], index: number, count: number): string[] {
  return users.filter((_user, at) => at % count === index)
}

function watcherName(survivors: readonly number[], index: number): string {
  const perNode = watchers / survivors.length
  return `watcher-${survivors[Math.floor(index / perNode)]}-${index % perNode}`
}
