import { expect, it } from 'vitest'
import { hideAppSecrets, hideSecrets } from '../../../src/cli/hide-secrets.js'
import { Redactor } from '../../../src/observability/redact.js'
import { webhookSettings } from '../../fakes/app-settings.js'
import { appVariables, configOf } from '../config/load-fixture.js'

it.each([
  ['the secret of an app', 'a secret of some length', {}],
  ['the password of Redis', 'p4ss-of-redis', { BELFRY_REDIS_URL: 'redis://user:p4ss-of-redis@h/0' }],
  ['the password of Redis without a user', 'p4ss-of-redis', { BELFRY_REDIS_URL: 'redis://:p4ss-of-redis@h/0' }],
  ['a password as it is written', 'p4ss%2Fof%40redis', { BELFRY_REDIS_URL: 'rediss://u:p4ss%2Fof%40redis@h/0' }],
  ['a password as it is sent', 'p4ss/of@redis', { BELFRY_REDIS_URL: 'rediss://u:p4ss%2Fof%40redis@h/0' }],
  ['a password that should have been encoded', 'p4ss/of@redis%', { BELFRY_REDIS_URL: 'redis://u:p4ss/of@redis%@h/0' }],
  [
    'the password of the sentinels',
    'p4ss-of-sentinels',
    { BELFRY_REDIS_URL: 'redis://h', BELFRY_REDIS_SENTINEL_PASSWORD: 'p4ss-of-sentinels' },
  ],
])('hides %s', (_what, secret, environment) => {
  const redactor = new Redactor()
  const line = `WRONGPASS for ${secret}, said the server`
  expect(redactor.text(line)).toBe(line)
  hideSecrets(redactor, configOf({ environment: { ...appVariables, ...environment } }))
  expect(redactor.text(line)).toBe('WRONGPASS for [redacted], said the server')
})

const receiver = (url: string, headers: Record<string, string> = {}) => ({
  keys: [],
  webhooks: [webhookSettings({ url, headers })],
})

it.each([
  ["a header's value", 'tell nobody', receiver('https://a.test', { 'X-Key': 'tell nobody' })],
  ["a header's token", 'tell-nobody', receiver('https://a.test', { Authorization: 'Bearer tell-nobody' })],
  ['the user of an address', 'tell-nobody', receiver('https://tell-nobody@a.test')],
  ['the password of an address', 'tell-nobody', receiver('https://u:tell-nobody@a.test')],
  ['a password as it is written', 'tell%2Fnobody', receiver('https://u:tell%2Fnobody@a.test')],
  ['a password as it is sent', 'tell/nobody', receiver('https://u:tell%2Fnobody@a.test')],
  ['a query', 'a=1&b=2', receiver('https://a.test/hook?a=1&b=2')],
  ['a value of a query', 'tell nobody', receiver('https://a.test/hook?mode=x&key=tell%20nobody')],
])('hides %s of a webhook', (_what, secret, app) => {
  const redactor = new Redactor()
  const line = `refused ${secret}, said the receiver`
  expect(redactor.text(line)).toBe(line)
  hideAppSecrets(redactor, [app])
  expect(redactor.text(line)).toBe('refused [redacted], said the receiver')
})

it('hides what the webhooks of a configuration hold', () => {
  const redactor = new Redactor()
  const environment = { ...appVariables, BELFRY_APP_WEBHOOK_URL: 'https://tell:nobody@a.test' }
  hideSecrets(redactor, configOf({ environment }))
  expect(redactor.text('tell nobody')).toBe('[redacted] [redacted]')
})

it('leaves ordinary words of an address alone', () => {
  const redactor = new Redactor()
  hideAppSecrets(redactor, [receiver('https://a.test/hook?mode=true')])
  expect(redactor.text('POST https://a.test/hook: true')).toBe('POST https://a.test/hook: true')
})
