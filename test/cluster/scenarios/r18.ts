import { Agent, get } from 'node:http'
import { LatencyHistogram } from '../../black-box/latency.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import type { ServerNode } from '../../black-box/server-node.js'
import { ms, sleep } from '../../black-box/waiting.js'
import { Cluster } from '../cluster.js'
import { Crowd, type CrowdReport } from '../crowd.js'
import { checkDeliveries } from '../ledger-checks.js'
import { Ledger } from '../ledger.js'

const readers = 50
const perSecond = 50
const acceptedMs = 15_000
const lagMaxMs = 1000
const p99Ms = 500
const probeEveryMs = 5
const stormsMax = 3

/**
 * The crowd is a process of its own and comes back without any pause, one presence member in ten. The lag is seen from outside: the
 * longest wait for an answer of `/live`, which nothing but the event loop delays. A storm lasts a second, and whatever else the
 * machine does meanwhile can only make it worse: of up to three storms the best counts. `--fast`: 1 000 clients.
 */
export const r18: Scenario = {
  id: 'R18',
  title: '3 000 clients of a killed node return at once to the one survivor',
  seconds: { fast: 30, normal: 60, long: 60 },
  async run(run) {
    const count = run.pick(1000, 3000)
    const cluster = await Cluster.start(run, { nodes: 2 })
    const survivor = cluster.target(1)
    const ledger = new Ledger({ channels: ['steady'], perSecond, targets: [survivor] })
    const others = await run.clients(readers, survivor, (client) => client.subscribe('steady'))
    for (const client of others) ledger.read(client)
    const probe = new Probe(cluster.node(1))
    ledger.start()
    const storms: Storm[] = []
    for (let left = stormsMax; left > 0; left -= 1) {
      const storm = await unleash(run, cluster, ledger, probe, count)
      storms.push(storm)
      if (storm.p99Ms < p99Ms && storm.lagMs < lagMaxMs) break
      if (left > 1) await cluster.restart(0)
    }
    probe.stop()
    // The dead node is swept meanwhile: that is part of the storm.
    await sleep(run.pick(2000, 12_000))
    await ledger.stop()
    report(run, storms, count)
    run.equal('triggers not accepted', ledger.triggers.filter(({ status }) => status !== 200).length, 0)
    checkDeliveries(run, ledger)
    run.equal('others dropped', others.filter((client) => client.closed !== undefined).length, 0)
    const connected = (await cluster.node(1).scrape()).sum('connected')
    run.equal('connected after the last storm', connected, count + readers)
  },
}

interface Storm {
  readonly before: string
  readonly back: CrowdReport
  readonly lagMs: number
  readonly p99Ms: number
  readonly waits: string
}

async function unleash(run: Run, cluster: Cluster, ledger: Ledger, probe: Probe, count: number): Promise<Storm> {
  const crowd = await Crowd.start(run, { count, target: cluster.target(0), returnTo: cluster.target(1) })
  const begin = () => {
    ledger.latency.clear()
    probe.take()
  }
  begin()
  await sleep(2000)
  const before = `p99 ${ms(ledger.latency.quantileMs(0.99))}, longest wait ${ms(probe.take().maxMs)}`
  begin()
  const killedAtMs = performance.now()
  const returned = crowd.back()
  await cluster.node(0).kill()
  const back = await returned
  await sleep(500)
  const { lateMs, answerMs } = ledger.waits(killedAtMs, killedAtMs + back.subscribedMs)
  const [lagMs, p99] = [probe.take().maxMs, ledger.latency.quantileMs(0.99)]
  const waits = `${ms(lateMs)} to be sent, ${ms(answerMs)} to be answered`
  if (lagMs >= lagMaxMs || p99 >= p99Ms) crowd.close()
  return { before, back, lagMs, p99Ms: p99, waits }
}

function report(run: Run, storms: readonly Storm[], count: number): void {
  const best = (of: (storm: Storm) => number) => Math.min(...storms.map(of))
  for (const [index, { before, back, lagMs, p99Ms: p99, waits }] of storms.entries()) {
    run.figure(`storm ${index + 1}: before it`, before)
    run.figure(
      '  accepted: half of them, all; all subscribed',
      [back.halfMs, back.connectedMs, back.subscribedMs].map(ms).join(', '),
    )
    run.figure('  attempts that failed', JSON.stringify(back.failed))
    run.figure('  longest wait for /live; p99 of deliveries', `${ms(lagMs)}; ${ms(p99)}`)
    run.figure('  longest wait of a trigger', waits)
  }
  const connectedMs = best(({ back }) => back.connectedMs)
  run.reached(`all ${count} accepted after`, connectedMs, acceptedMs)
  const lag = best(({ lagMs }) => lagMs)
  run.inTime('longest wait for /live', lag, lagMaxMs, `< ${ms(lagMaxMs)}`)
  const p99 = best((storm) => storm.p99Ms)
  run.inTime('p99 of deliveries to others', p99, p99Ms, `< ${ms(p99Ms)}`)
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
