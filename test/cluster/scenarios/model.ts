/**
 * MODEL: random histories against a model.
 *
 * How 2 000 histories fit into minutes: one channel is one history, 200 channels are played at the same time, and 10 epochs follow
 * each other. What happens in a channel (joins, leaves, the same user twice, a user on several nodes at once) is drawn for each
 * channel by itself; what happens to nodes, Redis and connections (kill and restart, freeze, FLUSHALL, a connection that
 * vanishes and comes back elsewhere) is drawn per epoch and happens to all its channels, wherever each of them happens to be.
 * Leases are shortened to 2 s, so that a freeze of 1 to 5 s is sometimes shorter and sometimes longer than one.
 *
 * 5 users, each with 2 connections that are subscribed to as many channels as their histories want; one watcher per node, in every
 * channel. A watcher that loses its node begins again with the roster it gets then. At any time, no watcher may be told that
 * somebody was added who is there, or removed who is not (MemberWatch). Beside them an anchor, one user with a connection to every
 * node: faults hurt one node at a time, so it is always there, and nobody may be told that it left. After the last fault every
 * history must be the same for all watchers, in REST of every node, and in the model: exactly those connections are members that
 * are open and subscribed.
 */
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { ms, sleep, timeUntil, until } from '../../black-box/waiting.js'
import { WireClient } from '../../black-box/wire-client.js'
import { Random } from '../../harness/random.js'
import { Cluster, watchedApp } from '../cluster.js'
import { MemberWatch, sameNames } from '../member-watch.js'
import { usersByRest } from '../members.js'
import { Faults } from '../random-faults.js'

const nodes = [0, 1, 2]
const userCount = 5
const connectionsPerUser = 2
const stepEveryMs = 100
const epochMs = 14_000
const settledMs = 40_000
const anchor = 'anchor'
const evidenceMax = 120

export const model: Scenario = {
  id: 'MODEL',
  title: '2 000 random histories of join, leave, reconnect, crash, freeze, Redis restart agree with a model',
  seconds: { fast: 40, normal: 420, long: 420 },
  async run(run) {
    const epochs = run.pick(1, 10)
    const channelsPerEpoch = run.pick(100, 200)
    const seed = Number(process.env['BELFRY_TEST_SEED'] ?? Date.now() % 2 ** 32)
    run.figure('seed (BELFRY_TEST_SEED)', seed)
    const random = new Random(seed)
    const cluster = await Cluster.start(run, {
      nodes: nodes.length,
      apps: [{ ...watchedApp, limits: { messagesPerSecond: 0, subscriptionsPerConnection: 10_000 } }],
      config: { cluster: { leaseMs: 2000 } },
    })
    const totals = new Totals()
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      const channels = Array.from({ length: channelsPerEpoch }, (_none, index) => `presence-${epoch}-${index}`)
      await new Epoch(cluster, random.fork(), channels, totals).play()
      // What follows a failure says little more than the failure itself.
      if (totals.failed) break
    }
    totals.report(run)
    run.equal('processes that ended by themselves', nodes.length - cluster.running().length, 0)
  },
}

class Totals {
  histories = 0
  readonly operations = new Map<string, number>()
  faults = 0
  told = 0
  wrong = 0
  anchorsLost = 0
  different = 0
  /** What happened in the epochs with a failure: first lines of each. */
  readonly evidence: string[] = []
  slowestMs = 0

  get failed(): boolean {
    return this.wrong + this.different + this.anchorsLost > 0
  }

  count(operation: string): void {
    this.operations.set(operation, (this.operations.get(operation) ?? 0) + 1)
  }

  report(run: Run): void {
    run.figure('histories', this.histories)
    run.figure('operations', [...this.operations].map(([name, count]) => `${count} × ${name}`).join(', '))
    run.figure('faults', this.faults)
    run.figure('changes told to watchers', this.told)
    run.equal('added twice or removed twice, as told to any watcher', this.wrong, 0)
    run.equal('told that the user of every node had left', this.anchorsLost, 0)
    run.equal('histories that did not end as the model', this.different, 0)
    run.figure('settled after the last fault, at most', ms(this.slowestMs))
    for (const line of this.evidence.slice(0, evidenceMax)) run.note(line)
  }
}

/** One of a user's connections. What it is subscribed to is the model. */
interface Person {
  readonly user: string
  readonly channels: Set<string>
  client: WireClient | undefined
  node: number
}

class Epoch {
  readonly #cluster: Cluster
  readonly #random: Random
  readonly #channels: readonly string[]
  readonly #totals: Totals
  readonly #people: Person[] = []
  /** By node; each begins again when its connection has ended. */
  readonly #watches: (MemberWatch | undefined)[] = nodes.map(() => undefined)
  readonly #evidence: string[] = []
  readonly #suspects = new Set<string>()
  #startedAtMs = performance.now()
  #playing = true

  constructor(cluster: Cluster, random: Random, channels: readonly string[], totals: Totals) {
    this.#cluster = cluster
    this.#random = random
    this.#channels = channels
    this.#totals = totals
    for (let index = 0; index < userCount * connectionsPerUser; index += 1) {
      const person = {
        user: `user-${index % userCount}`,
        channels: new Set<string>(),
        client: undefined,
        node: index % nodes.length,
      }
      this.#people.push(person)
    }
  }

  async play(): Promise<void> {
    const keepers = [
      ...this.#people.map((person) => this.#keepConnected(person)),
      ...nodes.map((node) => this.#keepWatched(node)),
    ]
    const begun = () => this.#people.every(({ client }) => client !== undefined) && this.#watches.every(Boolean)
    await until('everybody is connected', begun, 15_000)
    const faults = new Faults(this.#cluster, this.#random.fork())
    this.#startedAtMs = performance.now()
    const playing = faults.play(epochMs)
    while (performance.now() < this.#startedAtMs + epochMs) {
      this.#step()
      await sleep(stepEveryMs)
    }
    await playing
    await this.#judge()
    this.#playing = false
    for (const { client } of this.#people) client?.destroy()
    for (const node of nodes) this.#retire(node)
    await this.#addOutbox()
    await Promise.all(keepers)
    this.#totals.histories += this.#channels.length
    this.#totals.faults += faults.log.length
    if (this.#evidence.length > 0) this.#totals.evidence.push(...faults.log, ...this.#evidence)
  }

  /** Every history goes on by itself: an operation of one of its users in one of four channels; now and then a connection ends. */
  #step(): void {
    for (const channel of this.#channels) {
      if (!this.#random.chance(4)) continue
      const person = this.#random.pick(this.#people as [Person, ...Person[]])
      if (person.channels.delete(channel)) {
        this.#totals.count('leave')
        person.client?.unsubscribe(channel)
        // Back before anybody may have noticed.
        if (this.#random.chance(3)) this.#join(person, channel)
      } else this.#join(person, channel)
    }
    if (!this.#random.chance(5)) return
    const person = this.#random.pick(this.#people as [Person, ...Person[]])
    this.#totals.count('reconnect')
    person.node = this.#random.below(nodes.length)
    if (this.#random.chance(2)) person.client?.close()
    else person.client?.destroy()
  }

  #join(person: Person, channel: string): void {
    this.#totals.count('join')
    person.channels.add(channel)
    if (person.client !== undefined) void subscribe(person.client, channel, person.user)
  }

  /** As pusher-js does: when the connection has ended, another one, subscribed to the same channels. */
  async #keepConnected(person: Person): Promise<void> {
    while (this.#playing) {
      const client = await this.#connect(person.node)
      if (client === undefined) {
        person.node = (person.node + 1) % nodes.length
        continue
      }
      for (const channel of person.channels) void subscribe(client, channel, person.user)
      person.client = client
      await timeUntil(() => client.closed !== undefined || !this.#playing, Infinity, 10)
      person.client = undefined
      // Its socket may still be open at a frozen node; it is closed as far as this side can tell.
      client.destroy()
    }
  }

  async #keepWatched(node: number): Promise<void> {
    while (this.#playing) {
      const client = await this.#connect(node)
      if (client === undefined) {
        await sleep(50)
        continue
      }
      const watch = new MemberWatch(client)
      const anchored = await this.#connect(node)
      if (anchored === undefined) {
        client.destroy()
        continue
      }
      await Promise.all(this.#channels.map((channel) => subscribe(anchored, channel, anchor)))
      await Promise.all(this.#channels.map((channel) => subscribe(client, channel, `watcher-${node}`)))
      if (client.closed === undefined) this.#watches[node] = watch
      await timeUntil(() => client.closed !== undefined || !this.#playing, Infinity, 10)
      anchored.destroy()
      if (!this.#playing) return
      this.#retire(node)
    }
  }

  #retire(node: number): void {
    const watch = this.#watches[node]
    this.#watches[node] = undefined
    if (watch === undefined) return
    this.#totals.told += watch.changes.length
    this.#totals.wrong += watch.wrong
    this.#totals.anchorsLost += watch.removed(anchor)
    this.#evidence.push(...watch.problems.map((problem) => `watcher of node ${node} was told: ${problem}`))
    const lost = watch.changes.filter(({ kind, user }) => user === anchor && kind === 'removed').slice(0, 5)
    for (const { channel } of lost) {
      this.#evidence.push(this.#story(node, watch, channel, anchor))
      this.#suspects.add(channel)
    }
    watch.client.destroy()
  }

  /** What a watcher was told of one user, and when. */
  #story(node: number, watch: MemberWatch, channel: string, user: string): string {
    const told = watch.changes
      .filter((change) => change.channel === channel && change.user === user)
      .map(({ kind, atMs }) => `${kind} after ${this.#seconds(atMs)}`)
    return `watcher of node ${node}, ${channel}, ${user}: ${told.join(', ')}`
  }

  /** Undefined when the node does not take it, or its network is silent for 3 s. */
  async #connect(node: number): Promise<WireClient | undefined> {
    const client = new WireClient(this.#cluster.target(node))
    let settled = false
    client.connected.then(
      () => (settled = true),
      () => (settled = true),
    )
    await timeUntil(() => settled, 3000, 5)
    if (settled && client.closed === undefined) return client
    client.destroy()
    await sleep(50)
    return undefined
  }

  /** All nodes run and are thawed, Redis is there: now everything must become the model. */
  async #judge(): Promise<void> {
    const startedAtMs = performance.now()
    let left = [...this.#channels]
    await timeUntil(
      async () => {
        const wrong: string[] = []
        for (const channel of left) if ((await this.#difference(channel)) !== undefined) wrong.push(channel)
        left = wrong
        return left.length === 0
      },
      settledMs,
      100,
    )
    this.#totals.slowestMs = Math.max(this.#totals.slowestMs, performance.now() - startedAtMs)
    this.#totals.different += left.length
    for (const channel of left.slice(0, 5)) {
      const difference = await this.#difference(channel)
      if (difference !== undefined) this.#evidence.push(`${channel}: ${difference}`)
      for (const node of nodes) {
        const watch = this.#watches[node]
        if (watch === undefined) continue
        for (let index = 0; index < userCount; index += 1)
          this.#evidence.push(this.#story(node, watch, channel, `user-${index}`))
      }
      this.#suspects.add(channel)
    }
  }

  /** What the store made of it, as far as its data were not lost since. */
  async #addOutbox(): Promise<void> {
    if (this.#suspects.size === 0) return
    for (const { channel, type, id, user } of await this.#cluster.outbox()) {
      if (!this.#suspects.has(channel)) continue
      const atMs = Number(id.split('-')[0]) - performance.timeOrigin
      this.#evidence.push(`outbox, ${channel}, ${user}: ${type} after ${this.#seconds(atMs)}`)
    }
  }

  #seconds(atMs: number): string {
    return `${((atMs - this.#startedAtMs) / 1000).toFixed(2)} s`
  }

  async #difference(channel: string): Promise<string | undefined> {
    const wanted = new Set([anchor, ...nodes.map((node) => `watcher-${node}`)])
    for (const { user, channels } of this.#people) if (channels.has(channel)) wanted.add(user)
    for (const node of nodes) {
      const view = this.#watches[node]?.view(channel)
      if (view === undefined || !sameNames(view, wanted))
        return `watcher of node ${node} sees ${text(view)}, not ${text(wanted)}`
    }
    for (const node of nodes) {
      const users = await usersByRest(this.#cluster.rest(node), channel)
      if (users === undefined || !sameNames(users, wanted))
        return `REST of node ${node} says ${text(users)}, not ${text(wanted)}`
    }
    return undefined
  }
}

/** A connection that ends meanwhile is replaced, and subscribes again. */
async function subscribe(client: WireClient, channel: string, user: string): Promise<void> {
  await client.subscribe(channel, user).catch(() => undefined)
}

function text(users: Iterable<string> | undefined): string {
  return users === undefined ? 'nothing' : [...users].toSorted().join(' ')
}
