import { EventStream } from '../../black-box/event-stream.js'
import { RestClient } from '../../black-box/rest-client.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp, type ServerNode } from '../../black-box/server-node.js'
import { sleep, timeUntil, until } from '../../black-box/waiting.js'
import { WireClient } from '../../black-box/wire-client.js'

const clients = 2000
const members = 400
const listeners = 100
/** A close of a member may overtake one of the others by this much on the way through the kernel. */
const toleranceMs = 150

export const r16: Scenario = {
  id: 'R16',
  title: `SIGTERM with ${clients} clients (${members} in presence channels), 50 triggers/s`,
  seconds: { fast: 15, normal: 35, long: 35 },
  async run(run) {
    const drain = run.pick({ preStopDelayMs: 2000, periodMs: 5000 }, { preStopDelayMs: 5000, periodMs: 20_000 })
    const node = await run.startNode({ apps: [oneApp], drain })
    const target = node.target()
    const stream = new EventStream(new RestClient(target), { channel: 'steady', perSecond: 50 })
    const crowd = await run.clients(clients, target, async (client, index) => {
      if (index < members) await client.subscribe(`presence-room-${index % 4}`, `user-${index}`)
      else await client.subscribe(index < members + listeners ? stream.channel : `channel-${index % 50}`)
    })
    for (const client of crowd.slice(members, members + listeners)) stream.read(client)
    stream.start()
    await until('the stream runs', () => stream.readers.every((reader) => reader.received > 10), 5000)

    const returned: Promise<number | string>[] = []
    for (const client of crowd) client.onClosed = () => returned.push(comeBack(client, target))
    const startedAtMs = performance.now()
    node.signal('SIGTERM')
    await watchPreStop(run, node, drain.preStopDelayMs, startedAtMs)

    const wait = drain.preStopDelayMs + drain.periodMs + 10_000
    await until(
      'every client is closed and the process has ended',
      () => crowd.every(isClosed) && node.exit !== undefined,
      wait,
    )
    const endOf = new Map(stream.readers.map((reader) => [reader, reader.next]))
    await stream.stop(() => false)
    reportCloses(run, crowd, drain.periodMs)
    run.equal(
      'closed before the pre-stop delay was over',
      crowd.filter((client) => atMs(client) < startedAtMs + drain.preStopDelayMs).length,
      0,
    )
    const answers = await Promise.all(returned)
    run.equal(
      'clients that come back at once and are refused by the closed port',
      answers.filter((code) => code === 'ECONNREFUSED').length,
      clients,
    )
    run.equal(
      'gaps in what was received until the close',
      stream.missed(stream.readers, (reader) => endOf.get(reader) ?? 0),
      0,
    )
    run.equal('exit code', node.exit?.code ?? '', 0)
    const endMs = (node.exit?.atMs ?? 0) - startedAtMs
    run.inTime('ended after', endMs, wait - 8000)
    await secondSignal(run)
  },
}

/** Readiness turns red at once; new clients are taken for as long as balancers may still send them. */
async function watchPreStop(run: Run, node: ServerNode, preStopDelayMs: number, startedAtMs: number): Promise<void> {
  const red = await timeUntil(async () => (await node.status('/ready')) === 503, 3000)
  run.reached('readiness 503 after', red, 1000, '≤ 1 s')
  let accepted = 0
  let refused = 0
  while (performance.now() < startedAtMs + preStopDelayMs - 300) {
    const client = new WireClient(node.target())
    await client.connected.then(
      () => (accepted += 1),
      () => (refused += 1),
    )
    client.destroy()
    await sleep(50)
  }
  run.check(
    'new clients during the pre-stop delay',
    `${accepted} accepted, ${refused} refused`,
    '> 0, 0',
    accepted > 0 && refused === 0,
  )
  run.equal('metric draining', (await node.scrape()).sum('draining'), 1)
}

function reportCloses(run: Run, crowd: readonly WireClient[], periodMs: number): void {
  run.equal('clients closed with 4200', crowd.filter((client) => client.closed?.code === 4200).length, clients)
  // Twice what an even spread would be: 10 % for 20 s.
  const allowed = (2 * 1000) / periodMs
  const share = busiestSecond(crowd.map(atMs)) / clients
  // Whoever reads late sees what was spread as one heap.
  run.check('busiest second closes', `${(share * 100).toFixed(1)} %`, `≤ ${allowed * 100} %`, share <= allowed, {
    timed: true,
  })
  const firstMemberMs = Math.min(...crowd.slice(0, members).map(atMs))
  const late = crowd.slice(members).filter((client) => atMs(client) > firstMemberMs + toleranceMs).length
  run.equal('others closed after the first member', late, 0)
}

/** As pusher-js does at 4200: at once. Answers how that ended. */
async function comeBack(client: WireClient, target: ReturnType<ServerNode['target']>): Promise<number | string> {
  const again = new WireClient(target)
  await again.connected.catch(() => undefined)
  const how = again.closed?.code ?? 'accepted'
  again.destroy()
  client.destroy()
  return how
}

async function secondSignal(run: Run): Promise<void> {
  const node = await run.startNode({ apps: [oneApp] })
  await run.clients(20, node.target(), (client) => client.subscribe('anything'))
  node.signal('SIGTERM')
  await until('draining', async () => (await node.status('/ready')) === 503, 3000)
  const startedAtMs = performance.now()
  node.signal('SIGTERM')
  await timeUntil(() => node.exit !== undefined, 5000, 5)
  const tookMs = (node.exit?.atMs ?? Infinity) - startedAtMs
  run.reached('second signal ends it after', tookMs, 1000, '≤ 1 s')
  run.equal('exit code then', node.exit?.code ?? '', 143)
}

function busiestSecond(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  let most = 0
  let from = 0
  for (const [index, time] of sorted.entries()) {
    while (time - (sorted[from] ?? 0) >= 1000) from += 1
    most = Math.max(most, index - from + 1)
  }
  return most
}

function isClosed(client: WireClient): boolean {
  return client.closed !== undefined
}

function atMs(client: WireClient): number {
  return client.closed?.atMs ?? Infinity
}
