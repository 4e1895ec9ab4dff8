import { expect, test } from 'vitest'
import { StaticAppRegistry } from '../../../src/apps/static.js'
import { wantedTransitions } from '../../../src/core/transitions.js'
import { appSettings } from '../../fakes/app-settings.js'

const url = 'https://a.test/hook'

test('an app hears of what one of its webhooks names, as they are now', () => {
  const registry = new StaticAppRegistry([appSettings()])
  const wants = wantedTransitions(registry)
  expect(wants('3', 'member_added')).toBe(false)
  registry.replace([
    appSettings({
      webhooks: [
        { url, events: ['channel_occupied', 'client_event'] },
        { url, events: ['member_added'] },
      ],
    }),
  ])
  expect(wants('3', 'member_added')).toBe(true)
  expect(wants('3', 'channel_occupied')).toBe(true)
  expect(wants('3', 'member_removed')).toBe(false)
  expect(wants('__proto__', 'member_added')).toBe(false)
  registry.replace([appSettings({ webhooks: [{ url, events: [] }] })])
  expect(wants('3', 'member_removed')).toBe(true)
  registry.replace([])
  expect(wants('3', 'member_added')).toBe(false)
})

test('a subscription count only where the app counts subscriptions', () => {
  const webhooks = [{ url, events: ['subscription_count' as const] }]
  const registry = new StaticAppRegistry([appSettings({ webhooks })])
  const wants = wantedTransitions(registry)
  expect(wants('3', 'subscription_count')).toBe(false)
  registry.replace([appSettings({ webhooks, subscriptionCount: { enabled: true } })])
  expect(wants('3', 'subscription_count')).toBe(true)
})
