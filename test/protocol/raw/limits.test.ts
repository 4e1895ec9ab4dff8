import { describe, expect, it } from 'vitest'
import { channelAuth, type RawClient } from '../../harness/raw-client.js'
import { credentials } from '../../harness/test-server.js'
import { errorText, eventText, expectError, expectRefused, framesSoFar, presenceOf } from './expecting.js'
import { sharedServer } from './shared-server.js'

const closeAll = (...clients: RawClient[]) => clients.forEach((client) => client.close())

describe('the figures of the hosted service, `limits: pusher` (9)', () => {
  const server = sharedServer({ limits: 'pusher', watchlist: { enabled: true } })

  it('channel names: 164 characters', async () => {
    const client = await server().connect()
    await client.subscribe('x'.repeat(164))
    client.send({ event: 'pusher:subscribe', data: { channel: 'x'.repeat(165) } })
    const message = 'The channel name is too long: at most 164 characters are allowed, this one has 165'
    await expectRefused(client, 'x'.repeat(165), 'LimitReached', 4009, message)
    const publish = (channel: string) => server().post('events', { name: 'e', data: 'd', channel })
    expect((await publish('x'.repeat(164))).status).toBe(200)
    expect((await publish('x'.repeat(165))).text).toBe('Channel name too long (165 > 164 characters)\n')
    client.close()
  })

  it('event data: 10 240 bytes of UTF-8, by REST and by client event', async () => {
    const [one, two] = [await server().connect(), await server().connect()]
    for (const client of [one, two]) await client.subscribePrivate('private-a', credentials)
    const fits = 'ü'.repeat(5120)
    const publish = (data: string) => server().post('events', { name: 'e', data, channel: 'private-a' })
    expect((await publish(fits)).text).toBe('{}')
    expect((await publish(`${fits}x`)).status).toBe(413)
    expect((await publish(`${fits}x`)).text).toMatch(
      /^The data content of this event exceeds the allowed maximum \(10240 bytes\)\. /,
    )
    const batch = await server().post('batch_events', {
      batch: [{ name: 'e', data: `${fits}x`, channel: 'private-a' }],
    })
    expect([batch.status, batch.text.includes('content of this event')]).toEqual([413, true])
    one.send({ event: 'client-a', channel: 'private-a', data: fits })
    one.send({ event: 'client-a', channel: 'private-a', data: `${fits}x` })
    await one.next('e')
    await expectError(one, 4301, 'Client event rejected: its data has 10241 bytes, at most 10240 are allowed')
    expect((await two.next('e')).text).toBe(eventText('e', 'private-a', fits))
    expect((await two.next('client-a')).text).toBe(eventText('client-a', 'private-a', fits))
    expect(await framesSoFar(two)).toEqual([])
    closeAll(one, two)
  })

  it('a body of ten full events whose every byte is escaped is no body too large', async () => {
    const event = `{"name":"e","channel":"a","data":"${'\\u0001'.repeat(10_240)}"}`
    const body = `{"batch":[${Array.from({ length: 10 }, () => event).join()}]}`
    expect((await server().post('batch_events', body)).text).toBe('{}')
  })

  it('frames: the event limit and 24 KiB', async () => {
    const client = await server().connect()
    const bytes = 10_240 + 24 * 1024
    const frame = (pad: number) => `{"event":"pusher:ping","data":"${'x'.repeat(pad)}"}`
    client.sendText(frame(bytes - frame(0).length))
    await client.next('pusher:pong')
    client.sendText(frame(bytes - frame(0).length + 1))
    expect((await client.waitForClose()).code).toBe(1009)
  })

  it('presence: 100 members, 1 KB of user_info, 128 characters of user_id', async () => {
    const channel = 'presence-full'
    const members = await Promise.all(Array.from({ length: 100 }, () => server().connect()))
    await Promise.all(members.map((member, index) => member.subscribePresence(channel, credentials, `u${index}`)))
    const late = await server().connect()
    const attempt = (data: string, at = channel) =>
      late.send({
        event: 'pusher:subscribe',
        data: { channel: at, auth: channelAuth(credentials, late.socketId, at, data), channel_data: data },
      })
    attempt('{"user_id":"late"}')
    await expectRefused(
      late,
      channel,
      'LimitReached',
      4100,
      `Channel ${channel} is full: at most 100 members are allowed`,
    )
    attempt('{"user_id":"u7"}')
    expect(presenceOf(await late.next()).count).toBe(100)
    attempt(`{"user_id":"u","user_info":"${'x'.repeat(1023)}"}`, 'presence-b')
    await expectRefused(
      late,
      'presence-b',
      'LimitReached',
      4301,
      'The user_info is too large: at most 1024 bytes of JSON are allowed, this one has 1025',
    )
    attempt(`{"user_id":"${'x'.repeat(129)}"}`, 'presence-b')
    await expectRefused(
      late,
      'presence-b',
      'LimitReached',
      4301,
      'The user_id is too long: at most 128 characters are allowed, this one has 129',
    )
    attempt(`{"user_id":"${'x'.repeat(128)}","user_info":"${'x'.repeat(1022)}"}`, 'presence-b')
    await late.next('pusher_internal:subscription_succeeded')
    closeAll(late, ...members)
  })

  it('the other keys keep their defaults: 200 characters of event name, 100 channels, 10 events of a batch', async () => {
    const publish = (extra: object) => server().post('events', { name: 'e', data: 'd', channel: 'a', ...extra })
    const names = Array.from({ length: 101 }, (_, index) => `c${index}`)
    expect((await publish({ name: 'x'.repeat(200) })).status).toBe(200)
    expect((await publish({ name: 'x'.repeat(201) })).status).toBe(400)
    expect((await publish({ channels: names.slice(1) })).status).toBe(200)
    expect((await publish({ channels: names })).status).toBe(400)
    const batch = names.slice(0, 11).map((channel) => ({ name: 'e', data: 'd', channel }))
    expect((await server().post('batch_events', { batch: batch.slice(1) })).status).toBe(200)
    expect((await server().post('batch_events', { batch })).status).toBe(400)
  })

  it('watchlist: 100 ids', async () => {
    const client = await server().connect()
    client.signIn(credentials, { id: 'u', watchlist: Array.from({ length: 101 }, (_, index) => `w${index}`) })
    await client.next('pusher:signin_success')
    expect((await client.next()).text).toBe(
      errorText(4302, 'Watchlist limit exceeded. Only the first 100 user IDs are accepted.'),
    )
    const { data } = await client.next('pusher_internal:watchlist_events')
    const { events } = JSON.parse(String(data)) as { events: { user_ids: string[] }[] }
    expect(events.map((event) => event.user_ids.length)).toEqual([100])
    client.close()
  })
})

describe('our defaults (9): what soketi and Reverb take by default is taken', () => {
  const server = sharedServer()

  it('102 400 bytes of data, 10 KB of user_info, 200 characters of channel', async () => {
    const [one, two] = [await server().connect(), await server().connect()]
    for (const client of [one, two]) await client.subscribePrivate('private-a', credentials)
    const data = 'x'.repeat(102_400)
    expect((await server().post('events', { name: 'e', data, channel: 'private-a' })).text).toBe('{}')
    expect((await server().post('events', { name: 'e', data: `${data}x`, channel: 'private-a' })).status).toBe(413)
    one.send({ event: 'client-a', channel: 'private-a', data })
    expect((await two.next('e')).data).toBe(data)
    expect((await two.next('client-a')).data).toBe(data)
    await one.next('e')
    await one.subscribePresence('presence-a', credentials, 'u1', 'x'.repeat(10_238))
    await one.subscribe('x'.repeat(200))
    closeAll(one, two)
  })

  it('1000 subscriptions per connection', async () => {
    const client = await server().connect()
    for (let index = 0; index < 1001; index += 1)
      client.send({ event: 'pusher:subscribe', data: { channel: `c${index}` } })
    const frames = []
    while (frames.length < 1002) frames.push(await client.next())
    expect(frames.filter((frame) => frame.event === 'pusher_internal:subscription_succeeded')).toHaveLength(1000)
    expect(frames.find((frame) => frame.event === 'pusher:subscription_error')?.channel).toBe('c1000')
    client.close()
  })
})
