import { median } from '../../../bench/measure/statistics.js'
import { EventStream } from '../../black-box/event-stream.js'
import type { LatencyHistogram } from '../../black-box/latency.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp, type NodeOptions, type ServerNode } from '../../black-box/server-node.js'
import { megabytes, ms, sleep, timeUntil } from '../../black-box/waiting.js'
import type { WireClient } from '../../black-box/wire-client.js'
import { freePort } from '../../harness/free-port.js'
import { collectingArguments, sampleMemory } from '../memory-trend.js'
import { SilentServer } from '../silent-server.js'
import { WebhookReceiver, withoutRepeats, type ReceivedEvent } from '../../harness/webhook-receiver.js'
import { both, TimedRest, windowsOf, windowsText, type Windows } from '../latency-windows.js'
import { enterChannels, whisper, type Whispers } from '../whisper-load.js'

const otherApp = { id: 'two', key: 'other-key', secret: 'other-secret-of-app-two' }
const readersPerApp = 20
const perSecond = 250
const queued = 100_000
const filling = { channels: 'private-fill', channelCount: 50 }
/** No webhook is sent for these. */
const unheard = { channels: 'private-else', channelCount: 50 }
const live = 'private-live'
const stale = { channels: 'private-stale', channelCount: 10, events: 1000, perSecond: 10_000 }
const staleRetryForMs = 4000
/** Of one URL, in events; the memory above it is for everything else. */
const queueBytesMax = 67_108_864
const moreBytes = 20 * 1_048_576
const liveEveryMs = 100
/** A machine that others use too gets more rounds before it fails. */
const moreRounds = 2

/** Receivers as long as they are dead: accepts and never answers, refuses connections. */
interface Receivers {
  readonly live: WebhookReceiver
  readonly silent: WebhookReceiver
  /** In the place of the one before. */
  readonly silence: SilentServer
  readonly refusing: WebhookReceiver
}

type Measured = Record<'triggers' | 'deliveries', Windows>

/** Alone; beside whispers that no webhook is sent for; beside those that fill the queues; with full queues. */
type PartName = 'alone' | 'unheard' | 'filling' | 'full'

interface Round extends Readonly<Record<PartName, Measured>> {
  readonly liveMs: { readonly alone: readonly number[]; readonly full: readonly number[] }
  readonly grownBytes: number
}

export const dead: Scenario = {
  id: 'DEAD',
  title: `dead webhook receivers with ${queued} events queued for each: everybody else's latency, memory, what comes after`,
  seconds: { fast: 40, normal: 90, long: 90 },
  async run(run) {
    const rounds = [await playRound(run, true)]
    while (isRisen(rounds) && rounds.length <= moreRounds) rounds.push(await playRound(run, false))
    compare(run, rounds)
    const liveMs = { alone: rounds.flatMap((one) => one.liveMs.alone), full: rounds.flatMap((one) => one.liveMs.full) }
    const [beforeMs, besideMs] = [median(liveMs.alone), median(liveMs.full)]
    run.figure(
      'other URLs, of the same app and another: told after',
      `${ms(beforeMs)}, at most ${ms(Math.max(...liveMs.alone))}`,
    )
    const isPrompt = besideMs < beforeMs + 50 && Math.max(...liveMs.full) < 1000
    run.check(
      '  beside full queues',
      `${ms(besideMs)}, at most ${ms(Math.max(...liveMs.full))}`,
      '+ 50 ms, at most 1 s',
      isPrompt,
      { timed: liveMs.full.length > 0 },
    )
    const grown = Math.max(...rounds.map(({ grownBytes }) => grownBytes))
    const allowed = 2 * queueBytesMax + moreBytes
    run.check('memory grew by at most', megabytes(grown), `≤ ${megabytes(allowed)}`, grown <= allowed)
    if (run.mode !== 'fast') await overflow(run)
  },
}

/** @param whole whether to look at what comes after, too */
async function playRound(run: Run, whole: boolean): Promise<Round> {
  const receivers = await startReceivers(run)
  const node = await startNode(run, receivers)
  const steady = await startStreams(run, node)
  const liveTimes = await startLive(run, node, receivers.live)
  const client = await run.client(node.target())
  const fill: Whispers = { ...filling, events: queued, perSecond: run.pick(20_000, 5000) }
  const elsewhere: Whispers = { ...fill, ...unheard, events: run.pick(20_000, queued) }
  await enterChannels(client, fill)
  await enterChannels(client, elsewhere)
  const baselineMs = run.pick(4000, 8000)
  const besideUnheard = await steady.measure(whisper(client, elsewhere))
  liveTimes.take()
  const alone = await steady.measure(sleep(baselineMs))
  const liveAlone = liveTimes.take()
  const memory = watchMemory(run, node)
  const besideFilling = await steady.measure(whisper(client, fill))
  if (whole) await liveTimes.without(() => checkQueue(run, node))
  liveTimes.take()
  const full = await steady.measure(sleep(baselineMs))
  const liveMs = { alone: liveAlone, full: liveTimes.take() }
  const grownBytes = memory.grownBytes()
  if (whole) await checkRevival(run, node, receivers)
  await steady.stop()
  run.equal('events missed, wrong', steady.faults(), '0, 0')
  liveTimes.stop()
  await node.kill()
  for (const receiver of Object.values(receivers) as (WebhookReceiver | SilentServer)[]) await receiver.close()
  return { alone, unheard: besideUnheard, filling: besideFilling, full, liveMs, grownBytes }
}

/** How far the memory rises above what it is now. */
function watchMemory(run: Run, node: ServerNode): { grownBytes(): number } {
  const before = node.rssBytes()
  let most = before
  const timer = setInterval(() => (most = Math.max(most, node.rssBytes())), 200)
  run.onEnd(() => clearInterval(timer))
  return {
    grownBytes() {
      clearInterval(timer)
      return Math.max(most, node.rssBytes()) - before
    },
  }
}

async function startReceivers(run: Run): Promise<Receivers> {
  const apps = [oneApp, otherApp].map((app) => ({ id: app.id, keys: [app] }))
  const [living, silent, refusing] = [
    await WebhookReceiver.start(apps),
    await WebhookReceiver.start(apps, { port: await freePort() }),
    await WebhookReceiver.start(apps, { port: await freePort() }),
  ]
  for (const receiver of [living, silent, refusing]) run.onEnd(() => receiver.close())
  await silent.close()
  await refusing.close()
  const silence = await SilentServer.start(silent.port)
  run.onEnd(() => silence.close())
  return { live: living, silent, silence, refusing }
}

function startNode(run: Run, receivers: Receivers, options: NodeOptions = {}): Promise<ServerNode> {
  const unlimited = { clientEvents: { perSecond: 1_000_000 }, limits: { messagesPerSecond: 0 } }
  const hook = (receiver: WebhookReceiver, channelPrefix: string, more: object = {}) => ({
    url: receiver.url('/'),
    channelPrefix,
    events: ['client_event'],
    allowPrivateNetwork: true,
    ...more,
  })
  const webhooks = [
    hook(receivers.silent, filling.channels, { timeoutMs: 1000 }),
    hook(receivers.refusing, filling.channels),
    hook(receivers.live, live),
  ]
  const others = [hook(receivers.live, live), hook(receivers.refusing, stale.channels, { retryForMs: staleRetryForMs })]
  const apps = [
    { ...oneApp, ...unlimited, webhooks },
    { ...otherApp, ...unlimited, webhooks: others },
  ]
  return run.startNode({ apps }, options)
}

/** A steady stream in each app. */
async function startStreams(run: Run, node: ServerNode) {
  const streams: { stream: EventStream; rest: TimedRest }[] = []
  for (const app of [oneApp, otherApp]) {
    const rest = new TimedRest(node.target(app))
    const stream = new EventStream(rest, { channel: 'steady', perSecond })
    await run.clients(readersPerApp, node.target(app), async (client) => {
      await client.subscribe(stream.channel)
      stream.read(client)
    })
    streams.push({ stream, rest })
  }
  for (const { stream } of streams) stream.start()
  const named: Record<string, LatencyHistogram> = {}
  for (const [index, { stream, rest }] of streams.entries()) {
    named[`deliveries ${index}`] = stream.latency
    named[`triggers ${index}`] = rest.latency
  }
  const sum = (pick: (stream: EventStream) => number) => streams.reduce((total, { stream }) => total + pick(stream), 0)
  return {
    async measure(work: Promise<unknown>): Promise<Measured> {
      const windows = await windowsOf(named, work)
      const of = (name: string) => both(streams.flatMap((_stream, index) => windows[`${name} ${index}`] ?? []))
      return { triggers: of('triggers'), deliveries: of('deliveries') }
    },
    async stop(): Promise<void> {
      for (const { stream } of streams) await stream.stop()
    },
    faults: () => `${sum((stream) => stream.missed())}, ${sum((stream) => stream.wrong())}`,
  }
}

/** One client event every now and then in each app, whose webhook goes to a receiver that is well. */
async function startLive(run: Run, node: ServerNode, receiver: WebhookReceiver) {
  const clients: WireClient[] = []
  for (const app of [oneApp, otherApp]) {
    const client = await run.client(node.target(app))
    await client.subscribe(live)
    clients.push(client)
  }
  const sentAtMs: number[] = []
  let tookMs: number[] = []
  receiver.onAttempt = ({ events }) => {
    for (const { data } of events) tookMs.push(performance.now() - (sentAtMs[numberOf(data)] ?? NaN))
  }
  let silent = false
  const timer = setInterval(() => {
    if (silent) return
    const client = clients[sentAtMs.length % clients.length]
    sentAtMs.push(performance.now())
    client?.whisper(live, 'client-live', { number: sentAtMs.length - 1 })
  }, liveEveryMs)
  run.onEnd(() => clearInterval(timer))
  return {
    /** How long each took since the last call, in ms. */
    take(): number[] {
      const taken = tookMs
      tookMs = []
      return taken
    },
    /** Does something while there are none. */
    async without(work: () => Promise<void>): Promise<void> {
      silent = true
      await work()
      silent = false
    },
    stop: () => clearInterval(timer),
  }
}

async function checkQueue(run: Run, node: ServerNode): Promise<void> {
  const gauge = async () => (await node.scrape()).sum('webhook_queue')
  // Until the last event of the living URLs is told.
  await timeUntil(async () => (await gauge()) === 2 * queued, 3000)
  run.equal('events in two queues, as the gauge says', await gauge(), 2 * queued)
}

/** The dead come back to life. */
async function checkRevival(run: Run, node: ServerNode, receivers: Receivers): Promise<void> {
  const other = await run.client(node.target(otherApp))
  await enterChannels(other, stale)
  await whisper(other, stale)
  const givenUp = async () => (await node.scrape()).sum('webhooks_total', 'outcome="given_up"')
  const gaveUp = await timeUntil(async () => (await givenUp()) >= stale.events, staleRetryForMs + 10_000, 100)
  run.equal(`given up after ${ms(staleRetryForMs)} and counted`, await givenUp(), stale.events)
  run.check('  all of them after', ms(gaveUp), `≥ ${ms(staleRetryForMs / 2)}`, (gaveUp ?? 0) >= staleRetryForMs / 2)
  const { silent, silence, refusing } = receivers
  await silence.close()
  await silent.reopen()
  await refusing.reopen()
  const of = (receiver: WebhookReceiver) => receiver.events({ appId: oneApp.id })
  const isHere = (receiver: WebhookReceiver) => receiver.figures.events >= queued
  for (const [name, receiver] of [
    ['never answered', silent],
    ['refused', refusing],
  ] as const) {
    const took = await timeUntil(() => isHere(receiver), 60_000, 50)
    const events = of(receiver)
    const distinct = withoutRepeats(events)
    run.reached(`the one that ${name} has them after`, took, 30_000, '≤ 30 s')
    run.equal('  events, distinct ones', `${events.length}, ${distinct.length}`, `${queued}, ${queued}`)
    run.equal('  out of order in their channel', outOfOrder(distinct), 0)
  }
  await whisper(other, { ...stale, events: stale.channelCount })
  const late = () => refusing.events({ appId: otherApp.id })
  await timeUntil(() => late().length >= stale.channelCount, 5000)
  run.equal('told of what is not too old, and of nothing else', late().length, stale.channelCount)
  const left = (await node.scrape()).sum('webhook_queue')
  run.check('events in the queues afterwards', left, '≤ 2 of the living', left <= 2)
  const { invalid } = silent.figures
  run.equal('without a valid signature', invalid + refusing.figures.invalid + receivers.live.figures.invalid, 0)
}

/** More than a queue may hold. What is dropped is garbage that nothing hurries to collect, so what is held is looked at, too. */
async function overflow(run: Run): Promise<void> {
  const folder = run.folder()
  const node = await startNode(run, await startReceivers(run), { nodeArguments: collectingArguments(folder) })
  const client = await run.client(node.target())
  const warm: Whispers = { ...unheard, events: 20_000, perSecond: 5000, bytes: 5000 }
  await enterChannels(client, warm)
  await whisper(client, warm)
  const before = await sampleMemory(node, folder)
  const memory = watchMemory(run, node)
  const large: Whispers = { ...filling, events: 30_000, perSecond: 5000, bytes: 5000 }
  await enterChannels(client, large)
  await whisper(client, large)
  await sleep(2000)
  const grown = memory.grownBytes()
  const after = await sampleMemory(node, folder)
  const scrape = await node.scrape()
  const [waiting, dropped] = [scrape.sum('webhook_queue'), scrape.sum('webhooks_total', 'outcome="dropped"')]
  const isAll = waiting + dropped === 2 * large.events
  run.check('more than fits: waiting + dropped', `${waiting} + ${dropped}`, 2 * large.events, isAll)
  const mostWaiting = (2 * queueBytesMax) / 5000
  run.check('  waiting', waiting, `≤ ${Math.floor(mostWaiting)}`, waiting <= mostWaiting)
  const allowed = 2 * queueBytesMax + moreBytes
  const held = after.held - before.held
  run.check('  memory held', megabytes(held), `≤ ${megabytes(allowed)}`, held <= allowed)
  run.check('  memory grew by at most', megabytes(grown), `≤ ${megabytes(1.5 * allowed)}`, grown <= 1.5 * allowed)
  await node.kill()
}

const kinds = ['triggers', 'deliveries'] as const

function windowsIn(rounds: readonly Round[], part: PartName, kind: keyof Measured): Windows {
  return both(rounds.map((round) => round[part][kind]))
}

function compare(run: Run, rounds: readonly Round[]): void {
  for (const kind of kinds) {
    const [alone, full] = [windowsIn(rounds, 'alone', kind), windowsIn(rounds, 'full', kind)]
    run.figure(`${kind}, before`, windowsText(alone))
    run.check('  with full queues', windowsText(full), '+ 20 % or 1 ms', !isWorse(alone, full), { timed: true })
    // Work and garbage of webhooks, whoever receives them.
    if (run.mode === 'fast') continue
    run.figure('  beside whispers without webhooks', windowsText(windowsIn(rounds, 'unheard', kind)))
    run.figure('  beside whispers that fill the queues', windowsText(windowsIn(rounds, 'filling', kind)))
  }
}

function isRisen(rounds: readonly Round[]): boolean {
  return kinds.some((kind) => isWorse(windowsIn(rounds, 'alone', kind), windowsIn(rounds, 'full', kind)))
}

/** By the median windows. */
function isWorse(base: Windows, now: Windows): boolean {
  const worse = (a: readonly number[], b: readonly number[]) => median(b) > Math.max(1.2 * median(a), median(a) + 1)
  return worse(base.p50s, now.p50s) || worse(base.p99s, now.p99s)
}

/** The events of a channel are numbered. */
function outOfOrder(events: readonly ReceivedEvent[]): number {
  const last = new Map<string, number>()
  let wrong = 0
  for (const { channel, data } of events) {
    const number = numberOf(data)
    if (number <= (last.get(channel) ?? -1)) wrong += 1
    last.set(channel, number)
  }
  return wrong
}

function numberOf(data: string | undefined): number {
  return (JSON.parse(data ?? '{}') as { number?: number }).number ?? NaN
}
