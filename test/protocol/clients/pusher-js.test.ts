import { describe, expect, it } from 'vitest'
import { ann, bea, hear, hearErrors, join, sharedApplication } from './application.js'
import { Heard } from './heard.js'

const success = { event: 'pusher:subscription_succeeded', data: {} }

describe('pusher-js in Node: channels', () => {
  const application = sharedApplication()

  it('hears events of a public channel in order, with their data as the backend gave it', async () => {
    const page = await application().page()
    expect(page.connection.socket_id).toMatch(/^\d+\.\d+$/)
    const { heard } = await join(page, 'news')
    await application().library.trigger('news', 'posted', { id: 1, title: 'Grüße 🔔' })
    await application().library.trigger('news', 'posted', 'plain text')
    await application().library.trigger(['news', 'other'], 'posted', [1, null])
    expect(await heard.take(3)).toEqual([
      { event: 'posted', data: { id: 1, title: 'Grüße 🔔' } },
      { event: 'posted', data: 'plain text' },
      { event: 'posted', data: [1, null] },
    ])
  })

  it('hears nothing of a channel it has left, and everything again when it is back', async () => {
    const { library } = application()
    const page = await application().page()
    await join(page, 'left')
    const everything = new Heard<string>()
    page.bind_global((event: string) => everything.add(event))
    const marker = await join(page, 'marker')
    page.unsubscribe('left')
    // Frames of one connection are handled in order, so this answer follows the unsubscribe.
    await join(page, 'after-it')
    await library.trigger('left', 'missed', {})
    await library.trigger('marker', 'mark', {})
    await marker.heard.next()
    expect(everything.all.filter((event) => !event.startsWith('pusher'))).toEqual(['mark'])
    const back = await join(page, 'left')
    await library.trigger('left', 'heard', {})
    expect(await back.heard.next()).toEqual({ event: 'heard', data: {} })
  })

  it.each(['private-orders', 'private-signed-data'])('joins %s with what the auth endpoint signed', async (name) => {
    const { heard } = await join(await application().page(ann), name)
    await application().library.trigger(name, 'shipped', { id: 7 })
    expect(await heard.next()).toEqual({ event: 'shipped', data: { id: 7 } })
  })

  it('is told of a refusal by its own auth endpoint', async () => {
    const page = await application().page(bea)
    const { heard } = hear(page, 'private-forbidden')
    expect(await heard.next()).toMatchObject({
      event: 'pusher:subscription_error',
      data: { type: 'AuthError', status: 403 },
    })
  })

  it('is told of a refusal by the server, on the channel and on the connection, and may try again', async () => {
    let auth = `${'a'.repeat(20)}:${'0'.repeat(64)}`
    const page = await application().page(ann, {
      channelAuthorization: {
        customHandler: ({ socketId, channelName }, callback) => {
          callback(null, auth === '' ? application().library.authorizeChannel(socketId, channelName) : { auth })
        },
      },
    })
    const errors = hearErrors(page)
    const { channel, heard } = hear(page, 'private-retry')
    expect(await heard.next()).toMatchObject({
      event: 'pusher:subscription_error',
      data: { type: 'AuthError', status: 401 },
    })
    expect(await errors.next()).toMatchObject({ data: { code: null } })
    expect(page.connection.state).toBe('connected')
    auth = ''
    channel.subscriptionPending = false
    channel.subscribe()
    expect(await heard.next()).toEqual(success)
  })

  it.each(['private-encrypted-safe', 'private-encrypted-cache-safe'])('decrypts %s', async (name) => {
    const secret = { card: '4242' }
    const { library, server } = application()
    const raw = await server.connect()
    const { auth } = library.authorizeChannel(raw.socketId, name)
    await raw.subscribe(name, { auth })
    if (name.includes('cache')) await raw.next('pusher:cache_miss')
    const { heard } = await join(await application().page(ann), name)
    if (name.includes('cache')) expect(await heard.next()).toMatchObject({ event: 'pusher:cache_miss' })
    await library.trigger(name, 'paid', secret)
    expect(await heard.next()).toEqual({ event: 'paid', data: secret })
    const frame = await raw.next('paid')
    expect(Object.keys(JSON.parse(String(frame.data)) as object).sort()).toEqual(['ciphertext', 'nonce'])
    expect(frame.text).not.toContain('4242')
    raw.close()
  })

  it.each(['cache-a', 'private-cache-a', 'private-encrypted-cache-a', 'presence-cache-a'])(
    'misses, then finds the last event of %s',
    async (name) => {
      const { library } = application()
      const first = await join(await application().page(ann), name)
      expect(await first.heard.next()).toEqual({ event: 'pusher:cache_miss', data: {} })
      await library.trigger(name, 'price', { usd: 1 })
      await library.trigger(name, 'price', { usd: 2 })
      expect(await first.heard.take(2)).toEqual([1, 2].map((usd) => ({ event: 'price', data: { usd } })))
      const late = await join(await application().page(ann), name)
      await library.trigger(name, 'price', { usd: 3 })
      expect(await late.heard.take(2)).toEqual([2, 3].map((usd) => ({ event: 'price', data: { usd } })))
    },
  )

  it('leaves out the page that caused an event', async () => {
    const { library } = application()
    const [sender, other] = await Promise.all([application().page(ann), application().page(ann)])
    const [own, others] = await Promise.all([join(sender, 'private-todo'), join(other, 'private-todo')])
    await library.trigger('private-todo', 'added', {}, { socket_id: sender.connection.socket_id })
    await library.triggerBatch([
      { channel: 'private-todo', name: 'done', data: {}, socket_id: sender.connection.socket_id },
      { channel: 'private-todo', name: 'synced', data: {} },
    ])
    expect(await own.heard.next()).toEqual({ event: 'synced', data: {} })
    expect((await others.heard.take(3)).map(({ event }) => event)).toEqual(['added', 'done', 'synced'])
  })
})

describe('pusher-js in Node: client events', () => {
  const application = sharedApplication({ clientEvents: { perSecond: 3 } })

  it('reach every other page, on presence channels with the id of the sender', async () => {
    const [sender, sameUser, otherUser] = await Promise.all([ann, ann, bea].map((who) => application().page(who)))
    const name = 'presence-editor'
    const own = await join(sender!, name)
    const [second, third] = [await join(sameUser!, name), await join(otherUser!, name)]
    const senders = new Heard<unknown>()
    for (const { channel } of [second, third]) {
      channel.bind('client-cursor', (data: unknown, from: unknown) => senders.add({ data, from }))
    }
    expect(own.channel.trigger('client-cursor', { x: 1, y: [2] })).toBe(true)
    const expected = { data: { x: 1, y: [2] }, from: { user_id: 'ann' } }
    expect(await senders.take(2)).toEqual([expected, expected])
    await application().library.trigger(name, 'end', {})
    await third.heard.take(2)
    const events = (await own.heard.take(2)).map(({ event }) => event)
    expect(events).toEqual(['pusher:member_added', 'end'])
  })

  it('are refused on public channels', async () => {
    const page = await application().page()
    const errors = hearErrors(page)
    const { channel } = await join(page, 'lobby')
    channel.trigger('client-hello', {})
    expect(await errors.next()).toMatchObject({
      type: 'PusherError',
      data: { code: null, message: 'Client event rejected - only supported on private and presence channels' },
    })
  })

  it('are dropped above the rate, told with 4301, and the connection stays', async () => {
    const [sender, receiver] = await Promise.all([application().page(ann), application().page(bea)])
    const errors = hearErrors(sender)
    const own = await join(sender, 'private-flood')
    const { heard } = await join(receiver, 'private-flood')
    for (const n of [1, 2, 3, 4]) own.channel.trigger('client-n', n)
    expect(await errors.next()).toMatchObject({ data: { code: 4301 } })
    await application().library.trigger('private-flood', 'end', {})
    expect((await heard.take(4)).map(({ data }) => data)).toEqual([1, 2, 3, {}])
    expect(sender.connection.state).toBe('connected')
  })
})

describe('pusher-js in Node: subscription counts', () => {
  const application = sharedApplication({ subscriptionCount: { enabled: true } })

  it('are told to every subscriber', async () => {
    const first = await join(await application().page(), 'counted')
    expect(await first.heard.next()).toEqual({ event: 'pusher:subscription_count', data: { subscription_count: 1 } })
    const leaver = await application().page()
    await join(leaver, 'counted')
    expect(await first.heard.next()).toMatchObject({ data: { subscription_count: 2 } })
    expect(first.channel.subscriptionCount).toBe(2)
    leaver.disconnect()
    expect(await first.heard.next()).toMatchObject({ data: { subscription_count: 1 } })
  })
})
