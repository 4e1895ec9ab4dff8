import { LatencyHistogram } from '../../black-box/latency.js'
import { RestClient } from '../../black-box/rest-client.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { ms, sleep, timeUntil } from '../../black-box/waiting.js'
import type { WireClient } from '../../black-box/wire-client.js'
import { Cluster, watchedApp } from '../cluster.js'

const channel = 'private-talk'
const whisperEveryMs = 50
const readMs = 1000
/** For the way through the loaded machine. */
const toleranceMs = 100
const reads = ['/channels', `/channels/${channel}`, '/channels/presence-room/users', '/channels/presence-room']

/** D3 and D4. Redis is stopped by SIGSTOP: connections to it stay, nothing answers. */
export const freeze: Scenario = {
  id: 'FREEZE',
  title: `Redis freezes: whispers on the node, reads, connecting and subscribing go on`,
  seconds: { fast: 15, normal: 25, long: 25 },
  async run(run) {
    const cluster = await Cluster.start(run, {
      nodes: 2,
      apps: [{ ...watchedApp, clientEvents: { enabled: true, perSecond: 1000 }, limits: { messagesPerSecond: 0 } }],
    })
    const [speaker, near, far] = [
      await run.client(cluster.target(0)),
      await run.client(cluster.target(0)),
      await run.client(cluster.target(1)),
    ]
    for (const client of [speaker, near, far]) await client.subscribe(channel)
    const [nearHeard, farHeard] = [new Whispers(near), new Whispers(far)]
    speaker.whisper(channel, 'client-note', 0)
    await timeUntil(() => nearHeard.count === 1 && farHeard.count === 1, 2000)
    run.equal('a whisper before reaches both nodes', `${nearHeard.count}, ${farHeard.count}`, '1, 1')

    // The node knows after 6 s that its bus is gone.
    const frozenMs = run.pick(8000, 12_000)
    cluster.redis.freeze()
    const endsAtMs = performance.now() + frozenMs
    const asked = [askFor(cluster, 0, endsAtMs), askFor(cluster, 1, endsAtMs)]
    const comers = comeFor(run, cluster, endsAtMs)
    let sent = 1
    for (; performance.now() < endsAtMs; sent += 1) {
      speaker.whisper(channel, 'client-note', sent)
      await sleep(whisperEveryMs)
    }
    await timeUntil(() => nearHeard.count === sent, 1000)
    cluster.redis.thaw()
    reportReads(run, await Promise.all(asked))
    reportComers(run, await comers)
    run.equal('whispers heard on the same node', nearHeard.count, sent)
    const again = await timeUntil(async () => (await cluster.rest(0).send('GET', '/channels')).status === 200, 10_000)
    run.reached('a read is answered 200 again after', again, 3000, '≤ 3 s')
    await cluster.ready()
    await sleep(2000)
    const dropped = await cluster.sum('bus_dropped_total', 'reason="not_bridged"')
    run.figure('whispers sent, heard on the other node', `${sent}, ${farHeard.count}`)
    run.equal('not bridged, by the metric', dropped, sent - farHeard.count)
    run.equal('whispers doubled or out of order', nearHeard.wrong + farHeard.wrong, 0)
    speaker.whisper(channel, 'client-note', sent)
    const heard = farHeard.count
    await timeUntil(() => farHeard.count > heard, 2000)
    run.equal('a whisper afterwards reaches the other node', farHeard.count - heard, 1)
    const dropouts = [speaker, near, far].filter((client) => client.closed !== undefined).length
    run.equal('connections dropped, processes ended', `${dropouts}, ${2 - cluster.running().length}`, '0, 0')
  },
}

class Whispers {
  count = 0
  wrong = 0
  #last = -1

  constructor(client: WireClient) {
    client.onMessage = ({ event, data }) => {
      if (event !== 'client-note') return
      this.count += 1
      if (Number(data) <= this.#last) this.wrong += 1
      this.#last = Number(data)
    }
  }
}

interface Reads {
  readonly statuses: Map<number, number>
  slowestMs: number
}

async function askFor(cluster: Cluster, node: number, endsAtMs: number): Promise<Reads> {
  const rest = new RestClient(cluster.target(node))
  const result: Reads = { statuses: new Map(), slowestMs: 0 }
  for (let index = 0; performance.now() < endsAtMs - readMs - 500; index += 1) {
    const startedAtMs = performance.now()
    const { status } = await rest.send('GET', reads[index % reads.length]!)
    result.slowestMs = Math.max(result.slowestMs, performance.now() - startedAtMs)
    result.statuses.set(status, (result.statuses.get(status) ?? 0) + 1)
    await sleep(20)
  }
  rest.close()
  return result
}

/** Clients that connect and subscribe meanwhile; a presence join is answered with the members its node knows. */
async function comeFor(run: Run, cluster: Cluster, endsAtMs: number): Promise<LatencyHistogram> {
  const latency = new LatencyHistogram()
  for (let index = 0; performance.now() < endsAtMs - 1500; index += 1) {
    const startedAtMs = performance.now()
    const client = await run.client(cluster.target(index % 2))
    await client.subscribe(`public-${index}`)
    latency.add(performance.now() - startedAtMs)
    await client.subscribe(channel)
    const roster = JSON.parse(await client.subscribe('presence-room', `comer-${index}`)) as {
      presence: { count: number }
    }
    if (roster.presence.count < 1) throw new Error('a roster without the member itself')
    await sleep(50)
  }
  return latency
}

function reportReads(run: Run, asked: readonly Reads[]): void {
  for (const [node, { statuses, slowestMs }] of asked.entries()) {
    const text = [...statuses].map(([status, count]) => `${count} × ${status}`).join(', ')
    run.check(`reads of node ${node}`, text, '503 only', statuses.size === 1 && statuses.has(503))
    run.inTime('  the slowest after', slowestMs, readMs + toleranceMs, `≤ ${ms(readMs)} + ${ms(toleranceMs)}`)
  }
}

function reportComers(run: Run, latency: LatencyHistogram): void {
  run.check('clients that came meanwhile', latency.count, '> 20', latency.count > 20, { timed: true })
  const p99 = latency.quantileMs(0.99)
  run.inTime('connect and subscribe, p99', p99, 500, '< 500 ms')
}
