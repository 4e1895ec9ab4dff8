import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { median } from '../../../bench/measure/statistics.js'
import { appId, bodyBytesMax, credentials } from '../../protocol/hostile/hostile-server.js'
import { EventStream } from '../../black-box/event-stream.js'
import { RestClient } from '../../black-box/rest-client.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { megabytes, sleep } from '../../black-box/waiting.js'
import { WindowedLatency, windowsText } from '../../black-box/windowed-latency.js'

const innocents = 100
const perSecond = 100
const windowMs = 1000
const logBytesMax = 5 * 1_048_576

export const r21: Scenario = {
  id: 'R21',
  title: `${innocents} innocent clients, ${perSecond} events/s, a hostile client with bad input of every kind`,
  seconds: { fast: 20, normal: 125, long: 605 },
  async run(run) {
    const app = { id: appId, ...credentials }
    const node = await run.startNode({ apps: [app], http: { bodyBytes: bodyBytesMax } })
    const target = node.target(app)
    const stream = new EventStream(new RestClient(target), { channel: 'private-innocent', perSecond })
    const crowd = await run.clients(innocents, target, async (client, index) => {
      await client.subscribe('presence-innocent', `innocent-${index}`)
      await client.subscribe(stream.channel)
      stream.read(client)
    })
    stream.start()
    const before = new WindowedLatency(stream.latency, windowMs)
    await sleep(run.pick(3000, 10_000))
    const quiet = before.stop()
    const during = new WindowedLatency(stream.latency, windowMs)
    const attacks = await beHostile(run, node.port, run.pick(15, 120, 600))
    const p99s = during.stop()
    await stream.stop()
    run.check('attacks', attacks, '> 100', attacks > 100)
    run.equal('process', node.exit === undefined ? 'runs' : `ended with ${node.exit.code}`, 'runs')
    run.equal('innocent clients dropped', crowd.filter((client) => client.closed !== undefined).length, 0)
    run.equal('events missed, wrong', `${stream.missed()}, ${stream.wrong()}`, '0, 0')
    run.equal('triggers not answered 200', stream.notAccepted, 0)
    run.figure('delivery p99 before the attacks', windowsText(quiet))
    run.check('delivery p99', windowsText(p99s), '< 50 ms', median(p99s) < 50, { timed: p99s.length > 0 })
    run.figure('deliveries', stream.sent * innocents)
    run.check('log', megabytes(node.logBytes), '< 5 MB', node.logBytes < logBytesMax)
    run.equal('error lines in the log', node.at('error').length, 0)
    for (const line of node.at('error').slice(0, 3)) console.log(line.slice(0, 1000))
  },
}

/** @returns the number of attacks */
async function beHostile(run: Run, port: number, seconds: number): Promise<number> {
  const child = fork(join(import.meta.dirname, '..', 'hostile-client.ts'), [String(port), String(seconds)])
  const ended = once(child, 'exit')
  run.onEnd(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let attacks = 0
  child.on('message', (message) => (attacks = (message as { attacks: number }).attacks))
  await ended
  return attacks
}
