/** Scrapes of real servers with everything in them that the dashboard and the alerts ask for. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseExposition, type Series } from '../unit/observability/exposition.js'
import { ServerNode } from '../black-box/server-node.js'
import { eventually } from '../harness/eventually.js'
import { RawClient } from '../harness/raw-client.js'
import type { RedisServer } from '../harness/redis-server.js'
import { TestServer, appId, credentials, type Settings } from '../harness/test-server.js'

/** The labels that Prometheus adds to every series of a scrape. */
export const targetLabels: ReadonlySet<string> = new Set(['job', 'instance', 'namespace'])

export interface Scraped {
  /** As the label `instance` would have it. */
  readonly instance: string
  readonly text: string
  readonly series: readonly Series[]
  /** Metric, without the `_bucket` and the like of a histogram → its type. */
  readonly types: ReadonlyMap<string, string>
}

export async function scrape(instance: string, metricsUrl: string): Promise<Scraped> {
  const response = await fetch(`${metricsUrl}/metrics`)
  if (response.status !== 200) throw new Error(`the metrics port answered ${response.status}`)
  const text = await response.text()
  const families = [...parseExposition(text).values()]
  return {
    instance,
    text,
    series: families.flatMap(({ series }) => series),
    types: new Map(families.map(({ name, type }) => [name, type])),
  }
}

/** Long enough for a node with workers to be ready on a busy machine. */
const readyMs = 30_000

/**
 * Uses a node in every way that makes a series of its own: accepted, refused and failed requests, a client that is refused because
 * the node is full, a delivered webhook, a Redis that does not answer; and, beside it, a command with two workers.
 */
export async function eventfulScrapes(redis: RedisServer): Promise<readonly [Scraped, Scraped]> {
  const receiver = createServer((_request, response) => response.end())
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const { port } = receiver.address() as AddressInfo
  const webhooks = [{ url: `http://127.0.0.1:${port}/`, allowPrivateNetwork: true }]
  const shared = { redis: { url: redis.url, prefix: 'observability' } }
  const server = await TestServer.start({ webhooks }, { ...shared, capacity: { connections: 2 } })
  const workers = await ServerNode.start({ ...shared, workers: 2, apps: [{ id: appId, ...credentials }] })
  try {
    await eventually('both are ready', () => isReady(server.metricsUrl), readyMs)
    await eventually('the workers are ready', () => workers.ready(), readyMs)
    await useNode(server, redis)
    await eventually('a webhook is delivered', async () =>
      isCounted(await scrape('a', server.metricsUrl), 'belfry_webhooks_total', 'delivered'),
    )
    return [await scrape('a', server.metricsUrl), await scrape('w', workers.metricsUrl)]
  } finally {
    receiver.close()
    receiver.closeAllConnections()
    await server.stop()
    await workers.close()
  }
}

async function isReady(metricsUrl: string): Promise<boolean> {
  return (await fetch(`${metricsUrl}/ready`)).status === 200
}

function isCounted({ series }: Scraped, name: string, outcome: string): boolean {
  return series.some((each) => each.name === name && each.labels['outcome'] === outcome && each.value > 0)
}

async function useNode(server: TestServer, redis: RedisServer): Promise<void> {
  const [staying, leaving] = [await server.connect(), await server.connect()]
  const refused = new RawClient(server.socketUrl())
  await eventually('the third is refused', () => refused.closed?.code === 4100)
  staying.send({ event: 'pusher:subscribe', data: { channel: 'news' } })
  await staying.next('pusher_internal:subscription_succeeded')
  staying.sendText('this is no JSON')
  staying.send({ event: 'pusher:subscribe', data: { channel: 'private-news', auth: `${credentials.key}:wrong` } })
  leaving.socket.close(1000)
  await server.trigger('news', 'greeting', '"hello"')
  await eventually('the greeting', () => staying.frames.some(({ event }) => event === 'greeting'))
  await server.get('channels')
  await server.post('events', { name: 'too-few-keys' })
  redis.freeze()
  try {
    const answer = await server.post('events', { name: 'lost', channel: 'news', data: '1' })
    if (answer.status !== 503) throw new Error(`a frozen Redis was answered ${answer.status}`)
  } finally {
    redis.thaw()
  }
  // Whoever stays keeps the gauges from being 0; the server closes it at its end.
}

/** One node in memory, with one connection that has subscribed to so many channels. */
export async function withChannels<Result>(
  channels: number,
  settings: Settings,
  use: (server: TestServer) => Promise<Result>,
): Promise<Result> {
  const perClient = 1000
  const server = await TestServer.start({}, settings)
  try {
    for (let first = 0; first < channels; first += perClient) {
      const client = await server.connect()
      const count = Math.min(perClient, channels - first)
      for (let index = 0; index < count; index += 1) {
        client.send({ event: 'pusher:subscribe', data: { channel: `channel-${first + index}` } })
      }
      await eventually('all are subscribed', () => client.frames.length >= count, readyMs)
    }
    return await use(server)
  } finally {
    await server.stop()
  }
}
