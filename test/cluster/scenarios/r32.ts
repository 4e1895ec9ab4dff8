import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import { ms, sleep, timeUntil } from '../../black-box/waiting.js'
import { freePort } from '../../harness/free-port.js'
import { RedisServer } from '../../harness/redis-server.js'
import { Cluster } from '../cluster.js'
import { checkOrder, viewsAgree, watchAs } from '../members.js'

const channel = 'presence-room'
const nodes = [0, 1]
const servingMs = 3000

/** `--fast`: Redis appears after 6 s instead of 20 s. */
export const r32: Scenario = {
  id: 'R32',
  title: 'Redis is absent at the start of 2 nodes and appears later',
  seconds: { fast: 15, normal: 30, long: 30 },
  async run(run) {
    const absentMs = run.pick(6000, 20_000)
    const port = await freePort()
    const cluster = await Cluster.start(run, {
      nodes: nodes.length,
      redisSection: { url: `redis://127.0.0.1:${port}/0` },
      awaitReady: false,
    })
    const startedAtMs = performance.now()
    const watches = [
      await watchAs(run, cluster, 0, channel, 'early-0'),
      await watchAs(run, cluster, 1, channel, 'early-1'),
    ]
    run.figure('clients connected and joined without Redis after', ms(performance.now() - startedAtMs))
    let [live, asked, ready] = [0, 0, 0]
    while (performance.now() < startedAtMs + absentMs) {
      for (const node of nodes) {
        asked += 1
        if ((await cluster.node(node).status('/live')) === 200) live += 1
        if (await cluster.node(node).ready()) ready += 1
      }
      await sleep(200)
    }
    run.equal('live without Redis', live, asked)
    run.equal('ready without Redis', ready, 0)
    await askWithoutRedis(run, cluster)

    const redis = await RedisServer.start({ port })
    run.onEnd(() => redis.close())
    const appearedAtMs = performance.now()
    const serving = await timeUntil(() => serves(cluster), 15_000, 20)
    run.reached('ready, and triggers answered 200, after', serving, servingMs)
    const delivered = await timeUntil(() => viewsAgree(watches, channel, ['early-0', 'early-1']), 30_000)
    run.reached('both nodes see who came before Redis after', delivered, 20_000, '≤ 20 s')
    run.figure('since Redis appeared', ms(performance.now() - appearedAtMs))
    const received = new Set<number>()
    for (const [index, watch] of watches.entries()) {
      watch.client.onBytes = (bytes, start, end) => {
        if (bytes.toString('utf8', start, end).includes('"event":"after"')) received.add(index)
        return false
      }
    }
    await cluster.rest(0).trigger([channel], 'after', 'x')
    await timeUntil(() => received.size === 2, 2000)
    run.equal('clients of before that get an event', received.size, 2)
    checkOrder(run, watches)
    run.equal('processes that ended', nodes.length - cluster.running().length, 0)
  },
}

/** What needs the cluster is refused within a second, not left hanging. */
async function askWithoutRedis(run: Run, cluster: Cluster): Promise<void> {
  const startedAtMs = performance.now()
  const read = await cluster.rest(0).send('GET', '/channels')
  const readMs = performance.now() - startedAtMs
  run.check(
    'a read is answered',
    `${read.status} after ${ms(readMs)}`,
    '503 ≤ 1.1 s',
    read.status === 503 && readMs <= 1100,
    { timed: read.status === 503 },
  )
  const trigger = await cluster.rest(1).trigger([channel], 'lost', 'x')
  const triggerMs = performance.now() - startedAtMs - readMs
  run.check(
    'a trigger is answered',
    `${trigger.status} after ${ms(triggerMs)}`,
    '503 ≤ 1.5 s',
    trigger.status === 503 && triggerMs <= 1500,
    { timed: trigger.status === 503 },
  )
}

async function serves(cluster: Cluster): Promise<boolean> {
  for (const node of nodes) {
    if (!(await cluster.node(node).ready())) return false
    if ((await cluster.rest(node).trigger(['anything'], 'first', 'x')).status !== 200) return false
  }
  return true
}
