import { describe, expect, it } from 'vitest'
import { soketiVariables } from '../docs/other-servers.js'
import { configOf, errorsOf, load, loaded } from './load-fixture.js'

const soketi = {
  SOKETI_DEFAULT_APP_ID: 'app-id',
  SOKETI_DEFAULT_APP_KEY: 'app-key',
  SOKETI_DEFAULT_APP_SECRET: 'a secret for soketi',
}

describe("soketi's Redis", () => {
  const redis = { ...soketi, SOKETI_ADAPTER_DRIVER: 'redis' }

  it('may be behind sentinels', () => {
    const environment = {
      ...redis,
      SOKETI_DB_REDIS_SENTINELS: '[{"host":"10.0.0.1","port":26379},{"host":"10.0.0.2","port":"26379"}]',
      SOKETI_DB_REDIS_INSTANCE_NAME: 'live',
      SOKETI_DB_REDIS_SENTINEL_PASSWORD: 'a sentinel password',
      SOKETI_DB_REDIS_PASSWORD: 'p@ss',
      SOKETI_ADAPTER_REDIS_PREFIX: 'live:',
      SOKETI_DB_REDIS_KEY_PREFIX: 'other:',
      SOKETI_ADAPTER_REDIS_REQUESTS_TIMEOUT: '4000',
    }
    const { redis: ours, cluster } = configOf({ environment })
    expect(ours).toEqual({
      url: 'redis://:p%40ss@127.0.0.1:6379/0',
      prefix: 'live:',
      mode: 'sentinel',
      nodes: ['10.0.0.1:26379', '10.0.0.2:26379'],
      sentinelName: 'live',
      sentinelPassword: 'a sentinel password',
    })
    expect(cluster.queryTimeoutMs).toBe(4000)
  })

  it('may be a cluster', () => {
    const environment = {
      ...redis,
      SOKETI_ADAPTER_REDIS_CLUSTER_MODE: 'true',
      SOKETI_DB_REDIS_CLUSTER_NODES: '[{"host":"r1","port":7000}]',
    }
    expect(configOf({ environment }).redis).toMatchObject({ mode: 'cluster', nodes: ['r1:7000'] })
  })

  it.each(['{"host":"a"}', '[{"host":"a"}]', 'tell-nobody'])('refuses the nodes %s', (value) => {
    expect(errorsOf({ environment: { ...redis, SOKETI_DB_REDIS_SENTINELS: value } })[0]).toBe(
      'SOKETI_DB_REDIS_SENTINELS is no JSON list like [{"host":"10.0.0.1","port":6379}]: correct it.',
    )
  })

  it.each([
    ['SOKETI_ADAPTER_DRIVER', 'nats', 'nodes of Belfry meet only in Redis'],
    ['SOKETI_APP_MANAGER_DRIVER', 'mysql', 'Belfry asks no database for apps'],
    ['SOKETI_MODE', 'worker', 'every process of Belfry serves clients'],
  ])('%s=%s is told to mean something else', (name, value, text) => {
    const { notes } = loaded({ environment: { ...soketi, [name]: value } })
    expect(notes.at(-1)).toMatchObject({
      level: 'warn',
      message: expect.stringContaining(`${name} is ignored: ${text}`) as string,
    })
  })
})

describe("soketi's metrics and batches", () => {
  it('come along', () => {
    const environment = {
      ...soketi,
      SOKETI_METRICS_HOST: '0.0.0.0',
      SOKETI_METRICS_PROMETHEUS_PREFIX: 'soketi_',
      SOKETI_DEFAULT_APP_WEBHOOKS: '[{"url":"https://a.test","event_types":["cache_miss"]}]',
      SOKETI_WEBHOOKS_BATCHING: '1',
      SOKETI_WEBHOOKS_BATCHING_DURATION: '200',
    }
    const { config, notes } = loaded({ environment })
    expect(config.metrics).toMatchObject({ host: '0.0.0.0', soketiNames: true })
    expect(config.apps[0]?.webhooks[0]?.batch).toEqual({ enabled: true, windowMs: 200, max: 100 })
    expect(notes.filter(({ level }) => level === 'warn')).toEqual([])
    const off = configOf({ environment: { ...environment, SOKETI_WEBHOOKS_BATCHING: 'false' } })
    expect(off.apps[0]?.webhooks[0]?.batch.enabled).toBe(false)
    expect(configOf({ environment: { ...soketi, SOKETI_METRICS_PROMETHEUS_PREFIX: 'ws_' } }).metrics.soketiNames).toBe(
      false,
    )
  })
})

describe("Reverb's further variables", () => {
  const environment = { REVERB_APP_ID: '1', REVERB_APP_KEY: 'k', REVERB_APP_SECRET: 'a secret for reverb' }

  it('of sizes, channel and client events are taken over', () => {
    const config = configOf({
      environment: {
        ...environment,
        REVERB_MAX_REQUEST_SIZE: '500000',
        REVERB_APP_MAX_MESSAGE_SIZE: '200000',
        REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM: 'none',
        REVERB_SCALING_ENABLED: 'true',
        REVERB_SCALING_CHANNEL: 'reverb-live',
      },
    })
    expect(config).toMatchObject({
      http: { bodyBytes: 500_000 },
      websocket: { messageBytes: 200_000 },
      redis: { prefix: 'reverb-live' },
      apps: [{ clientEvents: { enabled: false } }],
    })
    for (const from of ['all', 'members']) {
      const { apps } = configOf({ environment: { ...environment, REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM: from } })
      expect(apps[0]?.clientEvents.enabled).toBe(true)
    }
  })

  it('without a counterpart are named in one warning', () => {
    const ignored = {
      REVERB_APP_PING_INTERVAL: '60',
      REVERB_APP_RATE_LIMITING_ENABLED: 'true',
      REVERB_PULSE_INGEST_INTERVAL: '15',
    }
    expect(loaded({ environment: { ...environment, ...ignored } }).notes.at(-1)).toEqual({
      level: 'warn',
      message:
        'These variables of Reverb have no meaning here and are ignored: REVERB_APP_PING_INTERVAL, REVERB_APP_RATE_LIMITING_ENABLED, REVERB_PULSE_INGEST_INTERVAL.',
    })
  })
})

describe('every variable of soketi', () => {
  const credentialNames = new Set(Object.keys(soketi))
  const chosen = {
    SOKETI_ADAPTER_DRIVER: 'redis',
    SOKETI_DB_REDIS_SENTINELS: '[{"host":"a","port":1}]',
    SOKETI_DB_REDIS_PASSWORD: 'p',
  }
  const values: Readonly<Record<string, string>> = {
    ...chosen,
    SOKETI_DEBUG: '1',
    SOKETI_DEFAULT_APP_WEBHOOKS: '[{"url":"https://a.test","event_types":["cache_miss"]}]',
  }
  /** What is told and what is in effect. */
  const outcomeOf = (environment: Record<string, string>) => {
    const outcome = load({ environment })
    if (!outcome.ok) return { told: outcome.errors.join(), effect: '' }
    return { told: outcome.notes.map(({ message }) => message).join(), effect: JSON.stringify(outcome.config) }
  }

  it.each(soketiVariables.filter((name) => !credentialNames.has(name)))('%s changes something, or is named', (name) => {
    const all: Record<string, string> = { ...soketi, ...(name.includes('REDIS') ? chosen : {}) }
    const beside = Object.fromEntries(Object.entries(all).filter(([other]) => other !== name))
    const { told, effect } = outcomeOf({ ...beside, [name]: values[name] ?? '7' })
    expect(told.includes(name) || effect !== outcomeOf(beside).effect).toBe(true)
  })
})
