/**
 * The configuration: ONE tree that declares type, default, bounds, unit and description of every key. The types here, the
 * environment names and flags (keys.ts), the reference page, the JSON schema and the redaction of `check` are all derived from it.
 * The names are a contract: changing one takes its test, its documentation and a line in the CHANGELOG.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { appSchema, type LimitsConfig } from './app-schema.js'
import {
  choice,
  declare,
  fileOf,
  group,
  list,
  optionalGroup,
  optionalText,
  requiredText,
  secret,
  text,
  texts,
  toggle,
  whole,
  type TextRule,
} from './declare.js'

const prefixRule: TextRule = {
  pattern: /^(\/[A-Za-z0-9._~-]+)*$/,
  hint: 'must begin with / and must not end with one, like /ws',
}
const redisUrlRule: TextRule = { pattern: /^rediss?:\/\//i, hint: 'must begin with redis:// or rediss://' }
const redisPrefixRule: TextRule = { pattern: /^[A-Za-z0-9_.:-]+$/, hint: 'may hold only letters, digits and _ . : -' }
const nodeAddressRule: TextRule = { pattern: /^[^\s:]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i, hint: 'must be host:port' }

const dayMs = 86_400_000
const gibibyte = 1_073_741_824
const countMax = 10_000_000

export const configSchema = z.strictObject({
  host: text('Address the server listens on.', { default: '0.0.0.0' }),
  port: whole('Port for WebSocket and REST. 0 = any free port, printed at start.', {
    default: 6001,
    min: 0,
    max: 65_535,
  }),
  pathPrefix: text('Put in front of every path, like `/ws`.', { default: '', rule: prefixRule }),
  workers: declare(
    z
      .union([z.int().min(1).max(1024), z.enum(['auto'])], { error: 'must be a whole number of at least 1, or auto' })
      .default(1),
    {
      kind: 'whole',
      description: 'Processes that share the port, each a node of the cluster; needs `redis`. `auto` = one per core.',
    },
  ),
  tls: optionalGroup('Serve TLS. The files are read again when they change and on SIGHUP.', {
    certFile: requiredText('PEM file with the certificate chain.'),
    keyFile: requiredText('PEM file with the private key.'),
    passphrase: secret('Passphrase of the private key.'),
    passphraseFile: fileOf('passphrase'),
  }),
  protocol: group('The Pusher protocol.', {
    requireVersion: toggle('Refuse clients that name no protocol version (close code 4008).', { default: false }),
  }),
  websocket: group('WebSocket connections.', {
    messageBytes: whole('Largest frame; above it: 1009. 0 = the largest `eventBytes` of an app + 24 KiB.', {
      default: 0,
      min: 0,
      max: gibibyte,
      unit: 'bytes',
    }),
    backpressureBytes: whole('Unsent bytes at which a slow client is closed.', {
      default: 1_048_576,
      min: 16_384,
      max: gibibyte,
      unit: 'bytes',
    }),
    compression: toggle('Offer permessage-deflate: less traffic for more CPU and memory.', { default: false }),
  }),
  http: group('The REST API.', {
    bodyBytes: whole(
      'Largest request body; above it: 413. 0 = the largest 6 × `eventBytes` × `batchEvents` of an app + 64 KiB, because a JSON-escaped byte may take six.',
      { default: 0, min: 0, max: gibibyte, unit: 'bytes' },
    ),
    headerBytes: whole('Largest request head, cookies included.', {
      default: 16_384,
      min: 4096,
      max: 1_048_576,
      unit: 'bytes',
    }),
    cors: group('Cross-origin calls of the REST API. Browsers do not need it.', {
      origins: texts('Origins that may call it.', { default: [] }),
    }),
  }),
  capacity: group('Marks above which a new connection is refused with 4100.', {
    connections: whole('Connections of this process. 0 = the file-descriptor limit − 256.', {
      default: 0,
      min: 0,
      max: countMax,
    }),
    memoryPercent: whole("Used share of the cgroup's memory limit, else of the machine's memory. 0 = off.", {
      default: 90,
      min: 0,
      max: 100,
      unit: 'percent',
    }),
    acceptPerSecond: whole('New connections per second. 0 = off.', {
      default: 0,
      min: 0,
      max: countMax,
      unit: 'per second',
    }),
    connectionsPerAddress: whole('Connections from one address. 0 = off.', { default: 0, min: 0, max: countMax }),
  }),
  metrics: group('Prometheus metrics and health, on a port of their own.', {
    enabled: toggle('Whether that port is opened.', { default: true }),
    host: text('Address it listens on.', { default: '127.0.0.1' }),
    port: whole('Port. 0 = any free port.', { default: 9601, min: 0, max: 65_535 }),
    soketiNames: toggle("Also export the names of soketi's dashboards.", { default: false }),
  }),
  redis: optionalGroup('Share channels, presence and events between nodes. Without it: one machine, in memory.', {
    url: declare(
      z.string().regex(redisUrlRule.pattern, { error: redisUrlRule.hint }).default('redis://127.0.0.1:6379/0'),
      {
        kind: 'text',
        description: 'Address, user, password and database, as redis:// or rediss://.',
        secret: true,
      },
    ),
    urlFile: fileOf('url'),
    prefix: text('Begins every key and bus channel.', { default: 'belfry', rule: redisPrefixRule }),
    mode: choice('How Redis runs.', ['standalone', 'sentinel', 'cluster'], { default: 'standalone' }),
    nodes: texts('Sentinels or cluster nodes as host:port; `url` then gives user, password and database.', {
      default: [],
      item: z.string().regex(nodeAddressRule.pattern, { error: nodeAddressRule.hint }),
    }),
    sentinelName: optionalText("The master's name, with `mode: sentinel`."),
    sentinelPassword: secret('Password of the sentinels.'),
    sentinelPasswordFile: fileOf('sentinelPassword'),
    tls: optionalGroup('TLS to Redis; `rediss://` alone trusts the system.', {
      caFile: optionalText('PEM file with the authorities to trust.'),
      certFile: optionalText('PEM file with a client certificate.'),
      keyFile: optionalText("PEM file with the client certificate's key."),
      serverName: optionalText('Name to expect in the certificate.', { defaultText: 'the host' }),
    }),
  }),
  drain: group('What happens after SIGTERM.', {
    preStopDelayMs: whole('Keep accepting for so long, with readiness red, until load balancers have noticed.', {
      default: 5000,
      min: 0,
      max: dayMs,
      unit: 'ms',
    }),
    periodMs: whole('Spread the closes over so long.', { default: 20_000, min: 0, max: dayMs, unit: 'ms' }),
    reconnect: choice(
      'When clients are told to come back: at once (4200), which suits several nodes, or after a second (4100), which suits one node that starts again.',
      ['at-once', 'after-a-second'],
      { default: 'at-once' },
    ),
  }),
  cluster: group('How nodes deal with each other through Redis.', {
    leaseMs: whole('A node silent for so long counts as dead.', {
      default: 10_000,
      min: 1000,
      max: 600_000,
      unit: 'ms',
    }),
    publishTimeoutMs: whole('A trigger not confirmed by then is answered with 503.', {
      default: 1000,
      min: 300,
      max: 60_000,
      unit: 'ms',
    }),
    subscribeTimeoutMs: whole('How long a subscribe waits for the bus.', {
      default: 300,
      min: 1,
      max: 60_000,
      unit: 'ms',
    }),
    queryTimeoutMs: whole('How long a REST read waits for the cluster; then: 503.', {
      default: 1000,
      min: 1,
      max: 60_000,
      unit: 'ms',
    }),
    readyWithoutBusAfterMs: whole('A lost bus alone keeps readiness red for at most so long. 0 = for ever.', {
      default: 60_000,
      min: 0,
      max: dayMs,
      unit: 'ms',
    }),
  }),
  presence: group('Presence channels.', {
    handoverMs: whole('A member whose socket we close at a stop may be away so long without having left. 0 = off.', {
      default: 5000,
      min: 0,
      max: 600_000,
      unit: 'ms',
    }),
  }),
  trustedProxies: texts('Addresses or networks whose `X-Forwarded-For` is believed, like `10.0.0.0/8`.', {
    default: [],
    item: z.string().refine(isAddressOrNetwork, { error: 'must be an IP address or a network like 10.0.0.0/8' }),
  }),
  log: group('Logs go to standard output.', {
    level: choice('The least important level that is written.', ['debug', 'info', 'warn', 'error'], {
      default: 'info',
    }),
    format: declare(z.enum(['json', 'pretty']).optional(), {
      kind: 'choice',
      description: '`json` = one object per line, `pretty` = for people.',
      defaultText: '`pretty` on a terminal, else `json`',
    }),
  }),
  apps: declare(list('The apps that are served.', appSchema), {
    kind: 'list',
    description: 'The apps that are served. Changes take effect within 5 s.',
    shape: appSchema.shape,
    secret: true,
  }),
  appsFile: fileOf('apps'),
})

type ParsedConfig = z.output<typeof configSchema>
export type ParsedApp = z.output<typeof appSchema>

/** One app, resolved: what the core needs of it (`AppSettings`), and its webhooks. */
export interface AppConfig extends Omit<ParsedApp, 'id' | 'key' | 'secret' | 'secretFile' | 'keys' | 'limits'> {
  readonly id: string
  /** Oldest first; never empty. */
  readonly keys: readonly { readonly key: string; readonly secret: string }[]
  readonly limits: LimitsConfig
}

/** The configuration with every default filled in, secrets read from their files, and presets replaced by figures. */
export interface Config extends Omit<ParsedConfig, 'apps' | 'appsFile' | 'log'> {
  readonly log: { readonly level: ParsedConfig['log']['level']; readonly format: 'json' | 'pretty' }
  readonly apps: readonly AppConfig[]
}

function isAddressOrNetwork(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}
