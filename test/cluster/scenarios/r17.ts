import { Balancer } from '../../black-box/balancer.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp } from '../../black-box/server-node.js'
import { ms, sleep, timeUntil, until } from '../../black-box/waiting.js'
import type { WireClient } from '../../black-box/wire-client.js'
import { Cluster } from '../cluster.js'
import { checkAnswers, checkDeliveries } from '../ledger-checks.js'
import { Ledger } from '../ledger.js'
import { MemberWatch } from '../member-watch.js'
import { names, restAgrees, viewsAgree } from '../members.js'
import { returningClients, type ReturningClient } from '../returning-client.js'

const channel = 'presence-room'
const nodes = [0, 1, 2]
const watchers = 6
const perSecond = 50
const handoverMs = 5000
const previousBuild = process.env['BELFRY_TEST_PREVIOUS_BUILD']

/**
 * The nodes stand behind a balancer that asks `/ready` four times a second, and the clients come back as pusher-js does.
 *
 * Scaled: the drain has 2 s + 8 s instead of 5 s + 20 s, which `--long` has; 200 clients get every event. `--fast`: 300 clients, 60 of
 * them members, 60 get every event, 1 s + 3 s.
 *
 * With BELFRY_TEST_PREVIOUS_BUILD=…/dist/main.js the nodes begin with that build, and each restarts with this one.
 */
export const r17: Scenario = {
  id: 'R17',
  title: 'rolling restart of 3 nodes behind a balancer, presence members among the clients, 50 triggers/s',
  seconds: { fast: 30, normal: 65, long: 110 },
  async run(run) {
    const [clients, members, readers] = run.pick([300, 60, 60], [1500, 300, 200])
    const drain = run.pick(
      { preStopDelayMs: 1000, periodMs: 3000 },
      { preStopDelayMs: 2000, periodMs: 8000 },
      { preStopDelayMs: 5000, periodMs: 20_000 },
    )
    run.figure(
      'beside the new build',
      previousBuild ?? 'none: no earlier build has Redis, and BELFRY_TEST_PREVIOUS_BUILD is not set',
    )
    const program = previousBuild === undefined ? {} : { program: previousBuild }
    const config = { drain, presence: { handoverMs } }
    const cluster = await Cluster.start(run, { nodes: nodes.length, config, options: () => program })
    const balancer = await Balancer.start(() => cluster.nodes)
    run.onEnd(() => balancer.close())
    const target = balancer.target(oneApp)
    const ledger = new Ledger({ channels: ['steady'], perSecond, targets: [target], fresh: true })
    const users = [...names('user', members), ...names('watcher', watchers)]
    const room = new Room(users)
    // The watchers come last, so that each of them finds everybody.
    const people = await returningClients(
      run,
      users.length,
      () => target,
      async (connection, index) => {
        if (index < members) await connection.subscribe(channel, users[index])
        else await room.enter(connection, users[index]!)
      },
    )
    const others = await returningClients(
      run,
      clients - users.length,
      () => target,
      async (connection, index) => {
        if (index < readers) await ledger.join(connection)
        else await connection.subscribe(`room-${index % 50}`)
      },
    )
    const everybody = [...people, ...others]
    await timeUntil(() => room.watches.length >= watchers && viewsAgree(room.watches, channel, users), 5000)
    room.begin()
    ledger.start()
    await sleep(1000)

    for (const node of nodes) await restart(run, cluster, node, drain)
    await timeUntil(() => everybody.every(({ here }) => here), 15_000)
    // Longer than a handover and a lease: what the restarts could still cause, would come now.
    await sleep(run.pick(7000, 16_000))
    await ledger.stop()
    reportReturns(run, everybody, people, room)
    run.figure('triggers while nodes restarted', ledger.answersText())
    run.equal('triggers not accepted', ledger.triggers.filter(({ status }) => status !== 200).length, 0)
    run.equal('connections refused behind the balancer', balancer.refused, 0)
    checkAnswers(run, ledger)
    checkDeliveries(run, ledger)
    await checkGhosts(run, cluster, people, users, room)
  },
}

async function restart(
  run: Run,
  cluster: Cluster,
  index: number,
  drain: { preStopDelayMs: number; periodMs: number },
): Promise<void> {
  const node = cluster.node(index)
  const startedAtMs = performance.now()
  node.signal('SIGTERM')
  await until('the node has ended', () => node.exit !== undefined, drain.preStopDelayMs + drain.periodMs + 15_000)
  run.check(
    `node ${index} ended after`,
    `${ms(performance.now() - startedAtMs)}, exit code ${node.exit?.code ?? ''}`,
    'code 0',
    node.exit?.code === 0,
  )
  await cluster.restart(index, {})
  // The balancer has seen it.
  await sleep(500)
}

/** What those who look on are told, over all their connections. */
class Room {
  readonly watches: MemberWatch[] = []
  readonly #users: readonly string[]
  #begun = false
  /** Users who were not in a roster at a return, over all of them. */
  missingAtReturn = 0
  readonly missingUsers = new Set<string>()

  constructor(users: readonly string[]) {
    this.#users = users
  }

  async enter(connection: WireClient, user: string): Promise<void> {
    const watch = new MemberWatch(connection)
    await connection.subscribe(channel, user)
    this.watches.push(watch)
    if (!this.#begun) return
    const missing = this.#users.filter((other) => watch.view(channel)?.has(other) !== true)
    this.missingAtReturn += missing.length
    for (const other of missing) this.missingUsers.add(other)
  }

  /** From now on nobody comes or goes but by a restart. */
  begin(): void {
    this.#begun = true
    for (const watch of this.watches) watch.mark()
  }

  userAt(index: number): string {
    return this.#users[index] ?? ''
  }

  told(user: string): number {
    return this.watches.reduce((sum, watch) => sum + watch.added(user) + watch.removed(user), 0)
  }

  get connected(): MemberWatch[] {
    return this.watches.filter(({ client }) => client.closed === undefined)
  }
}

function reportReturns(
  run: Run,
  everybody: readonly ReturningClient[],
  people: readonly ReturningClient[],
  room: Room,
): void {
  const returns = everybody.flatMap((client) => client.returns)
  run.equal('closed with another code than 4200', returns.filter(({ code }) => code !== 4200).length, 0)
  run.check('came back', `${returns.length} returns`, '> 0', returns.length > 0)
  run.equal('clients that are not back', everybody.filter(({ here }) => !here).length, 0)
  run.figure(
    'attempts that failed',
    everybody.reduce((sum, client) => sum + client.failedAttempts, 0),
  )
  const away = people.flatMap((client) =>
    client.returns.map(({ closedAtMs, backAtMs = Infinity }) => backAtMs - closedAtMs),
  )
  const slowest = Math.max(...away)
  run.figure('members away, longest', ms(slowest))
  const inTime = [...people.keys()].filter((index) =>
    people[index]!.returns.every(({ closedAtMs, backAtMs = Infinity }) => backAtMs - closedAtMs <= handoverMs),
  )
  run.figure(`members back within ${handoverMs / 1000} s each time`, `${inTime.length} of ${people.length}`)
  const told = inTime.reduce((sum, index) => sum + room.told(room.userAt(index)), 0)
  run.equal('member events of those, over all watchers', told, 0)
  run.check(
    'users missing in a roster that a watcher got at its return',
    room.missingAtReturn,
    0,
    room.missingAtReturn === 0,
    {
      // Whoever is away for longer has left.
      timed: slowest > handoverMs,
    },
  )
  const wrong = room.watches.reduce((sum, watch) => sum + watch.wrong, 0)
  run.equal('added twice or removed twice, as told to any watcher', wrong, 0)
}

/** Some members leave for good: exactly they are gone, everywhere. */
async function checkGhosts(
  run: Run,
  cluster: Cluster,
  people: readonly ReturningClient[],
  users: readonly string[],
  room: Room,
): Promise<void> {
  const leaving = 20
  for (const client of people.slice(0, leaving)) client.close()
  const left = users.slice(leaving)
  const settled = async () =>
    viewsAgree(room.connected, channel, left) && (await restAgrees(cluster, nodes, channel, left))
  const took = await timeUntil(settled, 10_000, 50)
  run.reached(`${leaving} leave for good: every view and REST is the truth after`, took, 2000, '≤ 2 s')
  const present = people.slice(leaving).filter((client) => client.here).length
  run.equal('ghosts', left.length - present, 0)
}
