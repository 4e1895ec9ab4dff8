import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp } from '../../black-box/server-node.js'
import { ms, sleep, until } from '../../black-box/waiting.js'
import type { WireClient } from '../../black-box/wire-client.js'
import { WebhookReceiver, type ReceivedEvent } from '../../harness/webhook-receiver.js'
import { Cluster } from '../cluster.js'
import { names } from '../members.js'

const channel = 'presence-room'
const count = 500
const nodes = 3
/** The default delay of what is told of a leave. */
const leaveDelayMs = 3000
const shortMs = 2000
const longMs = 5000
/** After what has to be told was told: nothing else comes. */
const quietMs = 1500

export const flap: Scenario = {
  id: 'FLAP',
  title: `${count} members on ${nodes} nodes leave and return within 2 s, then after 5 s: what webhooks tell`,
  seconds: { fast: 20, normal: 20, long: 20 },
  async run(run) {
    const receiver = await WebhookReceiver.start([{ id: oneApp.id, keys: [oneApp] }])
    run.onEnd(() => receiver.close())
    const webhooks = [{ url: receiver.url('/'), allowPrivateNetwork: true }]
    const cluster = await Cluster.start(run, { nodes, apps: [{ ...oneApp, webhooks }] })
    let crowd = await joinEverywhere(run, cluster)
    const entered = { channel_occupied: 1, member_added: count }
    await heard(receiver, 1 + count)
    run.equal('told of the first to come', typesText(receiver.events()), typesOf(entered))

    const tookMs = await leave(cluster, crowd)
    const leftAtMs = performance.now() - tookMs
    crowd = await joinEverywhere(run, cluster)
    const awayMs = performance.now() - leftAtMs
    run.inTime(
      'all have left and returned after',
      awayMs,
      leaveDelayMs,
      `< ${ms(leaveDelayMs)}, and it should be ${ms(shortMs)}`,
    )
    await sleep(leaveDelayMs + quietMs)
    const toldOfIt = typesText(receiver.events().slice(1 + count))
    // Whoever was away for longer must be told of.
    if (awayMs <= leaveDelayMs) run.equal('told of it', toldOfIt, typesOf({}))
    else run.figure('told of it', toldOfIt)

    const before = receiver.events().length
    await leave(cluster, crowd)
    await sleep(longMs)
    await joinEverywhere(run, cluster)
    await heard(receiver, before + 2 + 2 * count)
    await sleep(quietMs)
    const told = receiver.events().slice(before)
    const all = { channel_occupied: 1, channel_vacated: 1, member_added: count, member_removed: count }
    run.equal(`told of ${longMs / 1000} s`, typesText(told), typesOf(all))
    const usersOf = (name: string) =>
      new Set(told.filter((event) => event.name === name).map((event) => event.user_id)).size
    run.equal(
      'users among them, removed and added',
      `${usersOf('member_removed')}, ${usersOf('member_added')}`,
      `${count}, ${count}`,
    )
    const { invalid, requests } = receiver.figures
    run.equal('requests without a valid signature', invalid, 0)
    run.figure('requests in all', requests)
    run.figure(
      'leaves and returns that cancelled each other, counted',
      await cluster.sum('webhooks_total', 'outcome="paired"'),
    )
  },
}

async function joinEverywhere(run: Run, cluster: Cluster): Promise<WireClient[]> {
  const perNode = Array.from({ length: nodes }, (_none, node) =>
    names('user', count).filter((_user, index) => index % nodes === node),
  )
  const crowds = await Promise.all(
    perNode.map((users, node) =>
      run.clients(users.length, cluster.target(node), (client, index) => client.subscribe(channel, users[index])),
    ),
  )
  return crowds.flat()
}

/** Everybody closes. Resolves when the channel is empty. @returns how long it took, in ms */
function leave(cluster: Cluster, crowd: readonly WireClient[]): Promise<number> {
  for (const client of crowd) client.close()
  const isEmpty = async () => {
    const { body } = await cluster.rest(0).send('GET', `/channels/${channel}`)
    return (JSON.parse(body) as { occupied?: boolean }).occupied === false
  }
  return until('the channel is empty', isEmpty, 5000)
}

async function heard(receiver: WebhookReceiver, events: number): Promise<void> {
  await until(`${events} events are told`, () => receiver.figures.events >= events, 20_000).catch(() => undefined)
}

/** How many of each, in alphabetical order. */
function typesText(events: readonly ReceivedEvent[]): string {
  const counts: Record<string, number> = {}
  for (const { name } of events) counts[name] = (counts[name] ?? 0) + 1
  return typesOf(counts)
}

function typesOf(counts: Readonly<Record<string, number>>): string {
  const texts = Object.keys(counts)
    .toSorted()
    .map((name) => `${counts[name] ?? 0} ${name.replace(/^(channel|member)_/, '')}`)
  return texts.length === 0 ? 'nothing' : texts.join(', ')
}
