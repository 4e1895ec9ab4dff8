import { Agent, get } from 'node:http'
import { LatencyHistogram } from '../../black-box/latency.js'
import type { Scenario } from '../../black-box/scenario.js'
import type { ServerNode } from '../../black-box/server-node.js'
import { ms, sleep } from '../../black-box/waiting.js'
import { Cluster } from '../cluster.js'
import { Crowd } from '../crowd.js'
import { checkDeliveries } from '../ledger-checks.js'
import { Ledger } from '../ledger.js'

const readers = 50
const perSecond = 50
const acceptedMs = 15_000
const lagMaxMs = 1000
const p99Ms = 500
const probeEveryMs = 5

/**
 * The crowd is a process of its own and comes back without any pause, one presence member in ten. The lag is seen from outside: the
 * longest wait for an answer of `/live`, which nothing but the event loop delays. `--fast`: 1 000 clients.
 */
export const r18: Scenario = {
  id: 'R18',
  title: '3 000 clients of a killed node return at once to the one survivor',
  seconds: { fast: 20, normal: 30, long: 30 },
  async run(run) {
    const count = run.pick(1000, 3000)
    const cluster = await Cluster.start(run, { nodes: 2 })
    const survivor = cluster.target(1)
    const ledger = new Ledger({ channels: ['steady'], perSecond, targets: [survivor] })
    const others = await run.clients(readers, survivor, (client) => client.subscribe('steady'))
    for (const client of others) ledger.read(client)
    const crowd = await Crowd.start(run, { count, target: cluster.target(0), returnTo: survivor })
    const probe = new Probe(cluster.node(1))
    ledger.start()
    await sleep(3000)
    run.figure(
      'before: p99 of deliveries, longest wait',
      `${ms(ledger.latency.quantileMs(0.99))}, ${ms(probe.take().maxMs)}`,
    )

    ledger.latency.clear()
    const killedAtMs = performance.now()
    const back = crowd.back()
    await cluster.node(0).kill()
    const report = await back
    await sleep(500)
    const lag = probe.take()
    probe.stop()
    const p99 = ledger.latency.quantileMs(0.99)
    run.check(
      `all ${count} accepted after`,
      ms(report.connectedMs),
      `≤ ${ms(acceptedMs)}`,
      report.connectedMs <= acceptedMs,
    )
    run.figure('  half of them, and all subscribed, after', `${ms(report.halfMs)}, ${ms(report.subscribedMs)}`)
    run.figure('  attempts that failed', JSON.stringify(report.failed))
    run.check(`longest wait of ${lag.count} for /live`, ms(lag.maxMs), `< ${ms(lagMaxMs)}`, lag.maxMs < lagMaxMs)
    run.check(`p99 of ${ledger.latency.count} deliveries to others`, ms(p99), `< ${ms(p99Ms)}`, p99 < p99Ms)
    const waits = ledger.waits(killedAtMs, killedAtMs + report.subscribedMs)
    run.figure('  longest wait to be sent, to be answered', `${ms(waits.lateMs)}, ${ms(waits.answerMs)}`)
    // The dead node is swept meanwhile: that is part of the storm.
    await sleep(run.pick(2000, 12_000))
    await ledger.stop()
    run.equal('triggers not accepted', ledger.triggers.filter(({ status }) => status !== 200).length, 0)
    checkDeliveries(run, ledger)
    run.equal('others dropped', others.filter((client) => client.closed !== undefined).length, 0)
    const connected = (await cluster.node(1).scrape()).sum('connected')
    run.equal('connected at the end', connected, count + readers)
  },
}

/** Asks again and again over one connection. */
class Probe {
  readonly #node: ServerNode
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  #latency = new LatencyHistogram()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(node: ServerNode) {
    this.#node = node
    this.#ask()
  }

  /** What was seen since the last call. */
  take(): LatencyHistogram {
    const latency = this.#latency
    this.#latency = new LatencyHistogram()
    return latency
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#agent.destroy()
  }

  #ask(): void {
    const startedAtMs = performance.now()
    const again = () => {
      this.#latency.add(performance.now() - startedAtMs)
      if (!this.#stopped) this.#timer = setTimeout(() => this.#ask(), probeEveryMs)
    }
    get(`${this.#node.url}/live`, { agent: this.#agent }, (response) => response.resume().on('end', again)).on(
      'error',
      again,
    )
  }
}
