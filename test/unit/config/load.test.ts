import { describe, expect, it } from 'vitest'
import type { AppSettings } from '../../../src/core/ports/app.js'
import { appSettings, webhookSettings } from '../../fakes/app-settings.js'
import { appOf, appVariables, configOf, errorsOf, load, loaded, messagesOf } from './load-fixture.js'

const oneApp = 'apps: [{ id: "1", key: key-1, secret: a secret of some length }]'

describe('defaults', () => {
  it('are those of the contract', () => {
    const { apps, ...rest } = configOf({ files: { 'belfry.yaml': oneApp } })
    expect(rest).toEqual({
      host: '0.0.0.0',
      port: 6001,
      pathPrefix: '',
      workers: 1,
      protocol: { requireVersion: false },
      websocket: { messageBytes: 0, backpressureBytes: 1048576, compression: false },
      http: { bodyBytes: 0, headerBytes: 16384, cors: { origins: [] } },
      capacity: { connections: 0, memoryPercent: 90, acceptPerSecond: 0, connectionsPerAddress: 0 },
      metrics: { enabled: true, host: '127.0.0.1', port: 9601, soketiNames: false },
      drain: { preStopDelayMs: 5000, periodMs: 20000, reconnect: 'at-once' },
      cluster: {
        leaseMs: 10000,
        publishTimeoutMs: 1000,
        subscribeTimeoutMs: 300,
        queryTimeoutMs: 1000,
        readyWithoutBusAfterMs: 60000,
      },
      presence: { handoverMs: 5000 },
      trustedProxies: [],
      log: { level: 'info', format: 'json' },
    })
    const app = appSettings({ id: '1', keys: [{ key: 'key-1', secret: 'a secret of some length' }] })
    expect(apps).toEqual([{ ...app, webhooks: [] }])
  })

  it('give apps as the core takes them', () => {
    const settings: readonly AppSettings[] = configOf({ environment: appVariables }).apps
    expect(settings).toHaveLength(1)
  })

  it('make the log pretty on a terminal only', () => {
    expect(configOf({ environment: appVariables, terminal: true }).log.format).toBe('pretty')
    expect(configOf({ environment: appVariables, terminal: true, flags: { 'log-format': 'json' } }).log.format).toBe(
      'json',
    )
  })
})

describe('precedence', () => {
  it('is flags, environment, file, defaults', () => {
    const files = { 'belfry.yaml': `${oneApp}\nhost: file\nport: 1\ndrain: { periodMs: 1 }` }
    const environment = { BELFRY_PORT: '2', BELFRY_DRAIN_PERIOD_MS: '2' }
    const config = configOf({ files, environment, flags: { 'drain-period-ms': '3' } })
    expect([config.host, config.port, config.drain]).toEqual([
      'file',
      2,
      { preStopDelayMs: 5000, periodMs: 3, reconnect: 'at-once' },
    ])
  })

  it('holds between a secret and its file', () => {
    const files = {
      'belfry.yaml': 'apps: [{ id: "1", key: k, secretFile: from-file }]',
      'from-file': 'the secret of the file',
      'from-variable': 'the secret of the variable',
    }
    expect(appOf({ files }).keys[0]?.secret).toBe('the secret of the file')
    const other = { BELFRY_APP_ID: '1', BELFRY_APP_SECRET: 'the secret itself' }
    expect(appOf({ files, environment: other }).keys[0]?.secret).toBe('the secret itself')
    const twin = { BELFRY_APP_ID: '1', BELFRY_APP_SECRET_FILE: 'from-variable' }
    expect(appOf({ files, environment: twin }).keys[0]?.secret).toBe('the secret of the variable')
  })

  it('puts a variable of the process over the same one of the environment file', () => {
    const files = { '.env': 'BELFRY_PORT=1\nBELFRY_HOST=file' }
    const config = configOf({ files, environment: { ...appVariables, BELFRY_PORT: '2' } })
    expect([config.port, config.host]).toEqual([2, 'file'])
  })
})

describe('the file', () => {
  it('may be JSON, and name its schema', () => {
    const json = '{"$schema":"./config.schema.json","port":7,"apps":[{"id":"1","key":"k","secret":"0123456789abcdef"}]}'
    expect(configOf({ file: 'belfry.json', files: { 'belfry.json': json } }).port).toBe(7)
  })

  it('may leave keys without a value', () => {
    expect(configOf({ files: { 'belfry.yaml': `tls:\nmetrics:\nport:\n${oneApp}` } }).port).toBe(6001)
  })

  it('is refused when it cannot be read', () => {
    expect(errorsOf({ file: 'missing.yaml' })).toEqual([
      'missing.yaml cannot be read (ENOENT): check the path and its permissions.',
    ])
  })

  it('is refused when it is no YAML, without a word of its content', () => {
    const [error = ''] = errorsOf({ files: { 'belfry.yaml': 'apps:\n  - secret: "tell-nobody\n' } })
    expect(error).toMatch(/^belfry\.yaml is neither YAML nor JSON at line \d+, column \d+ \([a-z ]+\): correct it\.$/)
    expect(errorsOf({ files: { 'belfry.yaml': '- 1' } })).toEqual([
      'belfry.yaml holds no keys at its top: write it as in docs/configuration.md.',
    ])
    expect(errorsOf({ files: { 'belfry.yaml': 'port: 1\nport: 2' } })).toEqual([
      'belfry.yaml is neither YAML nor JSON at line 2, column 1 (duplicate key): correct it.',
    ])
  })

  it('does not unfold aliases without end', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
    for (const [name, before] of ['ba', 'cb', 'dc', 'ed']) {
      lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]`)
    }
    expect(errorsOf({ files: { 'belfry.yaml': lines.join('\n') } })).toHaveLength(1)
  })

  it('cannot reach a prototype', () => {
    const errors = errorsOf({ files: { 'belfry.yaml': `__proto__: { port: 1 }\nconstructor: 1\n${oneApp}` } })
    expect(errors.map((error) => error.split(' is not a known key')[0])).toEqual([
      '__proto__ in belfry.yaml',
      'constructor in belfry.yaml',
    ])
  })
})

describe('variables and flags', () => {
  it('turn their text into the kind of the key', () => {
    const config = configOf({
      environment: {
        ...appVariables,
        BELFRY_METRICS_ENABLED: 'false',
        BELFRY_METRICS_SOKETI_NAMES: '1',
        BELFRY_TRUSTED_PROXIES: '10.0.0.0/8, ::1,',
        BELFRY_LOG_LEVEL: 'debug',
      },
    })
    expect(config.metrics).toMatchObject({ enabled: false, soketiNames: true })
    expect(config.trustedProxies).toEqual(['10.0.0.0/8', '::1'])
    expect(config.log.level).toBe('debug')
  })

  it('do not count when empty', () => {
    expect(configOf({ environment: { ...appVariables, BELFRY_PORT: '' } }).port).toBe(6001)
  })

  it('ignore what Kubernetes and tests set, and warn of every other unknown name', () => {
    const environment = {
      ...appVariables,
      BELFRY_PORT: 'tcp://10.0.0.1:6001',
      BELFRY_METRICS_PORT: 'tcp://10.0.0.1:9601',
      BELFRY_SERVICE_HOST: '10.0.0.1',
      BELFRY_SERVICE_PORT: '6001',
      BELFRY_SERVICE_PORT_HTTP: '6001',
      BELFRY_PORT_6001_TCP: 'tcp://10.0.0.1:6001',
      BELFRY_PORT_6001_TCP_ADDR: '10.0.0.1',
      BELFRY_METRICS_SERVICE_HOST: '10.0.0.1',
      BELFRY_TEST_REQUIRE: 'redis',
      BELFRY_CONFIG: 'belfry.yaml',
      BELFRY_METRICS_PROT: '1',
      BELFRY_ZZZ: '1',
    }
    const { config, notes } = loaded({ environment })
    expect([config.port, config.metrics.port]).toEqual([6001, 9601])
    expect(notes).toEqual([
      {
        level: 'warn',
        message: 'BELFRY_METRICS_PROT is not a known variable and is ignored: did you mean BELFRY_METRICS_PORT?',
      },
      { level: 'warn', message: 'BELFRY_ZZZ is not a known variable and is ignored.' },
    ])
  })

  it('refuse an unknown flag', () => {
    expect(errorsOf({ environment: appVariables, flags: { 'metrics-prot': '1' } })).toEqual([
      '--metrics-prot is not a known flag: did you mean --metrics-port?',
    ])
  })

  it('take lists of groups as JSON', () => {
    const apps = [
      { id: 'a', key: 'ka', secret: '0123456789abcdef' },
      { id: 'b', key: 'kb', secret: '0123456789abcdef' },
    ]
    expect(configOf({ environment: { BELFRY_APPS: JSON.stringify(apps) } }).apps.map((app) => app.id)).toEqual([
      'a',
      'b',
    ])
    expect(errorsOf({ environment: { BELFRY_APPS: '[{"secret":"tell-nobody"' } })).toEqual([
      'BELFRY_APPS is not valid JSON: give a JSON list in one line.',
    ])
  })

  it('read the apps from a file of their own', () => {
    const files = { 'apps.yaml': '- { id: a, key: ka, secret: 0123456789abcdefg }' }
    const { config, files: read } = loaded({ files, environment: { BELFRY_APPS_FILE: 'apps.yaml' } })
    expect(config.apps.map((app) => app.id)).toEqual(['a'])
    expect(read).toEqual(['apps.yaml'])
  })
})

describe('the app of the environment', () => {
  it('takes any option by its path', () => {
    const app = appOf({
      environment: {
        ...appVariables,
        BELFRY_APP_SUBSCRIPTION_COUNT_ENABLED: 'true',
        BELFRY_APP_LIMITS_EVENT_BYTES: '10240',
      },
      flags: { 'app-tls-only': 'false', 'app-allowed-origins': 'https://a.test,https://b.test' },
    })
    expect(app.subscriptionCount.enabled).toBe(true)
    expect(app.limits.eventBytes).toBe(10240)
    expect(app.allowedOrigins).toEqual(['https://a.test', 'https://b.test'])
  })

  it('is added to those of the file, or laid over the one of the same id', () => {
    const files = { 'belfry.yaml': 'apps: [{ id: 1, key: k, secret: 0123456789abcdefg, limits: { batchEvents: 5 } }]' }
    expect(configOf({ files, environment: { ...appVariables, BELFRY_APP_ID: '2' } }).apps.map(({ id }) => id)).toEqual([
      '1',
      '2',
    ])
    const app = appOf({ files, environment: appVariables })
    expect([app.keys, app.limits.batchEvents]).toEqual([[{ key: 'key-1', secret: 'a secret of some length' }], 5])
  })

  it('means the only app when it has no id', () => {
    const files = { 'belfry.yaml': oneApp }
    expect(appOf({ files, environment: { BELFRY_APP_ENABLED: 'false' } }).enabled).toBe(false)
    const two = {
      'belfry.yaml':
        'apps: [{ id: a, key: a, secret: 0123456789abcdefg }, { id: b, key: b, secret: 0123456789abcdefg }]',
    }
    expect(errorsOf({ files: two, environment: { BELFRY_APP_ENABLED: 'false' } })).toEqual([
      'BELFRY_APP_ENABLED: there are 2 apps, so set BELFRY_APP_ID to the one that is meant.',
    ])
  })

  it('is told by its variables what is missing', () => {
    expect(errorsOf({ environment: { BELFRY_APP_KEY: 'k' } })).toEqual([
      'BELFRY_APP_SECRET is missing: set it, or name a file that holds it (BELFRY_APP_SECRET_FILE).',
      'BELFRY_APP_ID is missing: set it (name of the app in REST paths: letters, digits, _ and -).',
    ])
  })
})

describe('without an app', () => {
  it('nothing starts', () => {
    const [error] = errorsOf()
    expect(error).toMatch(/^No app is configured: set BELFRY_APP_ID, .* or start with --dev for random credentials\.$/)
  })

  it('one can be given, and has the options of the environment', () => {
    const given = { id: '9', key: 'k', secret: 'a random secret here' }
    const world = { appWhenNone: () => given, environment: { BELFRY_APP_LIMITS: 'pusher' } }
    expect(loaded(world).appWasGiven).toBe(true)
    expect(appOf(world)).toMatchObject({
      id: '9',
      keys: [{ key: 'k', secret: 'a random secret here' }],
      limits: { eventBytes: 10240 },
    })
  })

  it('who gives one is told whether Redis is configured', () => {
    const asked: boolean[] = []
    const appWhenNone = ({ redis }: { redis: boolean }) => {
      asked.push(redis)
      return undefined
    }
    load({ appWhenNone })
    load({ appWhenNone, environment: { BELFRY_REDIS_URL: 'redis://h' } })
    expect(asked).toEqual([false, true])
  })

  it('nobody is asked when there is one', () => {
    expect(
      loaded({ environment: appVariables, appWhenNone: () => ({ id: '9', key: 'k', secret: 's' }) }).appWasGiven,
    ).toBe(false)
  })
})

describe('secrets in files', () => {
  it('lose their last line break, and are read for every key', () => {
    const files = {
      'belfry.yaml': 'apps: [{ id: a, keys: [{ key: k1, secretFile: s1 }, { key: k2, secretFile: s2 }] }]',
      s1: 'the first secret\r\n',
      s2: 'the second secret',
    }
    const outcome = loaded({ files })
    expect(outcome.config.apps[0]?.keys).toEqual([
      { key: 'k1', secret: 'the first secret' },
      { key: 'k2', secret: 'the second secret' },
    ])
    expect(outcome.files).toEqual(['belfry.yaml', 's1', 's2'])
  })

  it('are refused when they cannot be read, are empty, or are said twice', () => {
    const files = { empty: '\n', full: 'a secret in a file' }
    const base = { BELFRY_APP_ID: '1', BELFRY_APP_KEY: 'k' }
    expect(errorsOf({ files, environment: { ...base, BELFRY_APP_SECRET_FILE: 'none' } })).toEqual([
      'BELFRY_APP_SECRET_FILE names none, which cannot be read (ENOENT): check the path and its permissions.',
    ])
    expect(errorsOf({ files, environment: { ...base, BELFRY_APP_SECRET_FILE: 'empty' } })).toEqual([
      'BELFRY_APP_SECRET_FILE names empty, which is empty: put the value into it.',
    ])
    expect(
      errorsOf({ files, environment: { ...base, BELFRY_APP_SECRET_FILE: 'full', BELFRY_APP_SECRET: 'x' } }),
    ).toEqual(['BELFRY_APP_SECRET and BELFRY_APP_SECRET_FILE are both set: keep one of them.'])
  })
})

describe('errors', () => {
  const broken = `
prot: 1
port: 70000
host: 5
workers: some
pathPrefix: ws/
log: { level: inf }
metrics: { enabled: maybe, prt: 1 }
trustedProxies: [1.2.3.4/99]
drain: 5
apps:
  - { id: a b, key: k, secret: 123456 }
  - { id: x, eventBytes: 3, limits: pushr, allowedOrigins: [https://a.test/] }
  - { id: y, key: "a:b", secret: tell-nobody-1, limits: { presenceMembers: -1, connections: 1.5 } }
  - { id: z, key: zk, secret: tell-nobody-2 }
  - { id: z, key: zk, secret: tell-nobody-3 }
`

  it('come all together, each with what, the limit, the value and what to do', () => {
    const errors = errorsOf({ files: { 'belfry.yaml': broken }, environment: { BELFRY_CLUSTER_LEASE_MS: 'abc' } })
    expect([...errors].sort()).toEqual(
      [
        'prot in belfry.yaml is not a known key: did you mean port?',
        'port in belfry.yaml is 70000, but may be at most 65535: give a smaller number.',
        'host in belfry.yaml is 5, but must be text (in YAML: put it into quotes): correct it.',
        'workers in belfry.yaml is "some", but must be a whole number of at least 1, or auto: correct it.',
        'pathPrefix in belfry.yaml is "ws/", but must begin with / and must not end with one, like /ws: correct it.',
        'log.level in belfry.yaml is "inf", but must be debug, info, warn or error: did you mean info?',
        'metrics.enabled in belfry.yaml is "maybe", but must be true or false: correct it.',
        'metrics.prt in belfry.yaml is not a known key: did you mean metrics.port?',
        'trustedProxies[0] in belfry.yaml is "1.2.3.4/99", but must be an IP address or a network like 10.0.0.0/8: correct it.',
        'drain in belfry.yaml is 5, but must be a group of keys: correct it.',
        'BELFRY_CLUSTER_LEASE_MS is "abc", but must be a whole number: correct it.',
        'apps[0].id in belfry.yaml is "a b", but may hold only letters, digits, _ and -: correct it.',
        'apps[0].secret in belfry.yaml is set, but must be text (in YAML: put it into quotes): correct it.',
        'apps[1].key in belfry.yaml is missing: set it, or a list of keys.',
        'apps[1].secret in belfry.yaml is missing: set it, or name a file that holds it (apps[1].secretFile in belfry.yaml).',
        'apps[1].eventBytes in belfry.yaml is not a known key: did you mean apps[1].limits.eventBytes?',
        'apps[1].limits in belfry.yaml is "pushr", but must be pusher or the single keys: correct it.',
        'apps[1].allowedOrigins[0] in belfry.yaml is "https://a.test/", but must be *, a host or an origin without a path, like https://example.com or *.example.com: correct it.',
        'apps[2].key in belfry.yaml is "a:b", but may hold only letters, digits, _ . ~ and -: correct it.',
        'apps[2].limits.presenceMembers in belfry.yaml is -1, but must be at least 0: give a larger number.',
        'apps[2].limits.connections in belfry.yaml is 1.5, but must be a whole number: correct it.',
        'Two apps have the id "z": give each app an id of its own.',
        'The key zk belongs to app "z" and to app "z": give every key to one app, once.',
      ].sort(),
    )
    expect(errors.join()).not.toContain('tell-nobody')
  })

  it('never show the login of an address', () => {
    const [error = ''] = errorsOf({
      environment: { ...appVariables, BELFRY_HOST: '', BELFRY_APP_WEBHOOK_URL: 'ftp://user:tell-nobody@h' },
    })
    expect(error).toContain('"ftp://…@h"')
  })

  it('name a list of keys beside a single key', () => {
    const app = '{ id: a, key: k, secret: s, keys: [{ key: k2, secret: s2 }] }'
    expect(errorsOf({ files: { 'belfry.yaml': `apps: [${app}]` } })).toEqual([
      'apps[0].keys in belfry.yaml and apps[0].key in belfry.yaml are both set: move the single pair into the list.',
    ])
  })

  it('name a key that two apps have', () => {
    const apps =
      '[{ id: a, key: same, secret: s }, { id: b, keys: [{ key: own, secret: s }, { key: same, secret: s }] }]'
    expect(errorsOf({ files: { 'belfry.yaml': `apps: ${apps}` } })).toEqual([
      'The key same belongs to app "a" and to app "b": give every key to one app, once.',
    ])
  })
})

describe('zero', () => {
  const unlimited = ['connections', 'presenceMembers', 'triggersPerSecond', 'readsPerSecond', 'messagesPerSecond']
  const limited = [
    'presenceUserIdLength',
    'watchlistUsers',
    'subscriptionsPerConnection',
    'presenceMemberBytes',
    'channelNameLength',
    'eventNameLength',
    'eventBytes',
    'channelsPerTrigger',
    'batchEvents',
  ]
  const withZero = (name: string) => ({
    files: { 'belfry.yaml': `apps: [{ id: a, key: k, secret: 0123456789abcdefg, limits: { ${name}: 0 } }]` },
  })

  it.each(unlimited)('means no limit for %s', (name) => {
    expect(appOf(withZero(name)).limits).toHaveProperty(name, 0)
  })

  it.each(limited)('is an error for %s', (name) => {
    expect(errorsOf(withZero(name))).toEqual([
      `apps[0].limits.${name} in belfry.yaml is 0, which does not mean "no limit" here: give at least 1.`,
    ])
  })

  it('is an error for the rate of client events', () => {
    expect(errorsOf({ environment: { ...appVariables, BELFRY_APP_CLIENT_EVENTS_PER_SECOND: '0' } })).toHaveLength(1)
  })
})

describe('limits: pusher', () => {
  it('sets the figures of the hosted service, and leaves the others', () => {
    const { limits } = appOf({
      files: { 'belfry.yaml': 'apps: [{ id: a, key: k, secret: 0123456789abcdefg, limits: pusher }]' },
    })
    expect(limits).toMatchObject({
      channelNameLength: 164,
      eventBytes: 10240,
      presenceMembers: 100,
      presenceMemberBytes: 1024,
    })
    expect(limits).toMatchObject({ eventNameLength: 200, batchEvents: 10, messagesPerSecond: 100 })
  })

  it('can be changed in single figures by a variable', () => {
    const environment = { ...appVariables, BELFRY_APP_LIMITS: 'pusher', BELFRY_APP_LIMITS_EVENT_BYTES: '20000' }
    expect(appOf({ environment }).limits).toMatchObject({ channelNameLength: 164, eventBytes: 20000 })
  })
})

describe('several nodes', () => {
  const redisUrl = 'redis://user:tell-nobody@h:7000/2'

  it('meet in a Redis', () => {
    const { redis } = configOf({ environment: { ...appVariables, BELFRY_REDIS_URL: redisUrl } })
    expect(redis).toEqual({ url: redisUrl, prefix: 'belfry', mode: 'standalone', nodes: [] })
  })

  it.each(['2', 'auto'])('on one machine need it as well: workers %s', (workers) => {
    const environment = { ...appVariables, BELFRY_WORKERS: workers }
    expect(errorsOf({ environment })).toEqual([
      `workers is ${workers}, but redis is missing, which the workers share: set redis.url, or workers to 1.`,
    ])
    expect(configOf({ environment: { ...environment, BELFRY_REDIS_URL: redisUrl } }).redis?.url).toBe(redisUrl)
  })

  it.each([
    [{ mode: 'sentinel', nodes: ['h:1'] }, 'redis.mode is sentinel, but redis.sentinelName is missing'],
    [{ mode: 'cluster' }, 'redis.mode is cluster, but redis.nodes is empty'],
    [{ nodes: ['h:1'] }, 'redis.nodes is set, but redis.mode is standalone'],
    [{ mode: 'cluster', nodes: ['h:1'], url: redisUrl }, 'redis.url names a database, but a cluster has only'],
    [{ tls: { certFile: 'c' } }, 'redis.tls has only one of certFile and keyFile'],
  ])('are refused where Redis is not described well: %j', (redis, sentence) => {
    const files = { 'belfry.yaml': JSON.stringify({ redis }) }
    expect(errorsOf({ files, environment: appVariables })).toEqual([expect.stringContaining(sentence)])
  })

  it.each([
    { mode: 'cluster', nodes: ['h:1', '[::1]:2'], url: 'rediss://:p@h/0' },
    { mode: 'sentinel', nodes: ['h:1'], sentinelName: 'm', url: 'redis://h/3' },
    { tls: { caFile: 'ca', certFile: 'c', keyFile: 'k', serverName: 'n' } },
  ])('are accepted with %j', (redis) => {
    const files = { 'belfry.yaml': JSON.stringify({ redis }) }
    expect(configOf({ files, environment: appVariables }).redis).toMatchObject(redis)
  })
})

describe('webhooks', () => {
  const withWebhook = (webhook: string) => ({
    files: { 'belfry.yaml': `apps: [{ id: a, key: ka, secret: a secret of some length, webhooks: [${webhook}] }]` },
  })

  it('have defaults for everything but the address', () => {
    const environment = { ...appVariables, BELFRY_APP_WEBHOOK_URL: 'https://a.test/hook' }
    const { events } = appOf({ environment }).webhooks[0]!
    expect(appOf({ environment }).webhooks).toEqual([{ ...webhookSettings({ url: 'https://a.test/hook' }), events }])
    expect([...events].sort()).toEqual([
      'cache_miss',
      'channel_occupied',
      'channel_vacated',
      'client_event',
      'member_added',
      'member_removed',
      'subscription_count',
    ])
    expect(messagesOf({ environment })).toEqual([])
  })

  it.each([
    'http://receiver',
    'https://user:pa%40ss@receiver.test:8443/a/b?token=x',
    'http://[::1]:8000/',
    'HTTPS://Receiver.test',
    `https://a.test/${'x'.repeat(1985)}`,
  ])('are posted to %s', (url) => {
    expect(appOf(withWebhook(`{ url: '${url}' }`)).webhooks[0]?.url).toBe(url)
  })

  it.each([
    ['ftp://a.test', '"ftp://a.test", but must be an address that begins with https:// or http://'],
    ['a.test/hook', '"a.test/hook", but must be an address that begins with https:// or http://'],
    ['https://a b', '"https://a b", but must be an address that begins with https:// or http://'],
    ['https://', '"https://", but must be an address that begins with https:// or http://'],
    ['https:///', '"https:///", but must be a whole address, like https://example.com/hook'],
    ['https://a.test:99999/', '"https://a.test:99999/", but must be a whole address, like https://example.com/hook'],
    ['https://a.test/#x', '"https://a.test/#…", but must not have a # and what follows it, which is never sent'],
    ['https://a.test/#', '"https://a.test/#", but must not have a # and what follows it, which is never sent'],
    ['https://u:50%@a.test', '"https://…@a.test/", but has a % in its user or password that is not written as %25'],
    // Neither the login nor the query is shown, however the rest is written.
    ['https://u:tell-nobody@a:b', '"https://…@a:b", but must be a whole address, like https://example.com/hook'],
    ['https://u:tell/nobody@a.test', '"https://…@a.test", but must be a whole address, like https://example.com/hook'],
    ['u:tell-nobody@a.test', '"…@a.test", but must be an address that begins with https:// or http://'],
    ['http:/a.test?t=tell-nobody', '"http:/a.test?…", but must be an address that begins with https:// or http://'],
    [
      'https://a.test/?t=tell-nobody#',
      '"https://a.test/?…", but must not have a # and what follows it, which is never sent',
    ],
  ])('are not posted to %s', (url, problem) => {
    expect(errorsOf(withWebhook(`{ url: '${url}' }`))).toEqual([
      `apps[0].webhooks[0].url in belfry.yaml is ${problem}: correct it.`,
    ])
  })

  it('are not posted to an address without end', () => {
    expect(errorsOf(withWebhook(`{ url: 'https://a.test/${'x'.repeat(2000)}' }`))[0]).toContain(
      'but must not be longer than 2000 characters: correct it.',
    )
    expect(errorsOf(withWebhook("{ url: '' }"))[0]).toContain('is empty: give it a value or leave it out.')
  })

  it('have headers, and none that are ours', () => {
    const headers = { Authorization: 'Bearer tell-nobody', 'x-tenant': '', "!#$%&'*+.^_`|~-9": 'a b ~' }
    expect(appOf(withWebhook(JSON.stringify({ url: 'https://a.test', headers }))).webhooks[0]?.headers).toEqual(headers)
    const wrong = (headers: Record<string, string>) =>
      errorsOf(withWebhook(JSON.stringify({ url: 'https://a.test', headers })))
    const label = 'apps[0].webhooks[0].headers'
    for (const name of [
      'Content-Type',
      'content-length',
      'HOST',
      'Connection',
      'Transfer-Encoding',
      'x-pusher-key',
      'X-Pusher-Signature',
      'X-Belfry-Delivery',
    ]) {
      expect(wrong({ [name]: 'tell-nobody' })).toEqual([
        `${label}.${name} in belfry.yaml is set, but is a header that Belfry itself sends: correct it.`,
      ])
    }
    expect(wrong({ 'X-A': '1', 'x-a': '2' })).toEqual([
      `${label}.x-a in belfry.yaml is set, but the same name stands there in other capitals: correct it.`,
    ])
    for (const value of ['a\nb', 'a\u0000', 'caf\u00e9', '\t']) {
      expect(wrong({ 'X-A': value })).toEqual([
        `${label}.X-A in belfry.yaml is set, but may hold only printable ASCII characters: correct it.`,
      ])
    }
    expect(wrong({ 'X-A': 'x'.repeat(4097) })[0]).toContain('must not be longer than 4096 characters')
    expect(wrong(Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`X-${n}`, ''])))).toEqual([
      `${label} in belfry.yaml is set, but must not hold more than 32 headers: correct it.`,
    ])
  })

  it('show no wrong name of a header: it may be the secret', () => {
    for (const name of ['Authorization: Bearer tell-nobody', '', 'a b', 'caf\u00e9']) {
      const webhook = JSON.stringify({ url: 'https://a.test', headers: { 'X-A': '1', [name]: '' } })
      expect(errorsOf(withWebhook(webhook))).toEqual([
        "apps[0].webhooks[0].headers in belfry.yaml is set, but the name of header 2 may hold only letters, digits and ! # $ % & ' * + - . ^ _ ` | ~: correct it.",
      ])
    }
  })

  it('have their headers in a file', () => {
    const { files } = withWebhook('{ url: https://a.test, headersFile: h.yaml }')
    const { headers } = appOf({ files: { ...files, 'h.yaml': 'Authorization: Bearer tell-nobody' } }).webhooks[0]!
    expect(headers).toEqual({ Authorization: 'Bearer tell-nobody' })
    const errors = errorsOf({ files: { ...files, 'h.yaml': 'Host: tell-nobody' } })
    expect(errors).toEqual([
      'apps[0].webhooks[0].headers.Host in h.yaml is set, but is a header that Belfry itself sends: correct it.',
    ])
  })

  it('are at most twenty for an app', () => {
    const some = (count: number) => withWebhook(Array.from({ length: count }, () => '{ url: https://a.test }').join())
    expect(appOf(some(20)).webhooks).toHaveLength(20)
    expect(errorsOf(some(21))).toEqual([
      'apps[0].webhooks in belfry.yaml has 21 entries, but may have at most 20: remove some.',
    ])
  })
})

describe('notes', () => {
  it('warn of a short secret, and of a frame smaller than an event', () => {
    expect(
      messagesOf({
        environment: { ...appVariables, BELFRY_APP_SECRET: 'short', BELFRY_WEBSOCKET_MESSAGE_BYTES: '5000' },
      }),
    ).toEqual([
      'App "1" has a secret of fewer than 16 characters: a longer one cannot be guessed.',
      'websocket.messageBytes is 5000, below limits.eventBytes of app "1" (102400): client events between the two close the connection with 1009.',
    ])
  })
})

describe('rules over several keys', () => {
  it('ask for a way to TLS when an app wants it', () => {
    const tlsOnly = { ...appVariables, BELFRY_APP_TLS_ONLY: 'true' }
    expect(errorsOf({ environment: tlsOnly })).toHaveLength(1)
    expect(appOf({ environment: { ...tlsOnly, BELFRY_TRUSTED_PROXIES: '127.0.0.1' } }).tlsOnly).toBe(true)
    expect(appOf({ environment: { ...tlsOnly, BELFRY_TLS_CERT_FILE: 'c', BELFRY_TLS_KEY_FILE: 'k' } }).tlsOnly).toBe(
      true,
    )
  })

  it('ask for both files of TLS', () => {
    expect(errorsOf({ environment: { ...appVariables, BELFRY_TLS_CERT_FILE: 'c' } })).toEqual([
      'tls.keyFile is missing: set it (PEM file with the private key).',
    ])
  })

  it('bound the request that the limits allow', () => {
    const environment = {
      ...appVariables,
      BELFRY_APP_LIMITS_EVENT_BYTES: '16777216',
      BELFRY_APP_LIMITS_BATCH_EVENTS: '1000',
    }
    expect(errorsOf({ environment })[0]).toMatch(
      /^limits\.eventBytes and limits\.batchEvents make request bodies of 100663361536 bytes/,
    )
  })
})
