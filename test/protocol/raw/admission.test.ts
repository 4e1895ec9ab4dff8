import { describe, expect, it, vi } from 'vitest'
import { eventually } from '../../harness/eventually.js'
import { RawClient } from '../../harness/raw-client.js'
import { credentials, describeInProcess } from '../../harness/test-server.js'
import { errorText, expectTurnedAway, metricOf } from './expecting.js'
import { sharedServer } from './shared-server.js'

const pathNotFound = 'Path not found: connect to /app/KEY'
const unknownKey = (key: string) => `App key ${key} not in this cluster. Did you forget to specify the cluster?`
const overQuota = 'Application is over connection quota'
const tlsOnly = 'Application only accepts SSL connections, reconnect using wss://'
const secondApp = { id: '4', key: 'second-app-key', secret: 'second-app-secret' }
const firstApp = { id: '3', ...credentials }

describe('permanent refusals (1.5)', () => {
  const server = sharedServer()

  it('4001 for an unknown key, named in the reason', async () => {
    await expectTurnedAway(server().socketUrl('no-such-key'), 4001, unknownKey('no-such-key'))
  })

  it('4001 keeps the reason within the 123 bytes of a close frame, at the edge of a character', async () => {
    const client = new RawClient(server().socketUrl(encodeURIComponent('ü'.repeat(200))))
    const { code, reason } = await client.waitForClose()
    expect(code).toBe(4001)
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
    expect(reason).toMatch(/^App key ü{40}… not/)
    expect(reason).not.toContain('\uFFFD')
  })

  it.each(['/', '/app', '/app/', '/apps/KEY', '/app/KEY/more', '/socket.io/', '/APP/KEY'])(
    '4005 for an upgrade on %s',
    async (path) => {
      const address = server().url.replace('http', 'ws').concat(path.replace('KEY', credentials.key))
      await expectTurnedAway(`${address}?protocol=7`, 4005, pathNotFound)
    },
  )

  it('counts refusals by code', async () => {
    const refusals = () => metricOf(server().metricsUrl, 'belfry_disconnections_total', 'app_id="",code="4001"')
    const before = await refusals()
    await expectTurnedAway(server().socketUrl('counted'), 4001, unknownKey('counted'))
    expect(await refusals()).toBe(before + 1)
  })

  it('4005 also for protocol 5, the event before the close', async () => {
    const client = new RawClient(`${server().url.replace('http', 'ws')}/nowhere?protocol=5`)
    expect((await client.waitForClose()).code).toBe(4005)
    expect(client.frames.map((frame) => frame.text)).toEqual([errorText(4005, pathNotFound)])
  })
})

describe('4003, application disabled (1.5)', () => {
  const server = sharedServer({}, { apps: [{ ...firstApp, enabled: false, limits: { connections: 1 } }, secondApp] })

  it('refuses its clients and no others', async () => {
    await expectTurnedAway(server().socketUrl(), 4003, 'Application disabled')
    const other = await RawClient.connect(server().socketUrl(secondApp.key))
    other.close()
  })

  it('closes open connections when the app is disabled later, and no others', async () => {
    const apps = [firstApp, { ...secondApp, enabled: false }]
    await server().running.replaceApps([firstApp, secondApp])
    const staying = await server().connect()
    const going = await RawClient.connect(server().socketUrl(secondApp.key))
    await server().running.replaceApps(apps)
    expect(await going.waitForClose()).toEqual({ code: 4003, reason: 'Application disabled' })
    expect(going.unread().map((frame) => frame.text)).toEqual([errorText(4003, 'Application disabled')])
    await staying.expectNothing()
    staying.close()
  })
})

describe('4000, TLS only (1.5)', () => {
  const distrusting = sharedServer({ tlsOnly: true }, { trustedProxies: ['10.9.9.9'] })
  const trusting = sharedServer({ tlsOnly: true }, { trustedProxies: ['127.0.0.0/8'] })
  const forwarded = (proto: string) => ({ headers: { 'X-Forwarded-Proto': proto, 'X-Forwarded-For': '203.0.113.7' } })

  it('refuses a plain connection', async () => {
    await expectTurnedAway(trusting().socketUrl(), 4000, tlsOnly)
  })

  it.each(['https', 'wss', 'HTTPS, http'])('believes a trusted proxy that says %s', async (proto) => {
    const client = await RawClient.connect(trusting().socketUrl(), forwarded(proto))
    client.close()
  })

  it('believes a trusted proxy that says http', async () => {
    await expectTurnedAway(trusting().socketUrl(), 4000, tlsOnly, forwarded('http'))
  })

  it('believes nobody else', async () => {
    await expectTurnedAway(distrusting().socketUrl(), 4000, tlsOnly, forwarded('https'))
  })
})

describeInProcess('4004, over quota (1.5)', 'nodes share a quota in slices, test/cluster counts them', () => {
  const server = sharedServer({}, { apps: [{ ...firstApp, limits: { connections: 2 } }, secondApp] })

  it('refuses the connection above the limit of the app, and takes one again when another has gone', async () => {
    const first = await server().connect()
    const second = await server().connect()
    await expectTurnedAway(server().socketUrl(), 4004, overQuota)
    expect(await metricOf(server().metricsUrl, 'belfry_rate_limited_total', 'app_id="3",kind="connections"')).toBe(1)
    const elsewhere = await RawClient.connect(server().socketUrl(secondApp.key))
    first.close()
    await first.waitForClose()
    const third = await eventually('a free place', () =>
      server()
        .connect()
        .catch(() => undefined),
    )
    for (const client of [second, third, elsewhere]) client.close()
  })
})

describeInProcess('4100, over capacity (1.5)', 'the marks are those of a process', () => {
  const full = sharedServer({}, { capacity: { connections: 1 } })
  const perAddress = sharedServer({}, { capacity: { connectionsPerAddress: 1 }, trustedProxies: ['127.0.0.1'] })
  const paced = sharedServer({}, { capacity: { acceptPerSecond: 2 } })
  const memory = sharedServer()

  it('above capacity.connections; a permanent refusal is told first, and readiness says it', async () => {
    const client = await full().connect()
    await expectTurnedAway(full().socketUrl(), 4100, 'Over capacity')
    await expectTurnedAway(full().socketUrl('no-such-key'), 4001, unknownKey('no-such-key'))
    const ready = await fetch(`${full().url}/ready`)
    expect([ready.status, await ready.text()]).toEqual([503, 'Not ready: connections\n'])
    client.close()
    const next = await eventually('a free place', () =>
      full()
        .connect()
        .catch(() => undefined),
    )
    next.close()
  })

  it('above capacity.connectionsPerAddress, by the address a trusted proxy tells', async () => {
    const from = (address: string) => ({ headers: { 'X-Forwarded-For': `198.51.100.1, ${address}` } })
    const one = await RawClient.connect(perAddress().socketUrl(), from('203.0.113.1'))
    await expectTurnedAway(perAddress().socketUrl(), 4100, 'Over capacity', from('203.0.113.1'))
    const two = await RawClient.connect(perAddress().socketUrl(), from('203.0.113.2'))
    for (const client of [one, two]) client.close()
  })

  it('above capacity.acceptPerSecond, and again open a second later', async () => {
    const clients = [await paced().connect(), await paced().connect()]
    await expectTurnedAway(paced().socketUrl(), 4100, 'Over capacity')
    clients.push(
      await eventually('the next second', () =>
        paced()
          .connect()
          .catch(() => undefined),
      ),
    )
    for (const client of clients) client.close()
  })

  it('above capacity.memoryPercent: open connections stay, new ones go elsewhere until there is room again', async () => {
    const before = await memory().connect()
    const resident = vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(2 ** 50)
    await eventually('readiness is red', async () => (await fetch(`${memory().url}/ready`)).status === 503)
    expect(await (await fetch(`${memory().url}/ready`)).text()).toBe('Not ready: memory\n')
    await expectTurnedAway(memory().socketUrl(), 4100, 'Over capacity')
    await before.expectNothing()
    resident.mockRestore()
    const after = await eventually('room again', () =>
      memory()
        .connect()
        .catch(() => undefined),
    )
    for (const client of [before, after]) client.close()
  })
})

describe('origins (1.5)', () => {
  const allowedOrigins = ['https://example.com', '*.example.org', 'https://*.secure.test:8443', 'bare.test']
  const server = sharedServer({ allowedOrigins })

  it.each([
    'https://example.com',
    'https://EXAMPLE.com:443',
    'http://a.example.org',
    'https://a.b.example.org:8080',
    'https://x.secure.test:8443',
    'http://bare.test:3000',
  ])('lets %s in', async (origin) => {
    const client = await RawClient.connect(server().socketUrl(), { headers: { origin } })
    client.close()
  })

  it.each([
    'http://example.com',
    'https://example.com:8443',
    'https://example.com.evil.test',
    'https://evil-example.com',
    'https://example.org',
    'https://notexample.org',
    'https://x.secure.test',
    'http://x.secure.test:8443',
    'https://sub.bare.test',
    'null',
    'garbage',
  ])('turns %s away with 4009', async (origin) => {
    await expectTurnedAway(server().socketUrl(), 4009, 'Origin not allowed', { headers: { origin } })
  })

  it('turns away who names no origin when there is a list', async () => {
    await expectTurnedAway(server().socketUrl(), 4009, 'Origin not allowed')
  })
})
