/** `workers: 2` as operators run it: two processes on one port under one parent, joined by a real redis-server. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { oneApp, ServerNode } from '../../black-box/server-node.js'
import { eventually } from '../../harness/eventually.js'
import { RawClient } from '../../harness/raw-client.js'
import { RedisServer } from '../../harness/redis-server.js'
import { describeWith } from '../../requirements.js'

const otherApp = { id: 'other', key: 'other-key-of-the-workers', secret: 'other-secret-of-the-workers' }
const drain = { preStopDelayMs: 200, periodMs: 500 }

describeWith(['redis'], 'workers: 2', () => {
  let redis: RedisServer
  let node: ServerNode
  let prefixes = 0

  beforeAll(async () => {
    redis = await RedisServer.start()
  })
  afterEach(() => node.close())
  afterAll(() => redis.close())

  function tree(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const prefix = `workers-${(prefixes += 1)}`
    return { workers: 2, redis: { url: redis.url, prefix }, drain, apps: [oneApp], ...more }
  }

  async function start(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    node = await ServerNode.start(tree(more))
  }

  function socketUrl(key = oneApp.key): string {
    return `ws://127.0.0.1:${node.port}/app/${key}?protocol=7`
  }

  /** Waits until another one serves in the place of this worker. */
  async function replaced(pid: number): Promise<void> {
    await eventually('two workers serve', async () => {
      return !isAlive(pid) && (await metric('belfry_workers{state="serving"}')) === 2
    })
  }

  /** The metrics page: the value of a series as it is written there. */
  async function metric(series: string): Promise<number> {
    const page = await (await ask(`${node.metricsUrl}/metrics`)).text()
    const line = page.split('\n').find((each) => each.startsWith(`${series} `))
    return line === undefined ? Number.NaN : Number(line.slice(series.length + 1))
  }

  it('3 000 connections spread within 10 %, and one page tells the truth about all', async () => {
    await start()
    const open = async () => [
      await metric('belfry_process_open_fds{worker="0"}'),
      await metric('belfry_process_open_fds{worker="1"}'),
    ]
    const before = await open()
    const sockets = await connectMany(socketUrl(), 3000)
    const after = await open()
    for (const worker of [0, 1]) {
      const connections = (after[worker] ?? 0) - (before[worker] ?? 0)
      expect(connections).toBeGreaterThan(1350)
      expect(connections).toBeLessThan(1650)
    }
    expect(await metric(`belfry_connected{app_id="${oneApp.id}"}`)).toBe(3000)
    expect(await metric(`belfry_connections_total{app_id="${oneApp.id}"}`)).toBe(3000)
    expect(await metric('belfry_workers{state="serving"}')).toBe(2)
    for (const socket of sockets) socket.terminate()
    await eventually('all are gone', async () => (await metric(`belfry_connected{app_id="${oneApp.id}"}`)) === 0)
    expect(await metric(`belfry_disconnections_total{app_id="${oneApp.id}",code="1006"}`)).toBe(3000)
  })

  it('clients of a worker that is killed come back, and the others notice nothing', async () => {
    await start()
    const clients = await Promise.all(Array.from({ length: 40 }, () => RawClient.connect(socketUrl())))
    expect(await metric(`belfry_connections_total{app_id="${oneApp.id}"}`)).toBe(40)
    const [victim = 0, survivor = 0] = workersOf(node.pid)
    process.kill(victim, 'SIGKILL')
    await replaced(victim)
    const lost = clients.filter((client) => client.closed !== undefined)
    expect(lost.length).toBeGreaterThan(0)
    expect(lost.length).toBeLessThan(40)
    expect(new Set(lost.map((client) => client.closed?.code))).toEqual(new Set([1006]))
    for (const client of clients) if (client.closed === undefined) await client.expectNothing()
    const back = await Promise.all(lost.map(() => RawClient.connect(socketUrl())))
    expect(await metric(`belfry_connected{app_id="${oneApp.id}"}`)).toBe(40)
    // What the dead one had counted is not lost: to Prometheus a counter that steps back is a restart of everything.
    expect(await metric(`belfry_connections_total{app_id="${oneApp.id}"}`)).toBe(40 + lost.length)
    expect(await metric('belfry_worker_restarts_total')).toBe(1)
    expect(workersOf(node.pid)).toContain(survivor)
    expect(node.logLines.filter(({ level }) => level === 'error').map(({ msg }) => msg)).toEqual([
      'a worker ended unexpectedly',
    ])
    for (const client of [...clients, ...back]) client.close()
  })

  it('a worker that is killed is replaced within a second', async () => {
    const startedAtMs = performance.now()
    await start()
    const startMs = performance.now() - startedAtMs
    const tookMs: number[] = []
    for (const victim of workersOf(node.pid)) {
      const killedAtMs = performance.now()
      process.kill(victim, 'SIGKILL')
      await replaced(victim)
      tookMs.push(performance.now() - killedAtMs)
    }
    // Where a machine is so busy that the whole start takes longer than that, no single process can start within it.
    expect(Math.min(...tookMs)).toBeLessThan(Math.max(1000, startMs))
  })

  it('a worker that is drained alone closes its clients with 4200 and is replaced', async () => {
    await start()
    const clients = await Promise.all(Array.from({ length: 40 }, () => RawClient.connect(socketUrl())))
    const [drained = 0] = workersOf(node.pid)
    process.kill(drained, 'SIGTERM')
    await replaced(drained)
    const closed = clients.filter((client) => client.closed !== undefined)
    expect(closed.length).toBeGreaterThan(0)
    expect(new Set(closed.map((client) => client.closed?.code))).toEqual(new Set([4200]))
    expect(node.at('error')).toEqual([])
    for (const client of clients) client.close()
  })

  it('SIGTERM drains all at once: readiness red, 4200 for everybody, exit code 0, no process left', async () => {
    await start()
    const workers = workersOf(node.pid)
    const clients = await Promise.all(Array.from({ length: 40 }, () => RawClient.connect(socketUrl())))
    node.signal('SIGTERM')
    await eventually('readiness is red', async () => (await ask(`${node.metricsUrl}/ready`)).status === 503)
    expect(await metric('belfry_draining')).toBe(1)
    for (const client of clients) expect((await client.waitForClose()).code).toBe(4200)
    await eventually('the end', () => node.exit !== undefined)
    expect(node.exit?.code).toBe(0)
    expect(workers.filter(isAlive)).toEqual([])
    expect(node.at('error')).toEqual([])
  })

  it('a signal to the whole group, as a terminal sends it, drains too', async () => {
    await start()
    const workers = workersOf(node.pid)
    for (const pid of [...workers, node.pid]) process.kill(pid, 'SIGINT')
    await eventually('the end', () => node.exit !== undefined)
    expect([node.exit?.code, workers.filter(isAlive)]).toEqual([0, []])
  })

  it('a second signal ends all at once', async () => {
    await start({ drain: { preStopDelayMs: 60_000, periodMs: 60_000 } })
    const workers = workersOf(node.pid)
    node.signal('SIGTERM')
    await eventually('readiness is red', async () => (await ask(`${node.metricsUrl}/ready`)).status === 503)
    node.signal('SIGTERM')
    await eventually('the end', () => node.exit !== undefined && workers.filter(isAlive).length === 0)
    expect(node.exit?.code).toBe(143)
  })

  it('a parent that is killed leaves no worker', async () => {
    await start({ drain: { preStopDelayMs: 60_000, periodMs: 60_000 } })
    const workers = workersOf(node.pid)
    const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(socketUrl())))
    node.signal('SIGKILL')
    for (const client of clients) expect((await client.waitForClose()).code).toBe(4200)
    await eventually('the end of the workers', () => workers.filter(isAlive).length === 0)
  })

  it('a worker that hangs is left out of the page, visibly, and makes nobody wait for more than a second', async () => {
    await start()
    const [hanging = 0] = workersOf(node.pid)
    process.kill(hanging, 'SIGSTOP')
    const askedAtMs = performance.now()
    expect(await metric('belfry_workers{state="silent"}')).toBe(1)
    expect(performance.now() - askedAtMs).toBeLessThan(2000)
    expect((await ask(`${node.metricsUrl}/ready`)).status).toBe(200)
    process.kill(hanging, 'SIGCONT')
    await eventually('it answers again', async () => (await metric('belfry_workers{state="serving"}')) === 2)
  })

  it('memory is that of all processes', async () => {
    await start()
    const { memory } = (await (await ask(`${node.metricsUrl}/usage`)).json()) as { memory: { used: number } }
    const resident = [node.pid, ...workersOf(node.pid)].map(residentBytes).reduce((sum, bytes) => sum + bytes)
    expect(memory.used / resident).toBeGreaterThan(0.8)
    expect(memory.used / resident).toBeLessThan(1.2)
  })

  it('apps that change in the file change in every worker, also in one that starts later', async () => {
    const before = tree()
    node = await ServerNode.start(before)
    node.writeConfig({ ...before, apps: [oneApp, otherApp] })
    node.signal('SIGHUP')
    await eventually('the log says so', () =>
      node.logLines.some(({ msg }) => msg.startsWith('configuration read: apps added or changed: 1')),
    )
    const [victim = 0] = workersOf(node.pid)
    process.kill(victim, 'SIGKILL')
    await replaced(victim)
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(socketUrl(otherApp.key))))
    for (const client of clients) client.close()
  })

  it('a port in use ends the start with one sentence and exit code 1', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await expect(start({ port })).rejects.toThrow(/^the node ended with 1: [^\n]*Cannot listen on 127.0.0.1:\d+[^\n]*$/)
    taken.close()
    await start()
  })

  it('a certificate that cannot be read ends the start with one sentence, not one per worker', async () => {
    const tls = { certFile: '/nonexistent/cert.pem', keyFile: '/nonexistent/key.pem' }
    const problem = String(await start({ tls }).catch((error: unknown) => error))
    expect(problem).toContain('the node ended with 1: ')
    expect(problem.split('The TLS files ')).toHaveLength(2)
    await start()
  })

  it('the command of a worker is none for people', async () => {
    const main = join(import.meta.dirname, '../../../dist/main.js')
    const ended = promisify(execFile)(process.execPath, [main, 'worker', '0'])
    await expect(ended).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'belfry worker is run by belfry start: set workers in the configuration, or --workers.\n',
    })
    await start()
  })

  it('log lines say which worker they are of', async () => {
    await start({ log: { level: 'debug', format: 'json' } })
    const lines = await eventually('a line of each', () => {
      const found = node.logLines.map(({ text }) => JSON.parse(text) as { worker?: number; node: string; msg: string })
      return new Set(found.flatMap(({ worker }) => worker ?? [])).size === 2 ? found : undefined
    })
    expect(lines.filter(({ msg }) => msg.includes('is ready'))).toMatchObject([{ node: 'parent' }])
    expect(new Set(lines.map(({ node: name }) => name)).size).toBe(3)
  })
})

async function connectMany(url: string, count: number): Promise<WebSocket[]> {
  const sockets: WebSocket[] = []
  for (let done = 0; done < count; done += 100) {
    const opened = Array.from({ length: Math.min(100, count - done) }, () => {
      const socket = new WebSocket(url, { perMessageDeflate: false })
      socket.on('error', () => undefined)
      sockets.push(socket)
      return new Promise((resolve, reject) => {
        // The handshake: from then on it counts as connected.
        socket.once('message', resolve)
        socket.once('close', reject)
      })
    })
    await Promise.all(opened)
  }
  return sockets
}

/** Process ids of the workers of a parent. */
function workersOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
}

/** A process that has ended and was not waited for yet counts as gone. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch (_gone) {
    return false
  }
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
}

/** A connection that fetch has kept from an earlier node on the same port may be dead: then it asks anew. */
function ask(url: string): Promise<Response> {
  return fetch(url).catch(() => fetch(url))
}
