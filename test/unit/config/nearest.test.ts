import { expect, it } from 'vitest'
import { nearestName } from '../../../src/config/nearest.js'

const known = ['start', 'check', 'trigger', 'healthcheck', 'BELFRY_METRICS_PORT', 'BELFRY_PORT']

it.each([
  ['strat', 'start'],
  ['triger', 'trigger'],
  ['Check', 'check'],
  ['healthcheckk', 'healthcheck'],
  ['BELFRY_METRIC_PORT', 'BELFRY_METRICS_PORT'],
  ['BELFRY_PROT', 'BELFRY_PORT'],
  ['zzzzzz', undefined],
  ['', undefined],
  ['x'.repeat(5000), undefined],
])('%j is meant to be %j', (name, nearest) => {
  expect(nearestName(name, known)).toBe(nearest)
})

it('prefers the closest', () => {
  expect(nearestName('port', ['host', 'part', 'post', 'port'])).toBe('port')
})
