import { RestClient } from '../../black-box/rest-client.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { sleep, timeUntil } from '../../black-box/waiting.js'
import type { WireClient } from '../../black-box/wire-client.js'
import { Random } from '../../harness/random.js'
import { Cluster, watchedApp } from '../cluster.js'
import { Truth } from '../truth.js'

const appCount = 20
const nodes = 3
const clientsPerAppAndNode = 2
const operations = 4000
const users = 3
const channels = ['news', 'private-talk', 'presence-room', 'cache-last']
const seed = 26

interface TestApp {
  readonly id: string
  readonly key: string
  readonly secret: string
}

interface Person {
  readonly app: TestApp
  readonly node: number
  readonly client: WireClient
  readonly user: string
  readonly channels: Set<string>
}

/** Every odd app has webhooks, the others must have none. All channel and user names are the same in all apps. */
export const r26: Scenario = {
  id: 'R26',
  title: `${appCount} apps with the same channel and user names on 3 nodes, ${operations} random operations`,
  seconds: { fast: 20, normal: 20, long: 20 },
  async run(run) {
    const apps = Array.from({ length: appCount }, (_none, index): TestApp => ({
      id: `app-${index}`,
      key: `key-of-${index}`,
      secret: `secret-of-app-${index}`,
    }))
    const { webhooks } = watchedApp
    const cluster = await Cluster.start(run, {
      nodes,
      apps: apps.map((app, index) => ({
        ...app,
        ...(index % 2 === 1 ? { webhooks } : {}),
        clientEvents: { perSecond: 1000 },
      })),
    })
    const foreign: string[] = []
    const people = await connectAll(run, cluster, apps, foreign)
    const truths = new Map(apps.map((app) => [app.id, new Truth()]))
    const rests = new Map(apps.map((app, index) => [app.id, new RestClient(cluster.target(index % nodes, app))]))
    const sent = await playAll(new Random(seed), people, truths, rests)
    await sleep(500)
    run.figure(
      'operations',
      Object.entries(sent)
        .map(([kind, count]) => `${count} × ${kind}`)
        .join(', '),
    )
    run.equal('events and members of another app', foreign.length, 0)
    for (const text of foreign.slice(0, 3)) run.figure('  foreign', text)
    await checkCounts(run, cluster, apps, truths)
    await checkOutbox(run, cluster, apps, truths)
    await checkMetrics(run, cluster, apps, people, truths)
    await checkTermination(run, cluster, apps[0]!, people)
    for (const rest of rests.values()) rest.close()
  },
}

/** Everybody signs in under a name that every app has, and notices whatever is not of the own app. */
async function connectAll(run: Run, cluster: Cluster, apps: readonly TestApp[], foreign: string[]): Promise<Person[]> {
  const people: Person[] = []
  for (const app of apps) {
    for (let index = 0; index < nodes * clientsPerAppAndNode; index += 1) {
      const client = await run.client(cluster.target(index % nodes, app))
      const look = (what: string, data: string) => {
        // Whatever scenarios send or say of themselves names the app: `of app-3.`
        if ([...data.matchAll(/of (app-\d+)\./g)].some(([, id]) => id !== app.id))
          foreign.push(`${app.id} got ${what} ${data}`)
      }
      client.onSubscribed = look
      client.onMessage = ({ event, data }) => look(event, data)
      const user = `user-${index % users}`
      client.signIn(user)
      people.push({ app, node: index % nodes, client, user, channels: new Set() })
    }
  }
  return people
}

async function playAll(
  random: Random,
  people: readonly Person[],
  truths: ReadonlyMap<string, Truth>,
  rests: ReadonlyMap<string, RestClient>,
): Promise<Record<string, number>> {
  const sent = { subscribe: 0, unsubscribe: 0, trigger: 0, whisper: 0 }
  for (let count = 0; count < operations; count += 1) {
    const person = people[random.below(people.length)]!
    const channel = channels[random.below(channels.length)]!
    const { app, client } = person
    const truth = truths.get(app.id)!
    const member = channel.startsWith('presence-') ? person.user : undefined
    const kind = random.below(4)
    if (kind === 0) {
      const { status } = await rests.get(app.id)!.trigger([channel], 'note', `of ${app.id}.`)
      if (status !== 200) throw new Error(`a trigger was answered ${status}`)
      sent.trigger += 1
    } else if (kind === 1 && person.channels.has(channel) && !['news', 'cache-last'].includes(channel)) {
      client.whisper(channel, 'client-note', `of ${app.id}.`)
      sent.whisper += 1
    } else if (person.channels.delete(channel)) {
      client.unsubscribe(channel)
      truth.remove(channel, member)
      sent.unsubscribe += 1
    } else {
      await client.subscribe(channel, member, { text: `of ${app.id}.` })
      person.channels.add(channel)
      truth.add(channel, member)
      sent.subscribe += 1
    }
  }
  return sent
}

async function checkCounts(
  run: Run,
  cluster: Cluster,
  apps: readonly TestApp[],
  truths: ReadonlyMap<string, Truth>,
): Promise<void> {
  const differences: string[] = []
  for (const app of apps) {
    for (const node of cluster.running()) {
      const rest = new RestClient(cluster.target(node, app))
      const found = await truths.get(app.id)!.differences(rest, channels)
      differences.push(...found.map((text) => `${app.id} at node ${node}: ${text}`))
      rest.close()
    }
  }
  run.equal(`wrong counts and users in ${appCount} apps, asked at ${nodes} nodes`, differences.length, 0)
  for (const text of differences.slice(0, 3)) run.figure('  wrong', text)
}

/** Per app, channel and user: what began and did not end is what is there now; apps without a webhook have no entry. */
async function checkOutbox(
  run: Run,
  cluster: Cluster,
  apps: readonly TestApp[],
  truths: ReadonlyMap<string, Truth>,
): Promise<void> {
  const net = new Map<string, number>()
  const add = (name: string, change: number) => net.set(name, (net.get(name) ?? 0) + change)
  const entries = await cluster.outbox()
  const changes = { channel_occupied: 1, channel_vacated: -1, member_added: 1, member_removed: -1 } as const
  for (const { type, app, channel, user } of entries) {
    if (type in changes) add(`${app} ${channel} ${user}`, changes[type as keyof typeof changes])
  }
  for (const app of apps.filter((_app, index) => index % 2 === 1)) {
    const truth = truths.get(app.id)!
    for (const channel of truth.channels) {
      add(`${app.id} ${channel} `, -1)
      for (const user of truth.users(channel)) add(`${app.id} ${channel} ${user}`, -1)
    }
  }
  const wrong = [...net].filter(([, count]) => count !== 0)
  run.check('webhooks', entries.length, '> 100', entries.length > 100)
  run.equal('  of them in the wrong app, or missing there', wrong.length, 0)
  for (const [name, count] of wrong.slice(0, 3)) run.figure('  wrong', `${name}: ${count}`)
}

async function checkMetrics(
  run: Run,
  cluster: Cluster,
  apps: readonly TestApp[],
  people: readonly Person[],
  truths: ReadonlyMap<string, Truth>,
): Promise<void> {
  let wrong = 0
  for (const app of apps) {
    const label = `app_id="${app.id}"`
    const truth = truths.get(app.id)!
    const subscriptions = truth.channels.reduce((sum, channel) => sum + truth.subscriptions(channel), 0)
    if ((await cluster.sum('subscriptions', label)) !== subscriptions) wrong += 1
    if ((await cluster.sum('connected', label)) !== people.filter((person) => person.app === app).length) wrong += 1
    // A node counts the users of its own connections.
    const members = new Set(
      people
        .filter((person) => person.app === app && person.channels.has('presence-room'))
        .map(({ node, user }) => `${node} ${user}`),
    )
    if ((await cluster.sum('presence_members', label)) !== members.size) wrong += 1
  }
  run.equal(`metrics of the wrong app, of ${3 * apps.length}`, wrong, 0)
}

/** The same user id in every app; only one app's is ended, on all nodes. */
async function checkTermination(run: Run, cluster: Cluster, app: TestApp, people: readonly Person[]): Promise<void> {
  const user = 'user-1'
  const meant = people.filter((person) => person.app === app && person.user === user)
  const rest = new RestClient(cluster.target(0, app))
  const { status } = await rest.send('POST', `/users/${user}/terminate_connections`)
  rest.close()
  await timeUntil(() => meant.every(({ client }) => client.closed !== undefined), 3000)
  await sleep(300)
  const closed = people.filter(({ client }) => client.closed !== undefined)
  run.equal('terminate answered', status, 200)
  run.equal(
    'closed by it, as meant',
    `${closed.filter((person) => meant.includes(person)).length}`,
    String(meant.length),
  )
  run.equal('closed by it, others', closed.filter((person) => !meant.includes(person)).length, 0)
}
