import { describe, expect, it } from 'vitest'
import type { RawClient } from '../../harness/raw-client.js'
import { credentials } from '../../harness/test-server.js'
import { eventText, unsubscribe } from './expecting.js'
import { sharedServer } from './shared-server.js'

describe('published events (2.1)', () => {
  const server = sharedServer()

  it.each([
    ['a plain string', 'hello'],
    ['the empty string', ''],
    ['JSON, not re-serialised', '{ "b" : 1.0, "a":12345678901234567890, "a":2 }'],
    ['a JSON string in a string', '"hi"'],
    ['broken JSON', '{"a":'],
    ['quotes, backslashes and control characters', '"\\\n\r\t\u0000\u001f\u007f'],
    ['unicode', 'ü Ω 😀 \u2028\u2029'],
    ['a lone surrogate, escaped as it came', 'x\ud800y'],
  ])('pass on %s, as a string', async (_what, data) => {
    const clients = [await server().connect(), await server().connect()]
    for (const client of clients) await client.subscribe('news')
    await server().trigger('news', 'e', data)
    for (const client of clients) {
      expect((await client.next()).text).toBe(eventText('e', 'news', data))
      client.close()
    }
  })

  it.each([
    ['a number', '1.10', '1.10'],
    ['an object', '{ "b":1.0, "a" : [1] }', '{ "b":1.0, "a" : [1] }'],
    ['null', 'null', 'null'],
    ['false', 'false', 'false'],
  ])('data that is no string, %s: the exact text of the body (4.3)', async (_what, written, expected) => {
    const client = await server().connect()
    await client.subscribe('news')
    const answer = await server().post('events', `{"name":"e","data": ${written} ,"channel":"news"}`)
    expect([answer.status, answer.text]).toEqual([200, '{}'])
    const batch = await server().post('batch_events', `{"batch":[{"data":${written},"name":"f","channel":"news"}]}`)
    expect([batch.status, batch.text]).toEqual([200, '{}'])
    expect((await client.next()).text).toBe(eventText('e', 'news', expected))
    expect((await client.next()).text).toBe(eventText('f', 'news', expected))
    client.close()
  })

  it('any name is passed on as it is', async () => {
    const client = await server().connect()
    await client.subscribe('news')
    for (const name of ['client-from-server', '"ü"\\', 'App\\Events\\Order', 'pusher', 'x'.repeat(200)]) {
      await server().trigger('news', name, 'd')
      expect((await client.next()).text).toBe(eventText(name, 'news', 'd'))
    }
    client.close()
  })

  it('several channels: one frame for each subscription, duplicates once', async () => {
    const client = await server().connect()
    const [both, one] = [client, await server().connect()]
    for (const channel of ['a', 'b']) await both.subscribe(channel)
    await one.subscribe('b')
    await server().post('events', { name: 'e', data: 'd', channels: ['a', 'b', 'a', 'c'] })
    expect((await both.next()).text).toBe(eventText('e', 'a', 'd'))
    expect((await both.next()).text).toBe(eventText('e', 'b', 'd'))
    expect((await one.next()).text).toBe(eventText('e', 'b', 'd'))
    for (const each of [both, one]) {
      await each.expectNothing()
      each.close()
    }
  })

  it('socket_id leaves out that connection, on all the channels; an unknown one nobody', async () => {
    const [excluded, other] = [await server().connect(), await server().connect()]
    for (const client of [excluded, other]) {
      await client.subscribe('news')
      await client.subscribePrivate('private-news', credentials)
    }
    const body = { name: 'e', data: 'd', channels: ['news', 'private-news'] }
    expect((await server().post('events', { ...body, socket_id: excluded.socketId })).text).toBe('{}')
    await excluded.expectNothing()
    for (const channel of body.channels) expect((await other.next()).text).toBe(eventText('e', channel, 'd'))
    for (const socketId of ['1.1', null]) {
      expect((await server().post('events', { ...body, socket_id: socketId })).text).toBe('{}')
      for (const client of [excluded, other]) {
        for (const channel of body.channels) expect((await client.next()).text).toBe(eventText('e', channel, 'd'))
      }
    }
    for (const client of [excluded, other]) client.close()
  })

  it('a socket_id that has gone, or is not subscribed, excludes nobody', async () => {
    const [gone, idle, client] = [await server().connect(), await server().connect(), await server().connect()]
    await client.subscribe('news')
    gone.close()
    await gone.waitForClose()
    for (const each of [gone, idle]) {
      await server().trigger('news', 'e', 'd', each.socketId)
      await client.next('e')
    }
    await idle.expectNothing()
    for (const each of [idle, client]) each.close()
  })

  it('an event on a channel reaches its subscribers only', async () => {
    const [one, two] = [await server().connect(), await server().connect()]
    await one.subscribe('near')
    await two.subscribe('near-by')
    await server().trigger('near', 'e', 'd')
    await one.next('e')
    await two.expectNothing()
    await unsubscribe(one, 'near')
    await server().trigger('near', 'e', 'd')
    for (const client of [one, two]) {
      await client.expectNothing()
      client.close()
    }
  })

  it('one publisher: in order, each once', async () => {
    const clients: RawClient[] = [await server().connect(), await server().connect()]
    for (const client of clients) await client.subscribe('order')
    for (let index = 0; index < 50; index += 1) await server().trigger('order', 'n', String(index))
    for (const client of clients) {
      for (let index = 0; index < 50; index += 1) expect((await client.next('n')).data).toBe(String(index))
      await client.expectNothing()
      client.close()
    }
  })
})

describe('batches (4.4)', () => {
  const server = sharedServer()

  it('deliver in array order, each with its own socket_id and channel', async () => {
    const client = await server().connect()
    for (const channel of ['a', 'b', '__proto__']) await client.subscribe(channel)
    const batch = [
      { channel: 'a', name: '1', data: 'd' },
      { channel: 'b', name: '2', data: 'd', socket_id: null },
      { channel: 'a', name: '3', data: 'd', socket_id: client.socketId },
      { channel: '__proto__', name: '4', data: 'd' },
      { channel: 'a', name: '5', data: 'd', socket_id: '1.1' },
    ]
    expect((await server().post('batch_events', { batch })).text).toBe('{}')
    for (const [name, channel] of [
      ['1', 'a'],
      ['2', 'b'],
      ['4', '__proto__'],
      ['5', 'a'],
    ] as const) {
      expect((await client.next()).text).toBe(eventText(name, channel, 'd'))
    }
    await client.expectNothing()
    client.close()
  })

  it.each([
    ['a bad name', { channel: 'a', name: '', data: 'd' }, 400],
    ['no channel', { name: 'e', data: 'd' }, 400],
    ['channels in place of channel', { channels: ['a'], name: 'e', data: 'd' }, 400],
    ['a bad channel', { channel: 'a b', name: 'e', data: 'd' }, 400],
    ['no data', { channel: 'a', name: 'e' }, 400],
    ['data too large', { channel: 'a', name: 'e', data: 'x'.repeat(102_401) }, 413],
    ['a bad socket_id', { channel: 'a', name: 'e', data: 'd', socket_id: 'x' }, 400],
    ['a reserved name', { channel: 'a', name: 'pusher:e', data: 'd' }, 400],
    ['no object', 'e', 400],
  ])('are all or nothing: %s in the last event', async (_what, bad, status) => {
    const client = await server().connect()
    await client.subscribe('a')
    const answer = await server().post('batch_events', { batch: [{ channel: 'a', name: 'e', data: 'd' }, bad] })
    expect(answer.status).toBe(status)
    expect(answer.text).toMatch(/\n$/)
    await client.expectNothing()
    client.close()
  })
})
