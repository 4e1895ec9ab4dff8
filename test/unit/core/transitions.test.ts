import { expect, test } from 'vitest'
import { StaticAppRegistry } from '../../../src/apps/static.js'
import type { WebhookEventName } from '../../../src/core/ports/app.js'
import { hasWebhookFor, wantedTransitions } from '../../../src/core/transitions.js'
import { appSettings, webhookSettings } from '../../fakes/app-settings.js'

test('an app hears of what one of its webhooks names, as they are now', () => {
  const registry = new StaticAppRegistry([appSettings()])
  const wants = wantedTransitions(registry)
  expect(wants('3', 'member_added')).toBe(false)
  registry.replace([
    appSettings({
      webhooks: [
        webhookSettings({ events: ['channel_occupied', 'client_event'] }),
        webhookSettings({ events: ['cache_miss'] }),
      ],
    }),
  ])
  expect(wants('3', 'channel_occupied')).toBe(true)
  expect(wants('3', 'member_added')).toBe(false)
  expect(wants('__proto__', 'member_added')).toBe(false)
  registry.replace([appSettings({ webhooks: [webhookSettings()] })])
  expect(wants('3', 'member_removed')).toBe(true)
  registry.replace([])
  expect(wants('3', 'member_added')).toBe(false)
})

test('a subscription count only where the app counts subscriptions', () => {
  const webhooks = [webhookSettings({ events: ['subscription_count'] })]
  const registry = new StaticAppRegistry([appSettings({ webhooks })])
  const wants = wantedTransitions(registry)
  expect(wants('3', 'subscription_count')).toBe(false)
  registry.replace([appSettings({ webhooks, subscriptionCount: { enabled: true } })])
  expect(wants('3', 'subscription_count')).toBe(true)
})

test.each([
  ['channel_occupied', 'channel_vacated'],
  ['channel_vacated', 'channel_occupied'],
  ['member_added', 'member_removed'],
  ['member_removed', 'member_added'],
] as const)('%s is not wanted without %s, because a leave and a return are judged together', (wanted, other) => {
  const all = ['channel_occupied', 'channel_vacated', 'member_added', 'member_removed', 'subscription_count'] as const
  const app = appSettings({
    subscriptionCount: { enabled: true },
    webhooks: [webhookSettings({ events: [wanted, 'client_event'] })],
  })
  const wants = wantedTransitions(new StaticAppRegistry([app]))
  expect(all.filter((type) => wants('3', type)).sort()).toEqual([wanted, other].sort())
})

test('an app has a webhook for what one of its addresses is sent', () => {
  const has = (name: WebhookEventName, ...events: WebhookEventName[][]) =>
    hasWebhookFor({ webhooks: events.map((some) => webhookSettings({ events: some })) }, name)
  expect(has('cache_miss')).toBe(false)
  expect(has('cache_miss', ['client_event'])).toBe(false)
  expect(has('cache_miss', ['client_event'], ['cache_miss'])).toBe(true)
  expect(has('cache_miss', [])).toBe(true)
})
