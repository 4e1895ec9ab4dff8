import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { effectiveConfigText } from '../../../src/config/effective-text.js'
import type { Config } from '../../../src/config/schema.js'
import { webhookSettings } from '../../fakes/app-settings.js'
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
          ...webhookSettings(),
          events: ['cache_miss'],
          url: 'https://user:tell-nobody@a.test/hook?key=tell-nobody',
          headers: { 'X-Tell-Nobody': 'tell-nobody' },
        },
      ],
    })),
  }
  const text = effectiveConfigText(full)
  expect(text).toContain('https://…@a.test/hook?…\n')
  expect(text.toLowerCase()).not.toContain('tell-nobody')
})
