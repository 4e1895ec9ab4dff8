import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { effectiveConfigText } from '../../../src/config/effective-text.js'
import type { Config } from '../../../src/config/schema.js'
import { configOf } from './load-fixture.js'

const config = configOf({
  files: {
    'belfry.yaml': `
tls: { certFile: c.pem, keyFile: k.pem, passphrase: tell-nobody-1 }
apps:
  - { id: a, key: ka, secret: tell-nobody-2-and-long }
  - { id: b, keys: [{ key: kb, secret: tell-nobody-3-and-long }] }
`,
  },
})

it('shows every value in effect', () => {
  expect(parse(effectiveConfigText(config))).toMatchObject({
    port: 6001,
    cluster: { leaseMs: 10000 },
    tls: { certFile: 'c.pem', keyFile: 'k.pem', passphrase: '(hidden)' },
    apps: [
      { id: 'a', keys: [{ key: 'ka', secret: '(hidden)' }], limits: { eventBytes: 102400 } },
      { id: 'b', keys: [{ key: 'kb', secret: '(hidden)' }] },
    ],
  })
})

it('shows no secret, wherever it stands', () => {
  const full: Config = {
    ...config,
    redis: {
      url: 'redis://u:tell-nobody@h',
      prefix: 'belfry',
      mode: 'standalone',
      nodes: [],
      sentinelPassword: 'tell-nobody',
    },
    apps: config.apps.map((app) => ({
      ...app,
      webhooks: [
        {
          url: 'https://user:tell-nobody@a.test',
          events: ['cache_miss'],
          channelPrefix: '',
          channelSuffix: '',
          headers: { Authorization: 'tell-nobody' },
          batch: { enabled: true, windowMs: 50, max: 100 },
          timeoutMs: 1,
          retryForMs: 1,
          leaveDelayMs: 1,
          allowPrivateNetwork: false,
        },
      ],
    })),
  }
  const text = effectiveConfigText(full)
  expect(text).toContain('https://…@a.test')
  expect(text).not.toContain('tell-nobody')
})
