import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../harness/free-port.js'
import { appId, credentials, TestServer } from '../../harness/test-server.js'
import { app, examined, type Examined } from './examined.js'
import { SmallProxy, type SmallProxyOptions } from './small-proxy.js'

describe('belfry doctor --url', () => {
  let server: TestServer
  let prefixed: TestServer
  let proxy: SmallProxy | undefined

  beforeAll(async () => {
    server = await TestServer.start()
    prefixed = await TestServer.start({}, { pathPrefix: '/ws' })
  })

  afterEach(async () => {
    await proxy?.close()
    proxy = undefined
  })

  afterAll(async () => {
    await server.stop()
    await prefixed.stop()
  })

  async function through(options: SmallProxyOptions, more: readonly string[] = [], target = server): Promise<Examined> {
    proxy = await SmallProxy.start(new URL(target.url).origin, options)
    return examined(['--url', `${proxy.url}${options.removes ?? target.config.pathPrefix}`, ...more])
  }

  test('all the way to a received event', async () => {
    const seen = await examined(['--url', server.url])
    expect(seen.failed).toEqual([])
    expect(seen.exitCode).toBe(0)
    expect(seen.of('public.front')).toContain('is answered by Belfry.')
    expect(seen.of('public.ready')).toBe(`ok ${server.url} is ready.`)
    expect(seen.of('public.upgrade')).toMatch(
      /^ok A WebSocket opens at ws:.*, and asks for a sign of life every 30 s\.$/,
    )
    expect(seen.of('public.trigger')).toMatch(
      /^ok A signed trigger is accepted after [\d.]+ ms, and its event arrives [\d.]+ ms after it was sent\.$/,
    )
    expect(seen.of('public.body')).toBe('ok A batch of 1000 KiB gets through.')
    expect(seen.of('public.silence')).toContain('was not tried: --wait 70 tries it')
    expect(seen.output).not.toContain(credentials.secret)
  })

  test('as an app of flags alone, without a configuration', async () => {
    const { key, secret } = credentials
    const none = { BELFRY_APP_ID: '', BELFRY_APP_KEY: '', BELFRY_APP_SECRET: '' }
    const flags = ['--url', server.url, '--app-id', appId, '--key', key, '--secret', secret]
    const seen = await examined(flags, none)
    expect(seen.failed).toEqual([])
    expect(seen.of('public.trigger')).toContain('ok A signed trigger is accepted')
    expect(seen.output).not.toContain(secret)
  })

  test('no app at all', async () => {
    const seen = await examined(['--url', server.url], { BELFRY_APP_ID: '', BELFRY_APP_KEY: '', BELFRY_APP_SECRET: '' })
    expect(seen.of('public.app')).toBe(
      `failed No app is known for a round trip through ${server.url}: give its --app-id, --key and --secret, or the configuration of the server.`,
    )
  })

  test('with a prefix, kept or removed by the proxy', async () => {
    expect((await examined(['--url', prefixed.url])).failed).toEqual([])
    expect((await through({ removes: '/realtime' })).failed).toEqual([])
  })

  test('a prefix that the server does not know', async () => {
    const seen = await examined(['--url', `${server.url}/elsewhere`])
    expect(seen.failed).toEqual([
      'Belfry refuses the connection with 4005 (Path not found: connect to /app/KEY): make pathPrefix and the path that the proxy passes on agree; this address has the prefix /elsewhere.',
      `GET /elsewhere/ at ${server.url} reaches Belfry, which knows no such path: let the proxy pass the prefix on and set pathPrefix to it, or let it remove the prefix and leave pathPrefix empty.`,
    ])
  })

  test('nobody there', async () => {
    const port = await freePort()
    const seen = await examined(['--url', `http://127.0.0.1:${port}`])
    expect(seen.failed).toEqual([
      'No WebSocket to /app/KEY comes about (ECONNREFUSED): see whether the proxy passes WebSockets on at all.',
      `GET / at http://127.0.0.1:${port} gets no answer (ECONNREFUSED): start the proxy or the server, or correct the port in --url.`,
    ])
  })

  test('a name without an address', async () => {
    const seen = await examined(['--url', 'https://ws.invalid'])
    expect(seen.failed).toHaveLength(1)
    expect(seen.failed[0]).toMatch(
      /^ws\.invalid has no address \(.*\): make a DNS record for it, or correct the host in --url\.$/,
    )
  })

  test('a server that answers 404', async () => {
    const seen = await through({ answers: { status: 404 } })
    expect(seen.failed).toEqual([
      'The WebSocket upgrade of /app/KEY is answered 404 by something that is not Belfry: route this path to Belfry in the proxy, and give clients the same prefix (wsPath).',
      `GET / at ${proxy!.url} is answered 404 by something else: route / to Belfry in the proxy.`,
    ])
  })

  test.each([502, 503, 504])('a proxy that answers %i', async (status) => {
    const seen = await through({ answers: { status } })
    const start =
      "the proxy does not reach Belfry: start Belfry, and correct its address and port in the proxy's upstream."
    expect(seen.failed).toEqual([
      `The WebSocket upgrade of /app/KEY is answered ${status}, since ${start}`,
      `GET / at ${proxy!.url} is answered ${status}, since ${start}`,
    ])
  })

  test('another server', async () => {
    const seen = await through({ answers: { status: 200, body: '<html>a shop</html>' } })
    const point = 'point this name or path at the port of Belfry.'
    expect(seen.failed).toEqual([
      `The WebSocket upgrade of /app/KEY is answered 200 with a page of another server: ${point}`,
      `GET / at ${proxy!.url} is answered by another server, not by Belfry: ${point}`,
    ])
  })

  test('a redirect', async () => {
    const seen = await through({ answers: { status: 301, headers: { location: 'https://elsewhere.invalid/' } } })
    const give = 'give clients the address it leads to, scheme and path included.'
    expect(seen.failed).toEqual([
      `The WebSocket upgrade of /app/KEY is answered 301, a redirect, which WebSockets do not follow: ${give}`,
      `GET / at ${proxy!.url} is redirected (301), and WebSockets follow no redirects: ${give}`,
    ])
  })

  test('a login in front', async () => {
    const seen = await through({ answers: { status: 403 } })
    expect(seen.failed).toEqual([
      'The WebSocket upgrade of /app/KEY is answered 403 by something in front of Belfry: take this path out of its login or firewall rules.',
      `GET / at ${proxy!.url} is answered 403 by something in front of Belfry: let these requests through there.`,
    ])
  })

  const noUpgrade =
    'the proxy does not pass the upgrade on: let it speak HTTP/1.1 to Belfry and pass the headers Upgrade and Connection on (docs/proxies.md).'

  test('a proxy that drops the upgrade', async () => {
    const seen = await through({ upgrades: false })
    expect(seen.failed).toEqual([`The WebSocket upgrade of /app/KEY is answered 502, since ${noUpgrade}`])
  })

  test.each([400, 426])('one that answers the upgrade with %i', async (status) => {
    const seen = await through({ answers: { status } })
    expect(seen.failed[0]).toBe(`The WebSocket upgrade of /app/KEY is answered ${status}, since ${noUpgrade}`)
  })

  test('a proxy that refuses large bodies', async () => {
    const seen = await through({ bodyBytesMax: 500_000 })
    expect(seen.failed).toEqual([
      'The proxy refuses a request of 1000 KiB with 413: raise its body limit to 5.9 MiB, the most that Belfry takes (nginx has client_max_body_size).',
    ])
  })

  test('a proxy that passes only the paths of the protocol on', async () => {
    const seen = await through({ only: ['/app/', '/apps/'] })
    expect(seen.failed).toEqual([])
    expect(seen.of('public.front')).toBe(
      `note GET / at ${proxy!.url} is answered by another server, not by Belfry; that is right if only /app and /apps are passed on: let health checks ask Belfry itself.`,
    )
  })

  test('a proxy that forgets the API', async () => {
    const seen = await through({ only: ['/app/'] })
    expect(seen.failed[0]).toBe(
      'A signed trigger through the public address is answered 200 by something that is not Belfry: route /apps (behind the prefix, if there is one) to Belfry in the proxy, as /app.',
    )
  })

  test('a proxy that cuts silent connections', async () => {
    const seen = await through({ readTimeoutMs: 500 }, ['--wait', '5'])
    expect(seen.failed).toEqual([
      'The proxy cut a silent connection after 1 s (1006): raise its read timeout above 30 s, in which one side always sends something (nginx has proxy_read_timeout), or lower heartbeat.activityTimeoutSeconds below it.',
    ])
  })

  test('one that does not', async () => {
    const seen = await through({}, ['--wait', '1'])
    expect(seen.of('public.silence')).toBe("ok A connection that only answers the server's pings stayed open for 1 s.")
  })

  test('a key and a secret that are not those of the server', async () => {
    const unknown = await examined(['--url', server.url, '--app-id', '3', '--key', 'other', '--secret', 'x'.repeat(20)])
    expect(unknown.failed).toEqual([
      'Belfry refuses the connection with 4001 (App key other not in this cluster. Did you forget to specify the cluster): give the app of that server by --app-id, --key and --secret, or correct its configuration.',
      ...unknown.failed.slice(1),
    ])
    const wrong = await examined(['--url', server.url], { ...app, BELFRY_APP_SECRET: 'not-the-secret-of-it' })
    expect(wrong.failed[0]).toBe(
      "A signed trigger through the public address is answered 401, because its signature does not fit: correct the app's secret; if it is right, the proxy changes the path or the query, which it must pass on as they are.",
    )
    expect(wrong.output).not.toContain('not-the-secret-of-it')
  })

  test.each([
    [['--url', 'ftp://x'], '--url must be an address like https://ws.example.com or https://example.com/prefix.'],
    [['--url', 'http://x', '--wait', '0'], '--wait 0 is no time to wait: give whole seconds from 1 to 3600.'],
    [['--wait', '5'], '--wait looks at a proxy: give its address by --url.'],
    [['--stand-in'], '--stand-in looks at a proxy: give its address by --url.'],
  ])('%j makes no sense', async (flags, message) => {
    const { FakeConsole } = await import('../../unit/cli/fake-console.js')
    const { runCommandLine } = await import('../../../src/cli/run.js')
    const console = new FakeConsole('/nowhere', app)
    expect(await runCommandLine(['doctor', ...flags], console)).toBe(2)
    expect(console.complained).toEqual([message])
  })

  describe('--stand-in', () => {
    /** In the place of a server that is stopped. */
    async function standing(options: SmallProxyOptions, more: readonly string[] = []): Promise<Examined> {
      const port = await freePort()
      proxy = await SmallProxy.start(`http://127.0.0.1:${port}`, options)
      const url = `${proxy.url}${options.removes ?? ''}`
      return examined(['--stand-in', '--url', url, '--port', String(port), ...more])
    }

    test('a proxy that does all it should', async () => {
      const seen = await standing({ forwardedProto: 'http' })
      expect(seen.failed).toEqual([])
      expect(seen.of('public.prefix')).toBe('ok The proxy passes paths on as the server expects them.')
      expect(seen.of('public.upgrade')).toBe('ok The proxy passes the WebSocket upgrade on.')
      expect(seen.of('public.forwardedFor')).toBe(
        'ok The proxy sets X-Forwarded-For to 127.0.0.1; the proxy connects from 127.0.0.1, which is what trustedProxies must hold.',
      )
      expect(seen.of('public.forwardedProto')).toBe('ok The proxy sets X-Forwarded-Proto to http.')
    })

    test('one that believes clients, drops the upgrade and tells no scheme', async () => {
      const seen = await standing({ forwardedFor: 'pass', upgrades: false })
      expect(seen.failed).toEqual([
        'The proxy does not pass the WebSocket upgrade on: let it speak HTTP/1.1 to Belfry and pass the headers Upgrade and Connection on.',
        'X-Forwarded-For reaches the server as the client wrote it, so anybody may claim any address: let the proxy set it, or leave trustedProxies empty if there is no proxy.',
      ])
      expect(seen.of('public.forwardedProto')).toBe(
        'warning The proxy sends no X-Forwarded-Proto, which tlsOnly apps need: let it set X-Forwarded-Proto to http.',
      )
    })

    test('one that appends', async () => {
      expect((await standing({ forwardedFor: 'append' })).of('public.forwardedFor')).toMatch(
        /^warning The proxy appends to X-Forwarded-For \(the last is 127\.0\.0\.1\) .*; set it rather than append\.$|set it rather than append\.$/,
      )
    })

    test('a prefix that does not fit', async () => {
      expect((await standing({ removes: '/ws' }, ['--path-prefix', '/ws'])).failed).toEqual([
        'The proxy passes paths on with no prefix, but pathPrefix is "/ws": set pathPrefix to "", or change the proxy.',
      ])
    })

    test('a proxy that leads elsewhere', async () => {
      const port = await freePort()
      const seen = await examined(['--stand-in', '--url', server.url, '--port', String(port)])
      expect(seen.failed).toEqual([
        `Nothing of what was sent to ${server.url} reached port ${port} of this machine: correct the address and port of Belfry in the proxy, or run the doctor on the machine the proxy leads to.`,
      ])
    })

    test('a server that still runs', async () => {
      const { port } = server.running
      const seen = await examined(['--stand-in', '--url', server.url, '--port', String(port)])
      expect(seen.failed).toEqual([
        `The doctor cannot take the server's place on port ${port}, because something has that port: stop the server for this check, or leave --stand-in out.`,
      ])
    })
  })
})
