/** The people of presence scenarios, and what REST says of them. */
import { MemberWatch, sameNames } from './member-watch.js'
import type { Cluster } from './cluster.js'
import type { RestClient } from '../black-box/rest-client.js'
import type { Run } from '../black-box/run.js'
import { sleep, timeUntil } from '../black-box/waiting.js'
import type { WireClient } from '../black-box/wire-client.js'

/** `NAME-0` to `NAME-(count − 1)`. */
export function names(name: string, count: number): string[] {
  return Array.from({ length: count }, (_none, index) => `${name}-${index}`)
}

/** A connection to this node for each user, in their order, joined. */
export function joinAll(
  run: Run,
  cluster: Cluster,
  node: number,
  channel: string,
  users: readonly string[],
): Promise<WireClient[]> {
  return run.clients(users.length, cluster.target(node), (client, index) => client.subscribe(channel, users[index]))
}

/** `watcher-NODE-0` and so on: members that look on, so many at each of these nodes. */
export async function watchAll(
  run: Run,
  cluster: Cluster,
  nodes: readonly number[],
  channel: string,
  perNode: number,
): Promise<MemberWatch[]> {
  const watches: MemberWatch[] = []
  for (const node of nodes) {
    for (const user of names(`watcher-${node}`, perNode)) watches.push(await watchAs(run, cluster, node, channel, user))
  }
  return watches
}

export async function watchAs(
  run: Run,
  cluster: Cluster,
  node: number,
  channel: string,
  user: string,
): Promise<MemberWatch> {
  const client = await run.client(cluster.target(node))
  const watch = new MemberWatch(client)
  await client.subscribe(channel, user)
  return watch
}

/** User ids of a presence channel by REST; undefined when the answer is not 200. */
export async function usersByRest(rest: RestClient, channel: string): Promise<string[] | undefined> {
  const { status, body } = await rest.send('GET', `/channels/${channel}/users`)
  if (status !== 200) return undefined
  return (JSON.parse(body) as { users: { id: string }[] }).users.map(({ id }) => id)
}

/** Whether every one of these nodes names exactly these users. */
export async function restAgrees(
  cluster: Cluster,
  nodes: readonly number[],
  channel: string,
  users: Iterable<string>,
): Promise<boolean> {
  const wanted = [...users]
  for (const node of nodes) {
    const got = await usersByRest(cluster.rest(node), channel)
    if (got === undefined || !sameNames(got, wanted)) return false
  }
  return true
}

export function viewsAgree(watches: readonly MemberWatch[], channel: string, users: Iterable<string>): boolean {
  const wanted = [...users]
  return watches.every((watch) => sameNames(watch.view(channel) ?? [], wanted))
}

/** Reports that REST names exactly these users, from now on: asked every 200 ms for a while. */
export async function checkRest(
  run: Run,
  cluster: Cluster,
  nodes: readonly number[],
  channel: string,
  users: readonly string[],
): Promise<void> {
  let asked = 0
  let agreed = 0
  for (; asked < 10; asked += 1) {
    if (await restAgrees(cluster, nodes, channel, users)) agreed += 1
    await sleep(200)
  }
  run.equal(`REST of ${nodes.length} nodes agrees, ${asked} times in 2 s`, agreed, asked)
}

/** Waits until every watcher and REST on these nodes show exactly these users, and reports how long it took. */
export async function checkSettled(
  run: Run,
  cluster: Cluster,
  what: { name: string; withinMs: number; channel: string; users: readonly string[]; watches: readonly MemberWatch[] },
): Promise<void> {
  const { channel, users, watches } = what
  const settled = async () =>
    viewsAgree(watches, channel, users) && (await restAgrees(cluster, cluster.running(), channel, users))
  const took = await timeUntil(settled, what.withinMs + 15_000, 50)
  run.reached(what.name, took, what.withinMs)
}

/** Reports contradictions that any of them was told. */
export function checkOrder(run: Run, watches: readonly MemberWatch[]): void {
  const wrong = watches.reduce((sum, watch) => sum + watch.wrong, 0)
  run.equal('added twice or removed twice, as told to any watcher', wrong, 0)
  for (const problem of watches.flatMap(({ problems }) => problems).slice(0, 5)) run.figure('  told', problem)
}

/** A figure that must be the same for all: `450`, or `448 to 450` when it is not. */
export function rangeText(counts: readonly number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  return least === most ? String(least) : `${least} to ${most}`
}
