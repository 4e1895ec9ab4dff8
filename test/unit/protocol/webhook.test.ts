import Pusher from 'pusher'
import { describe, expect, it } from 'vitest'
import { HmacKey } from '../../../src/protocol/signature.js'
import { webhookBody, webhookEventJson, type WebhookEvent } from '../../../src/protocol/webhook.js'
import { appKey as key, appSecret as secret } from '../../fakes/app-settings.js'

const library = new Pusher({ appId: '3', key, secret, host: 'localhost' })

/** The library's webhook of a request with this body, signed as we sign. */
function received(body: string, contentType = 'application/json'): Pusher.WebHook {
  const headers = {
    'content-type': contentType,
    'x-pusher-key': key,
    'x-pusher-signature': new HmacKey(secret).sign(body),
  }
  return library.webhook({ headers, rawBody: body })
}

describe('the vector of section 5', () => {
  const body = '{"time_ms":1327078148132,"events":[{"name":"channel_occupied","channel":"my-channel"}]}'

  it('is signed as the specification says', () => {
    expect(new HmacKey(secret).sign(body)).toBe('c19001ae3963ccb13bf618e5b16ba9848e7e74df0993aa0689168e341c6833cf')
  })

  it('is what we make of that event, but for our id', () => {
    const event = webhookEventJson({ name: 'channel_occupied', channel: 'my-channel' }, '0-1327078148132-1')
    expect(webhookBody(1327078148132, [event]).replace(',"id":"0-1327078148132-1"', '')).toBe(body)
  })

  it('the library verifies it, with the content type of trap 14 and with no other', () => {
    const webhook = received(body)
    expect(webhook.isValid()).toBe(true)
    expect(webhook.getTime()).toEqual(new Date(1327078148132))
    expect(webhook.getEvents()).toEqual([{ name: 'channel_occupied', channel: 'my-channel' }])
    expect(received(body, 'application/json; charset=utf-8').isValid()).toBe(false)
  })
})

describe('an event as JSON', () => {
  const clientEvent = { name: 'client_event', channel: 'private-a', event: 'client-b', socketId: '12.34' } as const
  const cases: [WebhookEvent, string][] = [
    [{ name: 'channel_occupied', channel: 'a' }, '{"name":"channel_occupied","channel":"a","id":"7-1-2"}'],
    [{ name: 'channel_vacated', channel: 'a' }, '{"name":"channel_vacated","channel":"a","id":"7-1-2"}'],
    [{ name: 'cache_miss', channel: 'cache-a' }, '{"name":"cache_miss","channel":"cache-a","id":"7-1-2"}'],
    [
      { name: 'member_added', channel: 'presence-a', userId: 'ü"1\\' },
      '{"name":"member_added","channel":"presence-a","user_id":"ü\\"1\\\\","id":"7-1-2"}',
    ],
    [
      { name: 'member_removed', channel: 'presence-a', userId: '1' },
      '{"name":"member_removed","channel":"presence-a","user_id":"1","id":"7-1-2"}',
    ],
    [
      { name: 'subscription_count', channel: 'a', count: 0 },
      '{"name":"subscription_count","channel":"a","subscription_count":0,"id":"7-1-2"}',
    ],
    [
      { ...clientEvent, dataLiteral: '"{\\"x\\":1}"', userId: undefined },
      '{"name":"client_event","channel":"private-a","event":"client-b","data":"{\\"x\\":1}","socket_id":"12.34","id":"7-1-2"}',
    ],
    [
      { ...clientEvent, channel: 'presence-a', dataLiteral: '"\\ud800"', userId: 'ann' },
      '{"name":"client_event","channel":"presence-a","event":"client-b","data":"\\ud800","socket_id":"12.34","user_id":"ann","id":"7-1-2"}',
    ],
  ]

  it.each(cases)('%j', (event, json) => {
    expect(webhookEventJson(event, '7-1-2')).toBe(json)
    expect(JSON.parse(json)).toMatchObject({ name: event.name, channel: event.channel, id: '7-1-2' })
  })

  it('an id that needs escaping is escaped', () => {
    const json = webhookEventJson({ name: 'channel_occupied', channel: 'a' }, 'n"-1')
    expect(JSON.parse(json)).toEqual({ name: 'channel_occupied', channel: 'a', id: 'n"-1' })
  })
})

describe('a body', () => {
  it('has the events in their order and a whole number of milliseconds, and the library reads it', () => {
    const events = ['a', 'ü', '🔔\u2028'].map((channel, index) =>
      webhookEventJson({ name: 'channel_occupied', channel }, `0-1-${index}`),
    )
    const webhook = received(webhookBody(1_700_000_000_000.75, events))
    expect(webhook.isValid()).toBe(true)
    expect(webhook.getTime().getTime()).toBe(1_700_000_000_000)
    expect(webhook.getEvents()).toEqual([
      { name: 'channel_occupied', channel: 'a', id: '0-1-0' },
      { name: 'channel_occupied', channel: 'ü', id: '0-1-1' },
      { name: 'channel_occupied', channel: '🔔\u2028', id: '0-1-2' },
    ])
  })
})
