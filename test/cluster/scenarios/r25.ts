import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp } from '../../black-box/server-node.js'
import { ms, sleep, timeUntil } from '../../black-box/waiting.js'
import type { WireClient } from '../../black-box/wire-client.js'
import { Random } from '../../harness/random.js'
import { shares, WebhookReceiver } from '../../harness/webhook-receiver.js'
import { Cluster, leases } from '../cluster.js'
import { Truth } from '../truth.js'
import {
  acceptedAgain,
  acceptedFirst,
  idsOfTwoEvents,
  lateRepeats,
  oldestRepeatMs,
  repeats,
  wrongOrders,
} from '../webhook-story.js'
import { firstFaults, WebhookTruth, type Stay } from '../webhook-truth.js'

const nodes = 3
const people = 60
/** Fewer than people: some users are there twice. */
const users = 40
const channels = 100
const perSecond = 40
const failing = 30
const hanging = 10
/** Of the receiver that hangs; the rest of its webhook is as usual. */
const timeoutMs = 1000
/** The default. */
const leaveDelayMs = 3000
/** An unsubscribe has no answer. */
const leavingMs = 500
/** The members of a killed node are gone after that. */
const sweptMs = 30_000
/** With four of ten attempts failing, some event waits for its sixth one behind another that did. */
const toldMs = { fast: 60_000, normal: 240_000, long: 240_000 }
/** Of a second receiver that always fails: nobody waits five minutes for the end of the retries. */
const deadRetryForMs = 5000
const wayMs = 500
const paths = { flaky: '/flaky', dead: '/dead' }
const seed = Number(process.env['BELFRY_TEST_SEED'] ?? 25)

interface Person {
  readonly user: string
  node: number
  client: WireClient
  readonly stays: Map<string, Stay>
}

export const r25: Scenario = {
  id: 'R25',
  title: `1 000 random joins and leaves on 3 nodes, the receiver fails ${failing} % and hangs on ${hanging} %, the sending node dies`,
  seconds: { fast: 40, normal: 120, long: 120 },
  async run(run) {
    const receiver = await WebhookReceiver.start([{ id: oneApp.id, keys: [oneApp] }])
    run.onEnd(() => receiver.close())
    const flaky = shares(new Random(seed + 1), { failing, hanging })
    receiver.answer((attempt) => (attempt.path === paths.flaky ? flaky(attempt) : 500))
    const common = { timeoutMs, allowPrivateNetwork: true }
    const webhooks = [
      { url: receiver.url(paths.flaky), ...common },
      { url: receiver.url(paths.dead), ...common, retryForMs: deadRetryForMs },
    ]
    const cluster = await Cluster.start(run, { nodes, apps: [{ ...oneApp, webhooks }], config: leases(run) })
    const play = new Play(run, cluster)
    const operations = run.pick(500, 1000)
    await play.begin()
    await play.operate(operations / 2)
    const killedAtMs = await play.killTheSender()
    await play.operate(operations / 2)
    // Four in ten attempts fail, and the last of them make it take minutes.
    if (run.mode === 'fast') receiver.answer(({ path }) => (path === paths.flaky ? 200 : 500))
    await play.settle(receiver)
    run.figure('joins, leaves', `${play.joins}, ${play.leaves}; seed ${seed}`)
    checkFlaky(run, receiver, play.webhooks, killedAtMs)
    await checkDead(run, receiver, cluster, killedAtMs)
  },
}

class Play {
  readonly webhooks = new WebhookTruth(leaveDelayMs)
  joins = 0
  leaves = 0
  readonly #run: Run
  readonly #cluster: Cluster
  readonly #rest = new Truth()
  readonly #random = new Random(seed)
  #people: Person[] = []

  constructor(run: Run, cluster: Cluster) {
    this.#run = run
    this.#cluster = cluster
  }

  async begin(): Promise<void> {
    for (let index = 0; index < people; index += 1) {
      const node = index % nodes
      const client = await this.#run.client(this.#cluster.target(node))
      this.#people.push({ user: `user-${index % users}`, node, client, stays: new Map() })
    }
  }

  /** One after the other, at a steady rate where the machine allows it. */
  async operate(count: number): Promise<void> {
    const startedAtMs = performance.now()
    for (let done = 0; done < count; done += 1) {
      await this.#operateOnce()
      await sleep(Math.max(0, startedAtMs + ((done + 1) * 1000) / perSecond - performance.now()))
    }
  }

  /** @returns when, by Date.now() */
  async killTheSender(): Promise<number> {
    const sent = await Promise.all(
      this.#cluster.nodes.map(async (node) => (await node.scrape()).sum('webhooks_total', 'outcome="delivered"')),
    )
    const victim = sent.indexOf(Math.max(...sent))
    const waiting = (await this.#cluster.node(victim).scrape()).sum('webhook_queue')
    const killedAtMs = Date.now()
    await this.#cluster.node(victim).kill()
    this.#run.figure('killed: the node that had delivered', `${sent[victim] ?? 0} of ${sent.join(' + ')} events`)
    this.#run.check('  and had unsent', waiting, '> 0', waiting > 0)
    const gone = this.#people.filter(({ node }) => node === victim)
    this.#people = this.#people.filter(({ node }) => node !== victim)
    for (const { stays } of gone) {
      for (const stay of stays.values()) {
        this.webhooks.left(stay, killedAtMs, killedAtMs + sweptMs)
        this.#rest.remove(stay.channel, stay.user)
      }
    }
    const returning = gone.filter((_person, index) => index % 2 === 0)
    await Promise.all(returning.map((person) => this.#comeBack(person, victim)))
    return killedAtMs
  }

  /** Until everybody has been told everything. */
  async settle(receiver: WebhookReceiver): Promise<void> {
    const running = this.#cluster.running()
    const isTrue = async () => {
      for (const node of running) if ((await this.#rest.differences(this.#cluster.rest(node))).length > 0) return false
      return true
    }
    const swept = await timeUntil(isTrue, sweptMs + 10_000, 200)
    this.#run.reached('REST of both nodes is true after', swept, sweptMs)
    // Whoever was swept has left only now.
    await sleep(leaveDelayMs)
    const isTold = async () =>
      (await this.#cluster.sum('webhook_queue')) === 0 &&
      this.webhooks.isNetState(acceptedFirst(receiver.at(paths.flaky)))
    const mostMs = toldMs[this.#run.mode]
    const told = await timeUntil(isTold, mostMs, 200)
    this.#run.inTime('and all of it is told after', told, mostMs)
    await sleep(1000)
  }

  async #operateOnce(): Promise<void> {
    const inside = this.#people.filter(({ stays }) => stays.size > 0)
    // Slightly more come than go.
    if (inside.length > 0 && this.#random.below(100) < 46) {
      const person = inside[this.#random.below(inside.length)]!
      const stays = [...person.stays.values()]
      this.#leave(person, stays[this.#random.below(stays.length)]!)
      return
    }
    for (;;) {
      const person = this.#people[this.#random.below(this.#people.length)]!
      const channel = this.#someChannel()
      if (person.stays.has(channel) || this.webhooks.isDoubtful(channel, person.user, Date.now())) continue
      await this.#join(person, channel)
      return
    }
  }

  /** Every third time one that somebody has just left, so that there is what must not be told. */
  #someChannel(): string {
    const nowMs = Date.now()
    const left = this.webhooks.stays.slice(-50).filter(({ leftMs }) => leftMs !== undefined && nowMs - leftMs.to < 1500)
    if (left.length > 0 && this.#random.chance(3)) return left[this.#random.below(left.length)]!.channel
    return `presence-room-${this.#random.below(channels)}`
  }

  async #join(person: Person, channel: string): Promise<void> {
    const sentMs = Date.now()
    await person.client.subscribe(channel, person.user)
    person.stays.set(channel, this.webhooks.came(channel, person.user, sentMs, Date.now()))
    this.#rest.add(channel, person.user)
    this.joins += 1
  }

  #leave({ client, stays }: Person, stay: Stay): void {
    const sentMs = Date.now()
    client.unsubscribe(stay.channel)
    stays.delete(stay.channel)
    this.webhooks.left(stay, sentMs, sentMs + leavingMs)
    this.#rest.remove(stay.channel, stay.user)
    this.leaves += 1
  }

  /** As pusher-js does, within a second, at another node. */
  async #comeBack({ user, stays }: Person, victim: number): Promise<void> {
    await sleep(this.#random.below(1000))
    const node = (victim + 1 + this.#random.below(nodes - 1)) % nodes
    const person = { user, node, client: await this.#run.client(this.#cluster.target(node)), stays: new Map() }
    for (const channel of stays.keys()) await this.#join(person, channel)
    this.#people.push(person)
  }
}

function checkFlaky(run: Run, receiver: WebhookReceiver, truth: WebhookTruth, killedAtMs: number): void {
  const attempts = receiver.at(paths.flaky)
  const told = acceptedFirst(attempts)
  const answered = (status: number | undefined) => attempts.filter((attempt) => attempt.status === status).length
  run.figure(
    'requests',
    `${attempts.length}: ${answered(200)} × 200, ${answered(500)} × 500, ${answered(undefined)} hung`,
  )
  run.equal('without a valid signature', receiver.figures.invalid, 0)
  run.equal(
    'with a delivery id of their own',
    new Set(attempts.map(({ deliveryId }) => deliveryId)).size,
    attempts.length,
  )
  const stampedMs = Math.max(...attempts.map(({ atMs, timeMs }) => Math.abs(atMs - timeMs)))
  run.inTime('time_ms differs from the time of the attempt by', stampedMs, 2000, '< 2 s')
  const { least, most } = truth.counts()
  run.check('transitions told', told.length, `${least} to ${most}`, told.length >= least && told.length <= most)
  const faults = truth.faults(told)
  run.equal('channels and members told wrongly, or not at all', faults.length, 0)
  for (const text of firstFaults(faults)) run.figure('  wrong', text)
  run.check('events repeated', repeats(attempts), '> 0', repeats(attempts) > 0)
  run.equal('ids that stand for two events', idsOfTwoEvents(attempts).length, 0)
  const wrong = wrongOrders(told, leaveDelayMs)
  run.equal('told in the wrong order within their channel', wrong.length, 0)
  for (const text of firstFaults(wrong)) run.figure('  wrong', text)
  const again = acceptedAgain(attempts)
  run.figure(
    'told again although accepted',
    `${again.length}, ${again.filter((at) => at < killedAtMs).length} before the kill`,
  )
  run.figure('oldest event of a retry', ms(oldestRepeatMs(attempts, leaveDelayMs)))
}

/** What is retried for 5 s here is retried for 5 min by default. */
async function checkDead(run: Run, receiver: WebhookReceiver, cluster: Cluster, killedAtMs: number): Promise<void> {
  const attempts = receiver.at(paths.dead)
  run.check('requests to the receiver that always fails', attempts.length, '> 10', attempts.length > 10)
  const late = lateRepeats(attempts, deadRetryForMs + wayMs, leaveDelayMs)
  const ofOneNode = late.filter(({ atMs }) => atMs < killedAtMs).length
  run.equal(`  retried although older than ${ms(deadRetryForMs)}, before the kill`, ofOneNode, 0)
  // Whoever takes over does not know what was tried before.
  const mostTimes = late.length - new Set(late.map(({ id }) => id)).size
  run.equal(`  after the takeover, more than once`, mostTimes, 0)
  run.figure('    once', late.length)
  const givenUp = await cluster.sum('webhooks_total', 'outcome="given_up"')
  run.check('  given up, counted', givenUp, '> 0', givenUp > 0)
}
