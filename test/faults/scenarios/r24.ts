import { EventStream } from '../../black-box/event-stream.js'
import { collectingArguments, sampleMemory, slopePerHour, type MemorySample } from '../memory-trend.js'
import { RestClient } from '../../black-box/rest-client.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp, type ServerNode } from '../../black-box/server-node.js'
import { megabytes, ms, sleep, timeUntil } from '../../black-box/waiting.js'
import { WireClient } from '../../black-box/wire-client.js'

const readers = 10
const churnPerSecond = 50
const perSecond = 100
/** Each comer stays for so long, so that about a second's worth of them is there at any time. */
const stayMs = 1000
const sampleEveryMs = 10_000
const gauges = ['connected', 'channels', 'subscriptions', 'presence_members', 'backpressure_bytes'] as const

export const r24: Scenario = {
  id: 'R24',
  title: `churn of ${churnPerSecond} connect + subscribe + close per s, ${perSecond} triggers/s`,
  seconds: { fast: 30, normal: 630, long: 1830 },
  async run(run) {
    const folder = run.folder()
    const node = await run.startNode({ apps: [oneApp] }, { nodeArguments: collectingArguments(folder) })
    const stream = new EventStream(new RestClient(node.target()), { channel: 'steady', perSecond })
    await run.clients(readers, node.target(), async (client) => {
      await client.subscribe(stream.channel)
      stream.read(client)
    })
    stream.start()
    const warm = new Churn(node)
    await sleep(run.pick(3000, 10_000))
    await warm.stop()
    await timeUntil(async () => (await node.scrape()).sum('connected') === readers, 5000)
    const before = await stateOf(node)

    const samples: MemorySample[] = []
    const churn = new Churn(node)
    const endsAtMs = performance.now() + run.pick(15, 600, 1800) * 1000
    while (performance.now() < endsAtMs) {
      await sleep(Math.min(sampleEveryMs, endsAtMs - performance.now()))
      samples.push(await sampleMemory(node, folder))
    }
    await churn.stop()
    await reportState(run, node, before)
    await stream.stop()
    run.figure('comers, failed', `${churn.comers}, ${churn.failed}`)
    run.check('comers', churn.comers, '≥ 90 % of due', churn.comers >= 0.9 * churn.due && churn.failed === 0, {
      timed: churn.failed === 0,
    })
    run.equal('events missed, wrong', `${stream.missed()}, ${stream.wrong()}`, '0, 0')
    run.equal('triggers not answered 200', stream.notAccepted, 0)
    reportMemory(run, samples)
  },
}

/** Clients that come, subscribe to channels nobody else has, sign in, and go: every other one without a word. */
class Churn {
  comers = 0
  failed = 0
  due = 0
  readonly #node: ServerNode
  readonly #startedAtMs = performance.now()
  readonly #visits = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout

  constructor(node: ServerNode) {
    this.#node = node
    this.#timer = setInterval(() => {
      this.due = Math.floor(((performance.now() - this.#startedAtMs) * churnPerSecond) / 1000)
      while (this.comers < this.due) this.#come()
    }, 20)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#visits)
  }

  #come(): void {
    const number = this.comers
    this.comers += 1
    const visit = this.#visit(number).catch(() => {
      this.failed += 1
    })
    this.#visits.add(visit)
    void visit.then(() => this.#visits.delete(visit))
  }

  async #visit(number: number): Promise<void> {
    const client = new WireClient(this.#node.target())
    try {
      await client.connected
      client.signIn(`user-${number}`)
      await client.subscribe(`channel-${number}`)
      await client.subscribe(`private-cache-${number}`)
      await client.subscribe(`presence-${number % 100}`, `user-${number}`)
      await sleep(stayMs)
    } finally {
      if (number % 2 === 0) client.close()
      else client.destroy()
    }
  }
}

interface State {
  readonly gauges: string
  readonly timers: number
  readonly files: number
}

async function stateOf(node: ServerNode): Promise<State> {
  const scrape = await node.scrape()
  return {
    gauges: gauges.map((name) => scrape.sum(name)).join(' '),
    timers: scrape.sum('nodejs_active_resources', 'type="Timeout"'),
    files: node.openFiles().all,
  }
}

async function reportState(run: Run, node: ServerNode, before: State): Promise<void> {
  let now = before
  const took = await timeUntil(
    async () => {
      now = await stateOf(node)
      return now.gauges === before.gauges && now.timers <= before.timers && now.files <= before.files
    },
    20_000,
    100,
  )
  run.equal(gauges.join(' '), now.gauges, before.gauges)
  run.check('timers', now.timers, `≤ ${before.timers}`, now.timers <= before.timers)
  run.check('descriptors', now.files, `≤ ${before.files}`, now.files <= before.files)
  run.figure('back to the baseline after', ms(took))
}

/** Growth counts as proven when the slope is above the bound by two standard errors; the figure says how sure that is. */
function reportMemory(run: Run, samples: readonly MemorySample[]): void {
  run.figure(
    'RSS after collection, first and last',
    `${megabytes(samples[0]?.rss ?? 0)}, ${megabytes(samples.at(-1)?.rss ?? 0)}`,
  )
  run.figure(
    'held by JavaScript, first and last',
    `${megabytes(samples[0]?.held ?? 0)}, ${megabytes(samples.at(-1)?.held ?? 0)}`,
  )
  const half = samples.slice(Math.floor(samples.length / 2))
  if (half.length < 10) return
  for (const [name, pick] of [
    ['RSS', (sample: MemorySample) => sample.rss],
    ['held by JavaScript', (sample: MemorySample) => sample.held],
  ] as const) {
    const { slope, error } = slopePerHour(half, pick)
    const measured = `${slope.toFixed(2)} ± ${(2 * error).toFixed(2)} MB/h`
    run.check(`slope over the last half, ${name}`, measured, '< 1 MB/h', slope - 2 * error < 1)
  }
}
