/** The `pusher` library of Node.js, as a backend uses it. */
import { createHash } from 'node:crypto'
import Pusher from 'pusher'
import { checker, same, stageAt, until } from '../javascript/reporting.js'
import { printLibrary, printLine, settingsFromEnvironment } from '../javascript/settings.js'

const { host, port, appId, key, secret, encryptionKey, stageUrl } = settingsFromEnvironment()
const address = { appId, key, host, port: String(port), useTLS: false, encryptionMasterKeyBase64: encryptionKey }
const pusher = new Pusher({ ...address, secret })
const stage = stageAt(stageUrl)
const check = checker(printLine)
const data = { text: 'grüß dich, 世界', number: 7, list: [1, { deep: true }] }

printLibrary(import.meta.dirname, 'pusher')

await check('trigger', async () => {
  const { observer } = await stage('/observe', { channels: ['node-trigger'] })
  const answer = await pusher.trigger('node-trigger', 'greeting', data)
  same([answer.status, await answer.text()], [200, '{}'])
  same(await seen(observer, 'node-trigger', 'greeting'), data)
})

await check('trigger-multi', async () => {
  const channels = ['node-multi-1', 'node-multi-2']
  const { observer } = await stage('/observe', { channels })
  await pusher.trigger(channels, 'greeting', data)
  for (const channel of channels) same(await seen(observer, channel, 'greeting'), data)
})

await check('trigger-exclude', async () => {
  const [left, told] = await Promise.all(['left', 'told'].map(() => stage('/observe', { channels: ['node-exclude'] })))
  await pusher.trigger('node-exclude', 'hidden', data, { socket_id: left.socketId })
  await pusher.trigger('node-exclude', 'marker', data)
  same(await seen(told.observer, 'node-exclude', 'hidden'), data)
  same(await seen(left.observer, 'node-exclude', 'marker'), data)
  const { events } = await stage('/seen', {
    observer: left.observer,
    channel: 'node-exclude',
    event: 'hidden',
    waitMs: 300,
  })
  same(events, [])
})

await check('trigger-batch', async () => {
  const { observer } = await stage('/observe', { channels: ['node-batch-1', 'node-batch-2'] })
  await pusher.triggerBatch([
    { channel: 'node-batch-1', name: 'first', data: { n: 1 } },
    { channel: 'node-batch-2', name: 'second', data: { n: 2 } },
  ])
  same(await seen(observer, 'node-batch-1', 'first'), { n: 1 })
  same(await seen(observer, 'node-batch-2', 'second'), { n: 2 })
})

await check('trigger-info', async () => {
  await stage('/observe', { channels: ['node-info'] })
  await becomes({ channels: { 'node-info': { subscription_count: 1 } } }, () =>
    pusher.trigger('node-info', 'e', data, { info: 'subscription_count' }),
  )
})

await check('channels', async () => {
  await stage('/observe', { channels: ['presence-node-list'] })
  const params = { filter_by_prefix: 'presence-node-list', info: 'user_count' }
  await becomes({ channels: { 'presence-node-list': { user_count: 1 } } }, () =>
    pusher.get({ path: '/channels', params }),
  )
})

await check('channel', async () => {
  await stage('/observe', { channels: ['node-one'] })
  await becomes({ occupied: true, subscription_count: 1 }, () =>
    pusher.get({ path: '/channels/node-one', params: { info: 'subscription_count' } }),
  )
})

await check('users', async () => {
  const { observer } = await stage('/observe', { channels: ['presence-node-users'] })
  await becomes({ users: [{ id: observer }] }, () => pusher.get({ path: '/channels/presence-node-users/users' }))
})

await check('auth-private', async () => {
  const { observer, socketId } = await stage('/observe', { channels: [] })
  await joins(observer, 'private-node', pusher.authorizeChannel(socketId, 'private-node'))
})

await check('auth-presence', async () => {
  const { observer, socketId } = await stage('/observe', { channels: [] })
  const member = { user_id: 'ann', user_info: { name: 'Änn' } }
  await joins(observer, 'presence-node', pusher.authorizeChannel(socketId, 'presence-node', member))
  await becomes({ users: [{ id: 'ann' }] }, () => pusher.get({ path: '/channels/presence-node/users' }))
})

await check('auth-encrypted', async () => {
  const channel = 'private-encrypted-node'
  const { observer, socketId } = await stage('/observe', { channels: [] })
  const answer = pusher.authorizeChannel(socketId, channel)
  const wanted = createHash('sha256').update(channel).update(Buffer.from(encryptionKey, 'base64')).digest('base64')
  same(answer.shared_secret, wanted)
  await joins(observer, channel, answer)
})

await check('auth-user', async () => {
  const { observer, socketId } = await stage('/observe', { channels: [] })
  const user = pusher.authenticateUser(socketId, { id: 'ann', user_info: { name: 'Änn' } })
  const { ok, frame } = await stage('/signin', { observer, ...user })
  if (!ok) throw new Error(`the sign-in was refused: ${frame}`)
})

await check('terminate', async () => {
  const { observer } = await stage('/observe', { channels: [], user: 'node-terminated' })
  const other = await stage('/observe', { channels: [], user: 'node-stays' })
  await pusher.terminateUserConnections('node-terminated')
  same(await stage('/alive', { observer }), { open: false, code: 4009 })
  same(await stage('/alive', { observer: other.observer, waitMs: 200 }), { open: true })
})

await check('user-event', async () => {
  const { observer } = await stage('/observe', { channels: [], user: 'node-user' })
  await pusher.sendToUser('node-user', 'invoice', data)
  same(await seen(observer, '#server-to-user-node-user', 'invoice'), data)
})

await check('encrypted-trigger', async () => {
  const channel = 'private-encrypted-node-events'
  const { observer } = await stage('/observe', { channels: [channel] })
  await pusher.trigger(channel, 'greeting', data)
  const sent = await seen(observer, channel, 'greeting')
  same(Object.keys(sent).sort(), ['ciphertext', 'nonce'])
})

await check('webhook', async () => {
  await stage('/observe', { channels: ['node-webhook'] })
  const { headers, body } = await until('the webhook of this channel', async () => {
    const next = await stage('/webhook', { name: 'channel_occupied' })
    return next.body.includes('"node-webhook"') && next
  })
  const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const webhook = pusher.webhook({ headers: lowerCase, rawBody: body })
  same(webhook.isValid(), true)
  same(
    webhook.getEvents().map(({ name, channel }) => ({ name, channel })),
    [{ name: 'channel_occupied', channel: 'node-webhook' }],
  )
  same(Math.abs(webhook.getTime().getTime() - Date.now()) < 60_000, true)
  same(pusher.webhook({ headers: lowerCase, rawBody: `${body} ` }).isValid(), false)
})

await check('wrong-secret', async () => {
  const stranger = new Pusher({ ...address, secret: 'not the secret' })
  const refusal = await stranger.trigger('node-trigger', 'greeting', data).then(
    () => undefined,
    (error) => error,
  )
  same([refusal instanceof Pusher.RequestError, refusal?.status], [true, 401])
})

/** The data of the first event that an observer has got, parsed. */
async function seen(observer, channel, event) {
  const { events } = await stage('/seen', { observer, channel, event })
  if (events.length !== 1) throw new Error(`${events.length} times ${event} on ${channel}, wanted once`)
  return JSON.parse(events[0].data)
}

async function joins(observer, channel, auth) {
  const { ok, frame } = await stage('/subscribe', { observer, channel, ...auth })
  if (!ok) throw new Error(`the subscription was refused: ${frame}`)
}

/** Asks until the answer is the wanted one: between nodes a read may lag by a moment. */
async function becomes(wanted, ask) {
  let last
  await until('the wanted answer', async () => {
    last = await (await ask()).json()
    try {
      same(last, wanted)
      return true
    } catch {
      return false
    }
  }).catch(() => same(last, wanted))
}
