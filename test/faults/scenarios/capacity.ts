import { EventStream } from '../../black-box/event-stream.js'
import { connectIdle } from '../idle-connections.js'
import { RestClient } from '../../black-box/rest-client.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp } from '../../black-box/server-node.js'
import { timeUntil, until } from '../../black-box/waiting.js'
import { WireClient } from '../../black-box/wire-client.js'

const openFilesMax = 600
/** What the node keeps back for everything that is no client (operations.md, `capacity.connections`). */
const reserved = 256
const room = openFilesMax - reserved
const clients = 500
/** TCP connections that never say anything; with the clients they are more than the descriptors. */
const idle = 400

export const capacity: Scenario = {
  id: 'CAP',
  title: `${clients} clients come to a node with ${openFilesMax} file descriptors, then ${idle} silent TCP connections`,
  seconds: { fast: 20, normal: 20, long: 20 },
  async run(run) {
    const node = await run.startNode({ apps: [oneApp] }, { openFilesMax })
    const target = node.target()
    const stream = new EventStream(new RestClient(target), { channel: 'steady', perSecond: 50 })
    const reader = await run.client(target)
    await reader.subscribe(stream.channel)
    stream.read(reader)
    stream.start()

    const crowd: WireClient[] = []
    for (let index = 1; index < clients; index += 1) {
      const client = new WireClient(target)
      run.onEnd(() => client.destroy())
      crowd.push(client)
      await client.connected.catch(() => undefined)
    }
    await until('every refused client is closed', () => crowd.every((client) => isSettled(client)), 5000)
    const admitted = crowd.filter((client) => client.closed === undefined).length + 1
    run.equal('clients admitted', admitted, room)
    run.equal('refused with 4100', crowd.filter((client) => client.closed?.code === 4100).length, clients - room)
    run.equal('readiness at the mark', await node.status('/ready'), 503)
    run.equal('descriptors left at the mark', node.openFiles().all < openFilesMax ? 'yes' : 'no', 'yes')

    const silent = await connectIdle(target, idle)
    run.onEnd(() => silent.close())
    const before = stream.sent
    await until('50 further events or the end', () => stream.sent >= before + 50 || node.exit !== undefined, 5000)
    run.equal(
      'process with no descriptor left',
      node.exit === undefined ? 'runs' : `ended with ${node.exit.code}`,
      'runs',
    )
    if (node.exit !== undefined) return
    const cut = await timeUntil(() => node.openFiles().all < openFilesMax - 50, 40_000, 100)
    run.reached('silent connections cut after', cut, 30_000, '≤ 30 s')

    for (const client of crowd.slice(0, 100)) client.close()
    const ready = await timeUntil(async () => (await node.status('/ready')) === 200, 15_000)
    run.reached('ready again after 100 have left', ready, 5000, '≤ 5 s')
    const comer = await run.client(target)
    run.equal('a client that comes then', comer.closed === undefined ? 'is admitted' : 'is refused', 'is admitted')
    await stream.stop()
    run.equal('events missed or wrong', `${stream.missed()} of ${stream.sent}`, `0 of ${stream.sent}`)
    run.equal('triggers not answered 200', stream.notAccepted, 0)
  },
}

/** Has its handshake, or has been closed. */
function isSettled(client: WireClient): boolean {
  return client.closed !== undefined || client.socketId !== ''
}
