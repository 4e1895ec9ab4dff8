import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.js'
import type { HttpReply } from '../../../src/core/ports/http.js'
import {
  type MetricsServer,
  type MetricsServerOptions,
  startMetricsServer,
} from '../../../src/observability/metrics-server.js'
import { ManualClock } from '../../fakes/manual-clock.js'
import { RecordingLogger } from '../../fakes/recording-logger.js'

const servers: MetricsServer[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

interface Started {
  readonly server: MetricsServer
  readonly log: RecordingLogger
  readonly url: string
}

async function start(options: Partial<MetricsServerOptions> = {}): Promise<Started> {
  const log = new RecordingLogger()
  const ok: HttpReply = { status: 200, body: 'OK', contentType: 'text/plain; charset=utf-8' }
  const server = await startMetricsServer({
    host: '127.0.0.1',
    port: 0,
    metrics: {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      text: async () => 'belfry_draining 0\n',
      json: async () => '[]',
    },
    health: () => ok,
    memory: () => ({ free: 3, used: 1, total: 4, percent: 25 }),
    clock: systemClock,
    log,
    ...options,
  })
  servers.push(server)
  return { server, log, url: `http://127.0.0.1:${server.port}` }
}

/** Sends raw bytes and gives what came back until the end of the connection. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => (answer += chunk))
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
  })
}

describe('the metrics server', () => {
  it('takes a free port and serves metrics as text and as JSON', async () => {
    const { server, url } = await start()
    expect(server.port).toBeGreaterThan(0)
    const text = await fetch(`${url}/metrics`)
    expect([text.status, text.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    expect(await text.text()).toBe('belfry_draining 0\n')
    const json = await fetch(`${url}/metrics?json=1`)
    expect([json.status, json.headers.get('content-type'), await json.json()]).toEqual([200, 'application/json', []])
    expect(await (await fetch(`${url}/metrics?json=0`)).text()).toBe('belfry_draining 0\n')
  })

  it("serves /usage in soketi's shape", async () => {
    const { url } = await start()
    const reply = await fetch(`${url}/usage`)
    expect(reply.headers.get('content-type')).toBe('application/json')
    expect(await reply.json()).toEqual({ memory: { free: 3, used: 1, total: 4, percent: 25 } })
  })

  it.each(['/live', '/ready', '/health', '/up'])('answers %s with what the health function says', async (path) => {
    const asked: string[] = []
    const { url } = await start({
      health: (healthPath) => {
        asked.push(healthPath)
        return {
          status: 503,
          body: '{"status":"draining"}',
          contentType: 'application/json',
          headers: { 'X-Belfry-Degraded': 'bus' },
        }
      },
    })
    const reply = await fetch(`${url}${path}?probe=1`)
    expect(reply.status).toBe(503)
    expect(reply.headers.get('x-belfry-degraded')).toBe('bus')
    expect(await reply.text()).toBe('{"status":"draining"}')
    expect(asked).toEqual([path])
  })

  it('knows nothing else', async () => {
    const { url } = await start()
    for (const path of [
      '/',
      '/metrics/',
      '/metrics2',
      '//metrics',
      '/apps/1/events',
      '/accept-traffic',
      '/%6detrics',
      '/__proto__',
    ]) {
      expect([path, (await fetch(`${url}${path}`)).status]).toEqual([path, 404])
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect([method, (await fetch(`${url}/metrics`, { method })).status]).toEqual([method, 404])
    }
  })

  it('answers HEAD without a body', async () => {
    const { url } = await start()
    const reply = await fetch(`${url}/metrics`, { method: 'HEAD' })
    expect([reply.status, reply.headers.get('content-length'), await reply.text()]).toEqual([200, '18', ''])
  })

  it('contains errors of the handlers, logs them, and goes on', async () => {
    const broken = async (): Promise<string> => {
      throw new Error('collector failed')
    }
    const { url, log } = await start({
      metrics: { contentType: 'text/plain', text: broken, json: broken },
      health: () => {
        throw new Error('health failed')
      },
      memory: () => {
        throw new Error('memory failed')
      },
    })
    for (const path of ['/metrics', '/metrics?json=1', '/ready', '/usage']) {
      const reply = await fetch(`${url}${path}`)
      expect([path, reply.status, await reply.text()]).toEqual([path, 500, 'internal error\n'])
    }
    expect(log.at('error').map(({ message }) => message)).toEqual(Array(4).fill('metrics request failed'))
    expect((await fetch(`${url}/other`)).status).toBe(404)
  })

  it('contains a reply that cannot be sent', async () => {
    const { url, log } = await start({
      health: () => ({ status: 200, body: '', contentType: 'application/json', headers: { 'bad header': 'x\n' } }),
    })
    expect((await fetch(`${url}/ready`)).status).toBe(500)
    expect(log.lines).toHaveLength(1)
  })

  it('refuses what is no HTTP and does not wait for bodies', async () => {
    const { server, url } = await start()
    expect(await raw(server.port, 'hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await raw(server.port, `GET /live HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    )
    expect(await raw(server.port, 'GET /live HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc')).toMatch(
      /^HTTP\/1\.1 200 /,
    )
    expect((await fetch(`${url}/live`)).status).toBe(200)
  })

  it('says when the address is taken', async () => {
    const { server } = await start()
    await expect(start({ port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('closes at once when nothing is under way, also with idle connections', async () => {
    const clock = new ManualClock()
    const { server, url } = await start({ clock })
    await fetch(`${url}/live`)
    await server.close()
    await server.close()
    expect(clock.timers).toBe(0)
    await expect(fetch(`${url}/live`)).rejects.toThrow()
  })

  it('lets an answer in progress finish while it closes', async () => {
    let finish = (_text: string): void => undefined
    let begun = (): void => undefined
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    const text = (): Promise<string> => {
      begun()
      return new Promise((resolve) => (finish = resolve))
    }
    const { server, url } = await start({ metrics: { contentType: 'text/plain', text, json: text } })
    const reply = fetch(`${url}/metrics`)
    await hasBegun
    const closed = server.close()
    finish('the end\n')
    expect(await (await reply).text()).toBe('the end\n')
    await closed
  })

  it('cuts an answer that does not finish', async () => {
    const clock = new ManualClock()
    let begun = (): void => undefined
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    const never = (): Promise<string> => {
      begun()
      return new Promise(() => undefined)
    }
    const { server, url } = await start({ clock, metrics: { contentType: 'text/plain', text: never, json: never } })
    const reply = fetch(`${url}/metrics`).catch(() => 'cut')
    await hasBegun
    const closed = server.close()
    clock.advance(1_000)
    await closed
    expect(await reply).toBe('cut')
  })
})
