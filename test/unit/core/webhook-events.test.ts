import { describe, expect, test } from 'vitest'
import type { WebhookEventName } from '../../../src/core/ports/app.js'
import { appSettings, webhookSettings } from '../../fakes/app-settings.js'
import { names, NodeFixture, settle } from './node-fixture.js'

/** A node whose app has one webhook for these events; without any name, for all. */
function withWebhook(...events: WebhookEventName[]): Promise<NodeFixture> {
  return NodeFixture.start({
    apps: [
      appSettings({ webhooks: [webhookSettings({ events })], clientEvents: { enabled: true, perSecond: 2 } }),
      appSettings({ id: '4', keys: [{ key: 'key-4', secret: 'a secret of some length' }] }),
    ],
  })
}

describe('client events', () => {
  test('are handed over as they were sent, with the user of a presence channel', async () => {
    const fixture = await withWebhook()
    const ann = await fixture.member('presence-a', 'ann')
    ann.sendText('{"event":"client-e","channel":"presence-a","data":{"a": 1.0},"user_id":"forged"}')
    const bob = await fixture.subscribed('private-a')
    bob.send({ event: 'client-f', channel: 'private-a', data: 'x"' })
    expect(fixture.webhooks.clientEvents).toEqual([
      {
        appId: '3',
        channel: 'presence-a',
        event: 'client-e',
        dataLiteral: '"{\\"a\\": 1.0}"',
        socketId: ann.id,
        userId: 'ann',
      },
      {
        appId: '3',
        channel: 'private-a',
        event: 'client-f',
        dataLiteral: '"x\\""',
        socketId: bob.id,
        userId: undefined,
      },
    ])
  })

  test('that are refused are not', async () => {
    const fixture = await withWebhook()
    const client = await fixture.subscribed('private-a', 'news')
    client.send({ event: 'client-e', channel: 'news', data: '' })
    client.send({ event: 'client-e', channel: 'private-b', data: '' })
    for (const data of ['1', '2', 'too many']) client.send({ event: 'client-e', channel: 'private-a', data })
    expect(fixture.webhooks.clientEvents.map(({ dataLiteral }) => dataLiteral)).toEqual(['"1"', '"2"'])
  })

  test('of an app without webhooks are not, until it has one', async () => {
    const fixture = await NodeFixture.start()
    const client = await fixture.subscribed('private-a')
    client.send({ event: 'client-e', channel: 'private-a', data: '1' })
    expect(fixture.webhooks.clientEvents).toEqual([])
    fixture.registry.replace([appSettings({ webhooks: [webhookSettings()] })])
    client.send({ event: 'client-e', channel: 'private-a', data: '2' })
    expect(fixture.webhooks.clientEvents).toHaveLength(1)
  })
})

describe('cache misses', () => {
  const missed = `${names.miss} {}`
  const succeeded = `${names.succeeded} {}`

  test('are told when the client was told that there is no event', async () => {
    const fixture = await withWebhook('cache_miss')
    await fixture.subscribed('news', 'private-cache-a', 'cache-b')
    expect(fixture.webhooks.cacheMisses).toEqual(['3/private-cache-a', '3/cache-b'])
    await fixture.publish('cache-c', 'kept')
    await fixture.subscribed('cache-c')
    expect(fixture.webhooks.cacheMisses).toHaveLength(2)
  })

  test('are told by the one who may, without a client that waits for it', async () => {
    const fixture = await withWebhook('cache_miss')
    fixture.backend.hold('cache.claimMiss')
    const [ann, bob] = [fixture.connect(), fixture.connect()]
    for (const client of [ann, bob]) {
      client.take()
      client.subscribe('cache-a')
    }
    await settle()
    expect(ann.takeTexts()).toEqual([succeeded, missed])
    expect(bob.takeTexts()).toEqual([succeeded, missed])
    expect(fixture.webhooks.cacheMisses).toEqual([])
    fixture.backend.release('cache.claimMiss')
    await settle()
    expect(fixture.webhooks.cacheMisses).toEqual(['3/cache-a'])
  })

  test('are not asked about for an app that wants to hear of other things', async () => {
    const fixture = await withWebhook('client_event', 'channel_occupied')
    const client = await fixture.subscribed('cache-a')
    expect(client.received.map(({ event }) => event)).toContain(names.miss)
    expect(fixture.backend.callsOf('cache.claimMiss')).toEqual([])
  })

  test('are none while nobody can say whether there is an event', async () => {
    const fixture = await withWebhook('cache_miss')
    fixture.backend.fail('cache.get', 'down')
    const client = fixture.connect()
    client.take()
    client.subscribe('cache-a')
    await settle()
    expect(client.takeTexts()).toEqual([succeeded, missed])
    expect(fixture.backend.callsOf('cache.claimMiss')).toEqual([])
    expect(fixture.webhooks.cacheMisses).toEqual([])
  })

  test.each([
    ['down', []],
    ['reject', ['A cache miss could not be told']],
    ['throw', ['A cache miss could not be told']],
  ] as const)('cost the client nothing when the store answers with %s', async (how, messages) => {
    const fixture = await withWebhook('cache_miss')
    fixture.backend.fail('cache.claimMiss', how)
    const client = fixture.connect()
    client.take()
    client.subscribe('cache-a')
    await settle()
    expect(client.takeTexts()).toEqual([succeeded, missed])
    expect(client.socket.open).toBe(true)
    expect(fixture.webhooks.cacheMisses).toEqual([])
    expect(fixture.logger.messages).toEqual(messages)
  })

  test('that are still asked about hold back the end', async () => {
    const fixture = await withWebhook('cache_miss')
    fixture.backend.hold('cache.claimMiss')
    await fixture.subscribed('cache-a')
    let isOver = false
    const stopped = fixture.node.stop().then(() => {
      isOver = true
    })
    await settle()
    expect(isOver).toBe(false)
    fixture.backend.release('cache.claimMiss')
    await stopped
    expect(fixture.webhooks.cacheMisses).toEqual(['3/cache-a'])
  })
})
