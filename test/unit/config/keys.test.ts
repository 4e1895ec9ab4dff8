import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { factsOf, type Shape } from '../../../src/config/declare.js'
import { keyByEnv, keyByFlag, keys, pathText } from '../../../src/config/keys.js'
import { configSchema } from '../../../src/config/schema.js'

/** Every declared key with its path, elements of lists included. */
function declared(shape: Shape, path = ''): { path: string; schema: z.ZodType; siblings: Shape }[] {
  return Object.entries(shape).flatMap(([name, schema]) => {
    const inner = factsOf(schema).shape
    const own = { path: `${path}${name}`, schema, siblings: shape }
    return inner === undefined ? [own] : [own, ...declared(inner, `${path}${name}.`)]
  })
}

describe('the declared tree', () => {
  const all = declared(configSchema.shape)

  it('describes every key in a sentence', () => {
    const wrong = all.filter(({ schema }) => !/^[A-Z0-9`].*\.$/s.test(factsOf(schema).description))
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  it('has a file twin for every secret', () => {
    const without = all.filter(({ path, schema, siblings }) => {
      const twin = siblings[`${path.split('.').at(-1)}File`]
      return factsOf(schema).secret === true && twin === undefined
    })
    expect(without.map(({ path }) => path)).toEqual([])
    expect(all.filter(({ schema }) => factsOf(schema).secret === true).map(({ path }) => path)).toEqual([
      'tls.passphrase',
      'redis.url',
      'redis.sentinelPassword',
      'apps',
      'apps.secret',
      'apps.keys.secret',
      'apps.webhooks.headers',
    ])
  })
})

describe('variables and flags', () => {
  it.each([
    ['port', 'BELFRY_PORT', 'port'],
    ['metrics.soketiNames', 'BELFRY_METRICS_SOKETI_NAMES', 'metrics-soketi-names'],
    ['cluster.publishTimeoutMs', 'BELFRY_CLUSTER_PUBLISH_TIMEOUT_MS', 'cluster-publish-timeout-ms'],
    ['http.cors.origins', 'BELFRY_HTTP_CORS_ORIGINS', 'http-cors-origins'],
    ['tls.passphraseFile', 'BELFRY_TLS_PASSPHRASE_FILE', 'tls-passphrase-file'],
    ['apps', 'BELFRY_APPS', 'apps'],
  ])('of %s are %s and --%s', (path, env, flag) => {
    expect(keyByEnv.get(env)).toBe(keyByFlag.get(flag))
    expect(pathText(keyByEnv.get(env)!.path)).toBe(path)
  })

  it.each([
    ['id', 'BELFRY_APP_ID', 'app-id'],
    ['secretFile', 'BELFRY_APP_SECRET_FILE', 'app-secret-file'],
    ['limits', 'BELFRY_APP_LIMITS', 'app-limits'],
    ['limits.eventBytes', 'BELFRY_APP_LIMITS_EVENT_BYTES', 'app-limits-event-bytes'],
    ['subscriptionCount.enabled', 'BELFRY_APP_SUBSCRIPTION_COUNT_ENABLED', 'app-subscription-count-enabled'],
    ['webhooks[0].url', 'BELFRY_APP_WEBHOOK_URL', 'app-webhook-url'],
  ])('of an app, %s, are %s and --%s', (path, env, flag) => {
    const key = keyByEnv.get(env)!
    expect(key).toBe(keyByFlag.get(flag))
    expect([key.scope, pathText(key.path)]).toEqual(['app', path])
  })

  it('belong to one key each', () => {
    expect([keyByEnv.size, keyByFlag.size]).toEqual([keys.length, keys.length])
  })
})
