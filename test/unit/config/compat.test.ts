import { describe, expect, it } from 'vitest'
import { webhookSettings } from '../../fakes/app-settings.js'
import { appOf, configOf, errorsOf, loaded, messagesOf } from './load-fixture.js'

const reverb = `BROADCAST_CONNECTION=reverb
REDIS_HOST=127.0.0.1
REDIS_PASSWORD=null
REDIS_PORT=6379
PORT=3000
PUSHER_APP_ID=
PUSHER_APP_KEY=
PUSHER_APP_SECRET=
PUSHER_HOST=
REVERB_APP_ID=573981
REVERB_APP_KEY=w2yqbhxxurzbqo3vkqqd
REVERB_APP_SECRET=ibgnh2xaw0wbxoxmdtae
REVERB_HOST="ws.example.com"
REVERB_PORT=443
REVERB_SCHEME=https
VITE_REVERB_APP_KEY="\${REVERB_APP_KEY}"
`
const pusher = `PUSHER_APP_ID=7
PUSHER_APP_KEY=pusher-key
PUSHER_APP_SECRET=a secret for pusher
PUSHER_HOST=127.0.0.1
PUSHER_PORT=6001
PUSHER_SCHEME=http
`
const soketi = {
  SOKETI_DEFAULT_APP_ID: 'app-id',
  SOKETI_DEFAULT_APP_KEY: 'app-key',
  SOKETI_DEFAULT_APP_SECRET: 'a secret for soketi',
}

describe("a Laravel .env with Reverb's variables", () => {
  it('gives the app, the port of Reverb and the public address', () => {
    const { config, publicAddress, notes } = loaded({ files: { '.env': reverb } })
    expect(config.port).toBe(8080)
    expect(config.redis).toBeUndefined()
    expect(config.apps.map(({ id, keys }) => ({ id, keys }))).toEqual([
      { id: '573981', keys: [{ key: 'w2yqbhxxurzbqo3vkqqd', secret: 'ibgnh2xaw0wbxoxmdtae' }] },
    ])
    expect(publicAddress).toEqual({ host: 'ws.example.com', port: 443, scheme: 'https' })
    expect(notes).toEqual([
      { level: 'info', message: 'REVERB_APP_ID is used as BELFRY_APP_ID.' },
      { level: 'info', message: 'REVERB_APP_KEY is used as BELFRY_APP_KEY.' },
      { level: 'info', message: 'REVERB_APP_SECRET is used as BELFRY_APP_SECRET.' },
      { level: 'info', message: "The port is 8080, as Reverb's, because the environment file names none." },
    ])
  })

  it('listens where it says', () => {
    const files = { '.env': `${reverb}REVERB_SERVER_HOST=127.0.0.1\nREVERB_SERVER_PORT=9000\nREVERB_SERVER_PATH=ws/` }
    expect(configOf({ files })).toMatchObject({ host: '127.0.0.1', port: 9000, pathPrefix: '/ws' })
  })

  it.each([
    ['a variable', { environment: { BELFRY_PORT: '1' } }, 1],
    ["the platform's PORT", { environment: { PORT: '2' } }, 2],
    ['a flag', { flags: { port: '3' } }, 3],
    ['the file', { files: { '.env': reverb, 'belfry.yaml': 'port: 4' } }, 4],
  ])('leaves the port to %s', (_name, world, port) => {
    expect(configOf({ files: { '.env': reverb }, ...world }).port).toBe(port)
  })

  it("does not take Reverb's port when the variables come from the process", () => {
    const environment = { REVERB_APP_ID: '1', REVERB_APP_KEY: 'k', REVERB_APP_SECRET: 'a secret for reverb' }
    expect(configOf({ environment }).port).toBe(6001)
  })

  it('uses Redis only when Reverb scales', () => {
    const files = { '.env': `${reverb}REVERB_SCALING_ENABLED=true` }
    expect(configOf({ files }).redis?.url).toBe('redis://127.0.0.1:6379/0')
    const more = 'REDIS_HOST=tls://cache\nREDIS_PORT=7000\nREDIS_USERNAME=bob\nREDIS_PASSWORD="p@ss/word"\nREDIS_DB=3\n'
    const scaled = { '.env': `${reverb.replace(/REDIS_.*\n/g, '')}${more}REVERB_SCALING_ENABLED=true` }
    expect(configOf({ files: scaled }).redis?.url).toBe('rediss://bob:p%40ss%2Fword@cache:7000/3')
    expect(configOf({ files: { '.env': `${reverb}REVERB_SCALING_ENABLED=false` } }).redis).toBeUndefined()
  })
})

describe("Pusher's variables", () => {
  it('give the app and the public address, and keep our port', () => {
    const { config, publicAddress } = loaded({ files: { '.env': pusher } })
    expect(config.port).toBe(6001)
    expect(config.apps[0]).toMatchObject({ id: '7', keys: [{ key: 'pusher-key', secret: 'a secret for pusher' }] })
    expect(publicAddress).toEqual({ host: '127.0.0.1', port: 6001, scheme: 'http' })
  })

  it.each([
    ['reverb', '573981'],
    ['pusher', '7'],
  ])('stand beside those of Reverb: BROADCAST_CONNECTION=%s decides', (connection, id) => {
    const text = `${reverb.replace(/PUSHER_.*\n/g, '')}${pusher}BROADCAST_CONNECTION=${connection}`
    expect(appOf({ files: { '.env': text } }).id).toBe(id)
  })

  it('are overruled one by one, and only used names are told', () => {
    const world = { files: { '.env': pusher, s: 'a secret in a file' }, environment: { BELFRY_APP_SECRET_FILE: 's' } }
    expect(appOf(world).keys).toEqual([{ key: 'pusher-key', secret: 'a secret in a file' }])
    expect(messagesOf(world)).toEqual([
      'PUSHER_APP_ID is used as BELFRY_APP_ID.',
      'PUSHER_APP_KEY is used as BELFRY_APP_KEY.',
    ])
  })
})

describe("soketi's variables", () => {
  it('carry a deployment over, in our units', () => {
    const environment = {
      ...soketi,
      SOKETI_HOST: '127.0.0.1',
      SOKETI_PORT: '6002',
      SOKETI_PATH_PREFIX: '/ws',
      SOKETI_SSL_CERT: 'cert.pem',
      SOKETI_SSL_KEY: 'key.pem',
      SOKETI_SSL_PASS: 'a passphrase',
      SOKETI_METRICS_ENABLED: 'false',
      SOKETI_METRICS_SERVER_PORT: '9602',
      SOKETI_SHUTDOWN_GRACE_PERIOD: '10000',
      SOKETI_HTTP_MAX_REQUEST_SIZE: '100',
      SOKETI_HTTP_ACCEPT_TRAFFIC_MEMORY_THRESHOLD: '85',
      SOKETI_DEBUG: '1',
      SOKETI_DEFAULT_APP_ENABLE_CLIENT_MESSAGES: 'false',
      SOKETI_DEFAULT_APP_MAX_CONNS: '-1',
      SOKETI_DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC: '50',
      SOKETI_DEFAULT_APP_MAX_CLIENT_EVENTS_PER_SEC: '-1',
      SOKETI_DEFAULT_APP_MAX_READ_REQ_PER_SEC: '-1',
      SOKETI_DEFAULT_APP_USER_AUTHENTICATION: 'true',
      SOKETI_DEFAULT_APP_WEBHOOKS: '[]',
      SOKETI_CHANNEL_LIMITS_MAX_NAME_LENGTH: '100',
      SOKETI_CHANNEL_CACHE_TTL: '3600',
      SOKETI_EVENT_MAX_BATCH_SIZE: '20',
      SOKETI_EVENT_MAX_CHANNELS_AT_ONCE: '50',
      SOKETI_EVENT_MAX_NAME_LENGTH: '150',
      SOKETI_EVENT_MAX_SIZE_IN_KB: '0.5',
      SOKETI_PRESENCE_MAX_MEMBERS: '300',
      SOKETI_PRESENCE_MAX_MEMBER_SIZE: '2',
    }
    const { apps, ...config } = configOf({ environment })
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 6002,
      pathPrefix: '/ws',
      tls: { certFile: 'cert.pem', keyFile: 'key.pem', passphrase: 'a passphrase' },
      metrics: { enabled: false, port: 9602 },
      drain: { periodMs: 10000 },
      http: { bodyBytes: 104857600 },
      capacity: { memoryPercent: 85 },
      log: { level: 'debug' },
    })
    expect(apps[0]).toMatchObject({
      id: 'app-id',
      clientEvents: { enabled: false, perSecond: 10 },
      authorizedConnections: { enabled: true },
      cache: { ttlSeconds: 3600 },
      limits: {
        connections: 0,
        triggersPerSecond: 50,
        readsPerSecond: 0,
        channelNameLength: 100,
        batchEvents: 20,
        channelsPerTrigger: 50,
        eventNameLength: 150,
        eventBytes: 512,
        presenceMembers: 300,
        presenceMemberBytes: 2048,
      },
    })
  })

  it('are named by their own name when they are wrong', () => {
    expect(errorsOf({ environment: { ...soketi, SOKETI_EVENT_MAX_BATCH_SIZE: 'many' } })).toEqual([
      'SOKETI_EVENT_MAX_BATCH_SIZE is "many", but must be a whole number: correct it.',
    ])
  })

  it('without a counterpart are named in one warning', () => {
    const environment = { ...soketi, SOKETI_MODE: 'full', SOKETI_QUEUE_DRIVER: 'sync', SOKETI_SERVICE_HOST: '10.0.0.1' }
    expect(loaded({ environment }).notes.at(-1)).toEqual({
      level: 'warn',
      message: 'These variables of soketi have no meaning here and are ignored: SOKETI_MODE, SOKETI_QUEUE_DRIVER.',
    })
  })

  it('carry their webhooks over', () => {
    const webhooks = [
      {
        url: 'http://laravel.test/hook',
        event_types: ['client_event', 'cache_miss'],
        filter: { channel_name_starts_with: 'private-', channel_name_ends_with: '-1' },
        headers: { 'X-Tenant': 'a' },
      },
      // With an address soketi does not call the function.
      { url: 'https://a.test', event_types: ['member_added'], lambda_function: 'f', lambda: { region: 'eu-west-1' } },
      // Nor does it send anything to this one.
      { url: 'https://b.test', event_types: [] },
    ]
    const { config, notes } = loaded({
      environment: { ...soketi, SOKETI_DEFAULT_APP_WEBHOOKS: JSON.stringify(webhooks) },
    })
    expect(config.apps[0]?.webhooks).toEqual([
      webhookSettings({
        url: 'http://laravel.test/hook',
        events: ['client_event', 'cache_miss'],
        channelPrefix: 'private-',
        channelSuffix: '-1',
        headers: { 'X-Tenant': 'a' },
      }),
      webhookSettings({ url: 'https://a.test', events: ['member_added'] }),
    ])
    expect(notes.at(-1)?.message).toBe('SOKETI_DEFAULT_APP_WEBHOOKS is used as BELFRY_APP_WEBHOOKS.')
  })

  it('name a webhook that calls a function', () => {
    const webhooks = [
      { url: 'https://a.test', event_types: [] },
      { lambda_function: 'f', event_types: ['member_added'], lambda: { async: true } },
    ]
    expect(errorsOf({ environment: { ...soketi, SOKETI_DEFAULT_APP_WEBHOOKS: JSON.stringify(webhooks) } })).toEqual([
      'SOKETI_DEFAULT_APP_WEBHOOKS[1] calls a function of AWS Lambda, which is not possible here: give it a url or remove it.',
    ])
  })

  it.each([
    ['no JSON', 'tell-nobody', 'SOKETI_DEFAULT_APP_WEBHOOKS is not valid JSON: give a JSON list in one line.'],
    [
      'no list',
      '{"url":"https://u:tell-nobody@a.test"}',
      'SOKETI_DEFAULT_APP_WEBHOOKS is a group of keys, but must be a list',
    ],
    [
      'an entry without an address',
      '[{"event_types":["cache_miss"]}]',
      'apps[0].webhooks[0].url in SOKETI_DEFAULT_APP_WEBHOOKS is missing',
    ],
    [
      'a key nobody knows',
      '[{"url":"https://a.test","event_tipes":["cache_miss"]}]',
      'event_tipes in SOKETI_DEFAULT_APP_WEBHOOKS is not a known key',
    ],
    [
      'a filter nobody knows',
      '[{"url":"https://a.test","filter":{"channel":"a"}}]',
      'filter in SOKETI_DEFAULT_APP_WEBHOOKS is not a known key',
    ],
    [
      'a header of ours',
      '[{"url":"https://a.test","headers":{"host":"tell-nobody"}}]',
      'headers.host in SOKETI_DEFAULT_APP_WEBHOOKS is set, but is a header',
    ],
  ])('refuse %s among their webhooks', (_what, value, problem) => {
    const errors = errorsOf({ environment: { ...soketi, SOKETI_DEFAULT_APP_WEBHOOKS: value } })
    expect(errors[0]).toContain(problem)
    expect(errors.join()).not.toContain('tell-nobody')
  })

  it('say their webhooks in our words', () => {
    const webhooks = [{ url: 'https://a.test', event_types: ['channel_occupied', 'nonsense'] }]
    const errors = errorsOf({ environment: { ...soketi, SOKETI_DEFAULT_APP_WEBHOOKS: JSON.stringify(webhooks) } })
    expect(errors[0]).toContain('apps[0].webhooks[0].events[1] in SOKETI_DEFAULT_APP_WEBHOOKS is "nonsense"')
  })

  it('choose Redis by their adapter', () => {
    const environment = { ...soketi, SOKETI_ADAPTER_DRIVER: 'redis', SOKETI_DB_REDIS_HOST: 'cache' }
    expect(configOf({ environment }).redis).toEqual({
      url: 'redis://cache:6379/0',
      prefix: 'belfry',
      mode: 'standalone',
      nodes: [],
    })
  })
})

describe('a platform', () => {
  it('sets the port, which every variable of ours or of a server overrules', () => {
    const app = { BELFRY_APP_ID: '1', BELFRY_APP_KEY: 'k', BELFRY_APP_SECRET: 'a secret of some length' }
    expect(configOf({ environment: { ...app, PORT: '3000' } }).port).toBe(3000)
    expect(configOf({ environment: { ...app, PORT: '3000', BELFRY_PORT: '1' } }).port).toBe(1)
    expect(configOf({ environment: { ...app, PORT: '3000', SOKETI_PORT: '2' } }).port).toBe(2)
    expect(configOf({ environment: { ...app, PORT: 'COM1' } }).port).toBe(6001)
    expect(configOf({ environment: { ...app, PORT: '3000' }, files: { 'belfry.yaml': 'port: 4' } }).port).toBe(3000)
  })

  it('names its Redis', () => {
    const app = { BELFRY_APP_ID: '1', BELFRY_APP_KEY: 'k', BELFRY_APP_SECRET: 'a secret of some length' }
    expect(configOf({ environment: { ...app, REDIS_URL: 'rediss://:p@h:7000/1' } }).redis?.url).toBe(
      'rediss://:p@h:7000/1',
    )
    expect(configOf({ environment: { ...app, REDIS_HOST: 'h' } }).redis).toBeUndefined()
    expect(errorsOf({ environment: { ...app, REDIS_URL: 'http://h' } })[0]).toMatch(
      /^REDIS_URL is set, but must begin with redis:/,
    )
  })
})
