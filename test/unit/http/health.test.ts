import { describe, expect, it } from 'vitest'
import { busReadiness, healthReply, type HealthPort } from '../../../src/http/health.js'

const ready = { ready: true }
const notReady = { ready: false, reason: 'draining' }
const ports: HealthPort[] = ['public', 'metrics']

describe.each(ports)('on the %s port', (port) => {
  it('/live never depends on readiness', () => {
    expect(healthReply('/live', ready, port)).toMatchObject({ status: 200 })
    expect(healthReply('/live', notReady, port)).toMatchObject({ status: 200 })
  })

  it.each(['/ready', '/up', '/health'])('%s tells readiness', (path) => {
    expect(healthReply(path, ready, port)).toEqual({
      status: 200,
      body: 'OK',
      contentType: 'text/plain; charset=utf-8',
    })
    expect(healthReply(path, notReady, port)).toMatchObject({ status: 503, body: 'Not ready: draining\n' })
    expect(healthReply(path, { ready: false }, port)).toMatchObject({ status: 503 })
  })

  it('ready without a proven bus says so in a header', () => {
    expect(healthReply('/ready', { ready: true, degraded: 'bus' }, port)).toMatchObject({
      status: 200,
      headers: { 'X-Belfry-Degraded': 'bus' },
    })
  })

  it.each(['/metrics', '/readyz', '/live/', '/LIVE', '/timeline', '/apps/3/events'])(
    '%s is none of its paths',
    (path) => {
      expect(healthReply(path, ready, port)).toBeUndefined()
    },
  )
})

it.each([
  [undefined, 60_000, { ready: true }],
  [0, 60_000, { ready: false, reason: 'bus' }],
  [59_999, 60_000, { ready: false, reason: 'bus' }],
  [60_000, 60_000, { ready: true, degraded: 'bus' }],
  [1e9, 0, { ready: false, reason: 'bus' }],
] as const)('a bus that is down for %s ms, with ready after %s', (downMs, readyAfterMs, readiness) => {
  expect(busReadiness(downMs, readyAfterMs)).toEqual(readiness)
})

describe('only on the public port', () => {
  it.each([
    ['/', { status: 200, body: 'OK' }],
    ['', { status: 200, body: 'OK' }],
    ['/accept-traffic', { status: 503 }],
    ['/timeline/v2/xhr/2', { status: 200, body: '{}', headers: { 'Access-Control-Allow-Origin': '*' } }],
    ['/timeline/v2/jsonp/1', { status: 200, body: '{}' }],
  ])('%s', (path, expected) => {
    expect(healthReply(path, notReady, 'public')).toMatchObject(expected)
    expect(healthReply(path, notReady, 'metrics')).toBeUndefined()
  })
})
