import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { configurationFromSoketi } from '../../../src/config/soketi-file.js'
import { soketiAppOptions, soketiOptions } from '../docs/other-servers.js'
import { configOf, loaded } from './load-fixture.js'

const fresh = { id: '700001', key: 'fresh-key', secret: 'a-fresh-secret-of-this-test' }
const app = { id: 'a', key: 'k', secret: 'a secret of some length', enableClientMessages: true }

/** Carries a soketi file over. */
function move(file: unknown) {
  const text = typeof file === 'string' ? file : JSON.stringify(file)
  const { text: yaml, lines } = configurationFromSoketi(text, () => fresh)
  return { yaml, lines, config: configOf({ files: { 'belfry.yaml': yaml } }) }
}

function fixture(name: string) {
  return move(readFileSync(new URL(`./soketi-files/${name}.json`, import.meta.url), 'utf8'))
}

/** The lines about an option. */
const about = (lines: readonly string[], option: string) => lines.filter((line) => line.startsWith(`${option}: `))

describe('a small file with flat keys', () => {
  const { config, lines, yaml } = fixture('small-team')

  it('gives a configuration that starts', () => {
    expect(config).toMatchObject({ port: 6002, metrics: { enabled: true, soketiNames: true } })
    expect(config.apps).toHaveLength(1)
    expect(config.apps[0]).toMatchObject({
      id: '1204',
      keys: [{ key: 'shop-key', secret: 'shop-secret-3f9a1c77' }],
      enabled: true,
      clientEvents: { enabled: true, perSecond: 300 },
      limits: { connections: 0, triggersPerSecond: 250, readsPerSecond: 0, messagesPerSecond: 300 },
      webhooks: [
        {
          url: 'http://shop.test/hooks/soketi',
          events: ['channel_occupied', 'channel_vacated'],
          channelPrefix: 'presence-',
          headers: { 'X-Hook-Token': 'hook-token-91c2' },
          allowPrivateNetwork: false,
        },
      ],
    })
  })

  it('tells what is left out and what differs', () => {
    const named = lines.map((line) => line.split(': ')[0])
    expect(named).toEqual([
      'metrics.host',
      'appManager.array.apps.0.maxBackendEventsPerSecond',
      'appManager.array.apps.0.enableStatistics',
      'appManager.array.apps.0.webhooks.0',
      'appManager.array.apps.0.webhooks.1',
      'webhooks.batching.enabled',
    ])
    expect(about(lines, 'appManager.array.apps.0.webhooks.0')[0]).toContain('allowPrivateNetwork: true')
    expect(about(lines, 'appManager.array.apps.0.webhooks.1')[0]).toContain('AWS Lambda')
  })

  it('is YAML that people can go on with', () => {
    expect(yaml).toContain('port: 6002\n')
    expect(yaml.indexOf('metrics:')).toBeLessThan(yaml.indexOf('apps:'))
  })
})

describe('a nested file with Redis, TLS and several apps', () => {
  const { config, lines } = fixture('scaled')

  it('gives a configuration that starts', () => {
    expect(config).toMatchObject({
      host: '10.0.3.7',
      pathPrefix: '/ws',
      tls: { certFile: '/etc/soketi/tls.crt', keyFile: '/etc/soketi/tls.key', passphrase: 'tls-phrase-66b0' },
      drain: { periodMs: 10_000 },
      http: { bodyBytes: 8 * 1_048_576 },
      capacity: { memoryPercent: 80 },
      cluster: { queryTimeoutMs: 3000 },
      redis: {
        url: 'rediss://soketi:redis%2Fpass%4077@127.0.0.1:6379/2',
        prefix: 'live:',
        mode: 'sentinel',
        nodes: ['10.0.3.10:26379', '10.0.3.11:26379'],
        sentinelName: 'live',
        sentinelPassword: 'sentinel-pass-5d',
      },
    })
    expect(config.apps.map(({ id }) => id)).toEqual(['tenant-a', 'tenant-b'])
    expect(config.apps[0]).toMatchObject({
      clientEvents: { enabled: false },
      authorizedConnections: { enabled: true },
      cache: { ttlSeconds: 600 },
      limits: {
        // The app's own figure wins.
        eventBytes: 65_536,
        batchEvents: 50,
        channelsPerTrigger: 20,
        eventNameLength: 160,
        channelNameLength: 164,
        presenceMembers: 400,
        presenceMemberBytes: 4096,
      },
      webhooks: [{ batch: { enabled: true, windowMs: 250 } }],
    })
    expect(config.apps[1]).toMatchObject({ enabled: false, limits: { connections: 50, eventBytes: 32_768 } })
  })

  it('tells every option that has no counterpart or another meaning', () => {
    for (const option of [
      'mode',
      'ssl.caPath',
      'shutdownGracePeriod',
      'httpApi.acceptTraffic.memoryThreshold',
      'cache.driver',
      'rateLimiter.driver',
      'queue.driver',
      'queue.redis.concurrency',
      'adapter.redis.redisPubOptions',
      'adapter.redis.redisSubOptions',
      'database.redis.keyPrefix',
      'appManager.array.apps.0.enableClientMessages',
      'appManager.array.apps',
    ])
      expect(about(lines, option), option).toHaveLength(1)
  })

  it('tells no secret', () => {
    for (const secret of ['redis/pass', 'redis%2Fpass', 'sentinel-pass', 'tls-phrase', 'tenant-a-secret', 'a-token'])
      expect(lines.join('\n')).not.toContain(secret)
  })
})

describe('a file whose apps are in a database', () => {
  const { config, lines } = fixture('databases')

  it('gives a configuration that starts, with fresh credentials', () => {
    expect(config).toMatchObject({
      log: { level: 'debug' },
      metrics: { enabled: false, host: '0.0.0.0', port: 9101 },
      http: { cors: { origins: ['https://app.example.com'] } },
    })
    expect(config.redis).toBeUndefined()
    expect(config.apps.map(({ keys }) => keys)).toEqual([[{ key: fresh.key, secret: fresh.secret }]])
    expect(config.apps[0]).toMatchObject({
      authorizedConnections: { timeoutMs: 15_000 },
      clientEvents: { enabled: false },
      limits: { presenceMembers: 500 },
    })
  })

  it('tells of each option, and of the value that is not possible', () => {
    const options = Object.keys(
      JSON.parse(readFileSync(new URL('./soketi-files/databases.json', import.meta.url), 'utf8')) as object,
    )
    const silent = [
      'debug',
      'userAuthenticationTimeout',
      'metrics',
      'cors.origin',
      'presence.maxMembersPerChannel',
      'metrics.port',
    ]
    for (const option of options.filter((name) => !silent.includes(name)))
      expect(about(lines, option), option).toHaveLength(1)
    expect(about(lines, 'eventLimits.maxPayloadInKb')).toEqual([
      'eventLimits.maxPayloadInKb: left out: apps[0].limits.eventBytes is 1024000000, but may be at most 16777216.',
    ])
    expect(about(lines, 'colour')).toEqual(['colour: no option of soketi that Belfry knows: left out.'])
  })

  it('tells no secret', () => {
    for (const secret of ['mysql-pass', 'nats-token', 'redis-pass', fresh.secret])
      expect(lines.join('\n')).not.toContain(secret)
  })
})

describe("soketi's options", () => {
  it('are all known', () => {
    const file = Object.fromEntries(soketiOptions.map((option) => [option, 'a value']))
    const one = Object.fromEntries(soketiAppOptions.map((option) => [option, 'a value']))
    const { lines } = move({ ...file, 'appManager.driver': 'array', 'appManager.array.apps': [one] })
    expect(lines.filter((line) => line.includes('no option of soketi'))).toEqual([])
  })

  it('are never dropped silently: each is written, the same as here, or told', () => {
    // Values that differ from our defaults, so that "the same as here" is no excuse; the others are about Redis or words.
    const ours = new Set(['host', 'port', 'pathPrefix', 'metrics.host', 'metrics.port'])
    for (const option of soketiOptions.filter((name) => !ours.has(name))) {
      const value = ['cors.origin'].includes(option) ? ['https://a.test'] : 7
      const { lines, yaml } = move({ [option]: value, 'appManager.array.apps': [app] })
      const without = move({ 'appManager.array.apps': [app] }).yaml
      expect(yaml !== without || about(lines, option).length > 0 || option === 'debug', option).toBe(true)
    }
  })

  it('may be written flat, nested, or as single keys of an app', () => {
    const nested = move({ eventLimits: { maxBatchSize: 20 }, appManager: { array: { apps: [app] } } })
    const flat = move({ 'eventLimits.maxBatchSize': 20, 'appManager.array.apps': [app] })
    const single = move({
      'eventLimits.maxBatchSize': 20,
      ...Object.fromEntries(Object.entries(app).map(([name, value]) => [`appManager.array.apps.0.${name}`, value])),
    })
    expect([flat.yaml, single.yaml]).toEqual([nested.yaml, nested.yaml])
    expect(nested.config.apps[0]?.limits.batchEvents).toBe(20)
  })

  it('count as soketi counts them: a later key replaces what stands below it', () => {
    const { config } = move({ 'metrics.port': 1, metrics: { host: '::1' }, 'appManager.array.apps': [app] })
    expect(config.metrics).toMatchObject({ host: '::1', port: 9601 })
  })

  it('of an app may be written as its databases name them', () => {
    const { config } = move({
      'appManager.array.apps': [
        { AppId: 'x', AppKey: 'y', AppSecret: app.secret, max_backend_events_per_sec: 5, EnableClientMessages: 1 },
      ],
    })
    expect(config.apps[0]).toMatchObject({ id: 'x', limits: { triggersPerSecond: 5 }, clientEvents: { enabled: true } })
  })
})

describe('what cannot be carried', () => {
  it.each([
    ['an app whose key has a space', { ...app, key: 'a b' }, 'appManager.array.apps.0.key: left out with its app: '],
    ['a limit of text', { ...app, maxEventBatchSize: 'many' }, 'appManager.array.apps.0.maxEventBatchSize: left out'],
    ['a limit of 0', { ...app, maxConnections: 0 }, 'appManager.array.apps.0.maxConnections: 0 lets nothing through'],
    [
      'a webhook without an address',
      { ...app, webhooks: [{ event_types: ['cache_miss'] }] },
      'appManager.array.apps.0.webhooks.0: left out',
    ],
    [
      'an event nobody knows',
      { ...app, webhooks: [{ url: 'https://a.test', event_types: ['cache_miss', 'x'] }] },
      'appManager.array.apps.0.webhooks.0: left out',
    ],
    [
      'a header of ours',
      { ...app, webhooks: [{ url: 'https://a.test', event_types: ['cache_miss'], headers: { Host: 'tell-nobody' } }] },
      'appManager.array.apps.0.webhooks.0: left out',
    ],
    ['webhooks that are none', { ...app, webhooks: 7 }, 'appManager.array.apps.0.webhooks: left out'],
    ['an app that is none', 'x', 'appManager.array.apps.0: left out'],
  ])('%s is left out and told, and the rest starts', (_what, one, line) => {
    const { lines, config } = move({ 'appManager.array.apps': [one, { ...app, id: 'second', key: 'second' }] })
    expect(lines.filter((told) => told.startsWith(line))).toHaveLength(1)
    expect(config.apps.some(({ id }) => id === 'second')).toBe(true)
    expect(lines.join('\n')).not.toContain('tell-nobody')
  })

  it('half a pair of TLS files is left out as a whole', () => {
    const { lines, config } = move({ 'ssl.certPath': '/a.crt', 'appManager.array.apps': [app] })
    expect(config.tls).toBeUndefined()
    expect(lines.filter((line) => line.startsWith('ssl.certPath: left out'))).toHaveLength(1)
  })

  it("soketi's built-in secret is never taken for an app that has none", () => {
    const { config, lines } = move({ 'appManager.array.apps': [{ id: 'a', key: 'k' }] })
    expect(config.apps[0]?.keys).toEqual([{ key: 'k', secret: fresh.secret }])
    expect(lines.join('\n')).toContain('appManager.array.apps.0.secret: ')
    expect(move({}).config.apps[0]?.keys[0]?.secret).toBe(fresh.secret)
  })

  it.each([
    ['{ "a": 1,\n "secret": tell-nobody }', /^is not JSON( at line 2)?$/],
    ['[1]', /^holds no options/],
  ])('%j is refused without its text', (text, message) => {
    expect(() => configurationFromSoketi(text, () => fresh)).toThrow(message)
    expect(() => configurationFromSoketi(text, () => fresh)).not.toThrow(/tell-nobody/)
  })

  it('names of prototypes are nothing special', () => {
    const { config } = move(
      '{"__proto__":{"port":1},"constructor.prototype.port":2,"port":6003,"appManager.array.apps":[{"id":"a","key":"k","secret":"0123456789abcdefg","__proto__":{"enabled":false}}]}',
    )
    expect(config).toMatchObject({ port: 6003, apps: [{ enabled: true }] })
    expect(({} as { port?: number }).port).toBeUndefined()
  })
})

describe('what is written', () => {
  it('has nothing to advise against', () => {
    const { yaml } = move({ 'appManager.array.apps': [app] })
    expect(loaded({ files: { 'belfry.yaml': yaml } }).notes).toEqual([])
  })

  it('uses a cluster of Redis', () => {
    const { config } = move({
      'adapter.driver': 'redis',
      'adapter.redis.clusterMode': true,
      'database.redis.clusterNodes': [
        { host: 'r1', port: 7000 },
        { host: 'r2', port: '7001' },
      ],
      'appManager.array.apps': [app],
    })
    expect(config.redis).toMatchObject({ mode: 'cluster', nodes: ['r1:7000', 'r2:7001'] })
  })
})
