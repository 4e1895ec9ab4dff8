import { describe, expect, test } from 'vitest'
import {
  addressText,
  parseAddress,
  parseRedisUrl,
  proofChannel,
  sentinelOptions,
  serverOptions,
  type LinksOptions,
} from '../../../../src/backend/redis/redis-options.js'
import { BusCounters } from '../../../../src/core/counters.js'
import { ManualClock } from '../../../fakes/manual-clock.js'
import { RecordingLogger } from '../../../fakes/recording-logger.js'

function options(some: Partial<LinksOptions>): LinksOptions {
  return {
    mode: 'standalone',
    url: 'redis://127.0.0.1',
    nodes: [],
    sentinelName: undefined,
    sentinelPassword: undefined,
    tls: undefined,
    prefix: 'belfry',
    nodeId: 'a b\n1',
    scripts: [],
    timeouts: { subscribeMs: 300 },
    clock: new ManualClock(),
    logger: new RecordingLogger(),
    counters: new BusCounters(),
    ...some,
  }
}

describe('the URL', () => {
  test('everything in it', () => {
    expect(parseRedisUrl('rediss://us%40er:p%3A%2F%C3%BC@host.example:7000/3')).toEqual({
      address: { host: 'host.example', port: 7000 },
      username: 'us@er',
      password: 'p:/ü',
      db: 3,
      tls: true,
    })
  })

  test('nothing in it', () => {
    const nothing = { username: undefined, password: undefined, db: 0, tls: false }
    expect(parseRedisUrl('redis://')).toEqual({ address: { host: '127.0.0.1', port: 6379 }, ...nothing })
    expect(parseRedisUrl('redis://host/')).toEqual({ address: { host: 'host', port: 6379 }, ...nothing })
  })

  test('a password without a user, and IPv6', () => {
    expect(parseRedisUrl('redis://:secret@[::1]:6380')).toMatchObject({
      address: { host: '::1', port: 6380 },
      username: undefined,
      password: 'secret',
    })
  })

  test.each([
    '',
    'host:6379',
    'http://:secret@host',
    'redis://:secret@host/x',
    'redis://:secret@host:99999',
    'redis://:secret%@host',
    'redis://:secret%ff@host',
  ])('refused without repeating it: %s', (url) => {
    let message = ''
    try {
      parseRedisUrl(url)
    } catch (error) {
      message = String(error) + String((error as Error).cause)
    }
    expect(message).toContain('redis.url')
    expect(message).not.toContain('secret')
  })
})

describe('addresses', () => {
  test('both kinds, there and back', () => {
    for (const text of ['host:1', '10.0.0.1:6379', '[::1]:26379']) expect(addressText(parseAddress(text))).toBe(text)
    for (const text of ['host', '::1:6379', 'host:', ':6379', 'a b:1'])
      expect(() => parseAddress(text)).toThrow('redis.nodes')
  })
})

describe('options of a connection', () => {
  test('nothing is queued, repeated or subscribed again by the library', () => {
    const target = parseRedisUrl('redis://u:p@h:1/2')
    expect(serverOptions(options({}), target, target.address)).toMatchObject({
      host: 'h',
      port: 1,
      username: 'u',
      password: 'p',
      db: 2,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      autoResubscribe: false,
      connectionName: 'belfry-ab1',
    })
  })

  test('TLS by rediss:// or by files; the name is the host’s unless it is an address or configured', () => {
    const target = parseRedisUrl('rediss://host')
    expect(serverOptions(options({}), target, { host: 'host', port: 1 }).tls).toEqual({ servername: 'host' })
    expect(serverOptions(options({}), target, { host: '10.0.0.1', port: 1 }).tls).toEqual({})
    const tls = { ca: 'CA', cert: 'CERT', key: 'KEY', serverName: 'name' }
    expect(serverOptions(options({ tls }), parseRedisUrl('redis://host'), { host: 'host', port: 1 }).tls).toEqual({
      ca: 'CA',
      cert: 'CERT',
      key: 'KEY',
      servername: 'name',
    })
    expect(serverOptions(options({}), parseRedisUrl('redis://host'), { host: 'host', port: 1 }).tls).toBeUndefined()
  })

  test('sentinels', () => {
    const target = parseRedisUrl('rediss://:p@ignored')
    const sentinel = options({ nodes: ['a:1', 'b:2'], sentinelName: 'main', sentinelPassword: 's' })
    expect(sentinelOptions(sentinel, target)).toMatchObject({
      sentinels: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
      name: 'main',
      role: 'master',
      password: 'p',
      sentinelPassword: 's',
      enableTLSForSentinelMode: true,
      sentinelTLS: {},
    })
    expect(() => sentinelOptions(options({ sentinelName: 'main' }), target)).toThrow('redis.nodes')
    expect(() => sentinelOptions(options({ nodes: ['a:1'] }), target)).toThrow('redis.sentinelName')
  })

  test('the proof channel is in the partition', () => {
    expect(proofChannel(options({ nodeId: 'n1' }), 3)).toEqual({ partition: 3, channel: 'belfry:1:{03as}:p:n1' })
  })
})
