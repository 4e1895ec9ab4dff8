import { isIP } from 'node:net'
import type { RedisOptions } from 'ioredis'
import type { Clock } from '../../base/clock.js'
import type { BusCounters } from '../../core/counters.js'
import type { Logger } from '../../core/ports/logger.js'
import { Keys } from './keys.js'
import type { Script } from './link.js'

/** What `createLinks` is told. Plain values: the configuration's files are read by the caller. */
export interface LinksOptions {
  readonly mode: 'standalone' | 'sentinel' | 'cluster'
  /** `redis://USER:PASSWORD@HOST:PORT/DB` or `rediss://…`; percent-encoded. With `nodes`, host and port are not used. */
  readonly url: string
  /** Sentinels or cluster nodes, `host:port` or `[::1]:port`. */
  readonly nodes: readonly string[]
  readonly sentinelName: string | undefined
  readonly sentinelPassword: string | undefined
  readonly tls: TlsFiles | undefined
  readonly prefix: string
  readonly nodeId: string
  /** All that will be run: they are loaded whenever a connection is made, before it counts as up. */
  readonly scripts: readonly Script[]
  readonly timeouts: LinkTimeouts
  readonly clock: Clock
  readonly logger: Logger
  readonly counters: BusCounters
}

export interface LinkTimeouts {
  /** How long a subscribe waits for its confirmation, and how old an unanswered call makes a link suspect. */
  readonly subscribeMs: number
}

/** PEM texts. Given at all, they turn TLS on, also with `redis://`. */
export interface TlsFiles {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The name to expect in the certificate; the host by default. */
  readonly serverName?: string | undefined
}

export interface ProofChannel {
  readonly partition: number
  readonly channel: string
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** How to log in, whatever the server. */
export interface RedisTarget {
  /** From the URL. */
  readonly address: Address
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  readonly tls: boolean
}

const defaultPort = 6379

/** @throws Error with one sentence that does not repeat the URL, because it may hold a password */
export function parseRedisUrl(text: string): RedisTarget {
  if (!URL.canParse(text)) {
    throw new Error('redis.url is not a URL: it must look like redis://user:password@host:6379/0')
  }
  const url = new URL(text)
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new Error('redis.url must begin with redis:// or rediss://')
  }
  const path = url.pathname.replace(/^\//, '')
  if (!/^\d{0,5}$/.test(path)) throw new Error('redis.url must end with the number of a database, like /0')
  return {
    address: {
      host: url.hostname === '' ? '127.0.0.1' : url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? defaultPort : Number(url.port),
    },
    username: decoded(url.username, 'user'),
    password: decoded(url.password, 'password'),
    db: path === '' ? 0 : Number(path),
    tls: url.protocol === 'rediss:',
  }
}

/** `host:port` or `[::1]:port`. @throws Error */
export function parseAddress(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([^\s:]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || port === undefined) throw new Error(`redis.nodes: ${text} is not host:port`)
  return { host, port: Number(port) }
}

export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** A node's own channel in a partition, by which it proves the bus; no key and no topic's channel has this name. */
export function proofChannel(options: LinksOptions, partition: number): ProofChannel {
  return { partition, channel: new Keys(options.prefix).own(partition, `p:${options.nodeId}`) }
}

/** What every connection has in common. Nothing is queued, repeated or subscribed again behind our back. */
export function commonOptions(options: LinksOptions, target: RedisTarget): RedisOptions {
  return {
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
    db: target.db,
    connectionName: `belfry-${options.nodeId.replace(/[^\w.-]/g, '')}`,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    enableReadyCheck: true,
    maxLoadingRetryTime: 500,
    disableClientInfo: true,
    noDelay: true,
    keepAlive: 10_000,
    connectTimeout: 2000,
    disconnectTimeout: 200,
  }
}

/** For one server. */
export function serverOptions(options: LinksOptions, target: RedisTarget, address: Address): RedisOptions {
  return {
    ...commonOptions(options, target),
    host: address.host,
    port: address.port,
    ...tlsOptions(options, target, address.host),
  }
}

/** For the master the sentinels name. */
export function sentinelOptions(options: LinksOptions, target: RedisTarget): RedisOptions {
  if (options.nodes.length === 0) throw new Error('redis.mode sentinel needs the sentinels in redis.nodes')
  if (options.sentinelName === undefined) throw new Error('redis.mode sentinel needs redis.sentinelName')
  const { tls } = tlsOptions(options, target, undefined)
  return {
    ...commonOptions(options, target),
    // Short: a sentinel or an old master whose machine is gone must not hold up the way to the new one.
    connectTimeout: 1000,
    sentinelCommandTimeout: 1000,
    sentinels: options.nodes.map(parseAddress),
    name: options.sentinelName,
    role: 'master',
    ...(options.sentinelPassword === undefined ? {} : { sentinelPassword: options.sentinelPassword }),
    sentinelRetryStrategy: (attempt) => Math.min(50 * attempt, 250),
    sentinelReconnectStrategy: () => 1000,
    // The sentinels tell a failover; also an old master that still answers is left then.
    failoverDetector: true,
    ...(tls === undefined ? {} : { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
  }
}

function tlsOptions(options: LinksOptions, target: RedisTarget, host: string | undefined): Pick<RedisOptions, 'tls'> {
  const { tls } = options
  if (!target.tls && tls === undefined) return {}
  const name = tls?.serverName ?? (host !== undefined && isIP(host) === 0 ? host : undefined)
  return {
    tls: {
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls?.key === undefined ? {} : { key: tls.key }),
      ...(name === undefined ? {} : { servername: name }),
    },
  }
}

function decoded(text: string, what: string): string | undefined {
  if (text === '') return undefined
  let plain: string | undefined
  try {
    plain = decodeURIComponent(text)
  } catch (_invalid) {
    // Its error is not passed on: nothing here may show a part of the URL.
    plain = undefined
  }
  if (plain === undefined)
    throw new Error(`the ${what} in redis.url is not percent-encoded correctly: % is written %25`)
  return plain
}
