import { expect, it } from 'vitest'
import { hideSecrets } from '../../../src/cli/serve.js'
import { Redactor } from '../../../src/observability/redact.js'
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
