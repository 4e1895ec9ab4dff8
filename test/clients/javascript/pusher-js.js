/** The checks of pusher-js, wherever it runs: in Node.js, in a page, in a web worker. */
import { checker, Heard, same, sleep, stageAt, until } from './reporting.js'

export const data = { text: 'grüß dich, 世界', number: 7, list: [1, { deep: true }] }
/** Must stay a text: where the server decodes once too often, or encodes once too little, the library makes the number of it. */
export const digits = '42'
/** When its first attempt is refused at once, as while a single node restarts, it tries again only after 15 s. */
export const backMs = 40_000
/** Longer than any pause before an attempt to connect. */
const noReconnectMs = 2500

/**
 * @param input.Pusher the library
 * @param input.settings see settings.js
 * @param input.print gets each line of the contract
 */
export async function pusherChecks({ Pusher, settings, print }) {
  const check = checker(print)
  const stage = stageAt(settings.stageUrl)
  const pusher = new Pusher(settings.key, options(settings))
  const trigger = (channel, event, sent = data) => stage('/trigger', { channel, event, data: sent })
  const arrive = async (name, ...values) => {
    const greetings = hear(await subscribed(pusher, name), 'greeting')
    for (const value of values) {
      await trigger(name, 'greeting', value)
      same(await greetings.next(`the event on ${name}`), value)
    }
  }

  await check('connect', async () => {
    await until('the state connected', () => pusher.connection.state === 'connected')
    same(/^\d+\.\d+$/.test(pusher.connection.socket_id), true)
  })
  await check('public', () => arrive('clients-public', data, digits))
  await check('private', () => arrive('private-clients', data))
  await check('presence', () => presence(pusher, stage))
  await check('encrypted', () => arrive('private-encrypted-clients', data))
  await check('client-event', () => clientEvent(pusher, stage))
  await check('unsubscribe', async () => {
    const everything = new Heard()
    pusher.bind_global(everything.add)
    await subscribed(pusher, 'clients-left')
    pusher.unsubscribe('clients-left')
    // An answer to what was sent later: the server has taken the unsubscribe.
    await subscribed(pusher, 'clients-stayed')
    await trigger('clients-left', 'gone')
    await trigger('clients-stayed', 'still-here')
    await until('the event on the other channel', () => everything.all.includes('still-here'))
    await sleep(300)
    same(everything.all.includes('gone'), false)
    pusher.unbind_global()
  })
  await check('silence', async () => {
    const { activityTimeoutSeconds } = await stage('/heartbeat')
    const greetings = hear(await subscribed(pusher, 'clients-silent'), 'greeting')
    const changes = hear(pusher.connection, 'state_change')
    const socketId = pusher.connection.socket_id
    await sleep((2 * activityTimeoutSeconds + 2) * 1000)
    await trigger('clients-silent', 'greeting')
    same(await greetings.next('the event after the silence'), data)
    same([changes.all, pusher.connection.socket_id], [[], socketId])
  })
  await check('restart', async () => {
    const greetings = hear(await subscribed(pusher, 'private-clients-restart'), 'greeting')
    const socketId = pusher.connection.socket_id
    await stage('/restart')
    await until('an event after the restart', () => triggered(greetings, trigger), backMs, 300)
    same(greetings.all[0], data)
    same(pusher.connection.socket_id === socketId, false)
  })
  pusher.disconnect()
  await check('refused', () => refused(Pusher, settings))
  await check('wrong-key', () => wrongKey(Pusher, settings))
}

/** @param connection of the library, just made, with a key that no app has */
export async function givesUp(connection) {
  const [errors, changes] = [hear(connection, 'error'), hear(connection, 'state_change')]
  const told = await errors.next('the error of the connection')
  // Before the handshake the library wraps what the server said.
  same((told.error ?? told).data?.code, 4001)
  await until('the state disconnected', () => connection.state === 'disconnected')
  const before = changes.all.length
  await sleep(noReconnectMs)
  same([connection.state, changes.all.length], ['disconnected', before])
}

function options({ host, port, authUrl }) {
  return {
    cluster: '',
    wsHost: host,
    wsPort: port,
    wssPort: port,
    forceTLS: false,
    enabledTransports: ['ws', 'wss'],
    channelAuthorization: { endpoint: `${authUrl}?user=ann`, transport: 'ajax' },
  }
}

function hear(target, event) {
  const heard = new Heard()
  target.bind(event, heard.add)
  return heard
}

async function subscribed(pusher, name) {
  const channel = pusher.subscribe(name)
  const errors = hear(channel, 'pusher:subscription_error')
  await until(`the subscription to ${name}`, () => {
    if (errors.all.length > 0) throw new Error(`${name} was refused: ${JSON.stringify(errors.all)}`)
    return channel.subscribed
  })
  return channel
}

/** Publishes once more, and tells whether any has arrived. */
async function triggered(greetings, trigger) {
  await trigger('private-clients-restart', 'greeting')
  await sleep(100)
  return greetings.all.length > 0
}

async function presence(pusher, stage) {
  const name = 'presence-clients'
  const first = await stage('/observe', { channels: [name] })
  const channel = await subscribed(pusher, name)
  const members = () => Object.keys(channel.members.members).sort()
  same(members(), ['ann', first.observer].sort())
  same([channel.members.me, channel.members.count], [{ id: 'ann', info: { name: 'ann' } }, 2])
  const [added, removed] = [hear(channel, 'pusher:member_added'), hear(channel, 'pusher:member_removed')]
  const { observer } = await stage('/observe', { channels: [name] })
  const member = { id: observer, info: { name: observer } }
  same(await added.next('member_added'), member)
  await stage('/leave', { observer })
  same(await removed.next('member_removed'), member)
  same(members(), ['ann', first.observer].sort())
}

async function clientEvent(pusher, stage) {
  const name = 'private-clients-whispers'
  const { observer } = await stage('/observe', { channels: [name] })
  const channel = await subscribed(pusher, name)
  channel.trigger('client-hello', data)
  const { events } = await stage('/seen', { observer, channel: name, event: 'client-hello' })
  same(
    events.map((event) => JSON.parse(event.data)),
    [data],
  )
  const answers = hear(channel, 'client-answer')
  await stage('/whisper', { observer, channel: name, event: 'client-answer', data })
  same(await answers.next('the client event of the observer'), data)
}

async function refused(Pusher, settings) {
  const auth = `${settings.key}:${'0'.repeat(64)}`
  const channelAuthorization = { customHandler: (_request, callback) => callback(null, { auth }) }
  const pusher = new Pusher(settings.key, { ...options(settings), channelAuthorization })
  const errors = hear(pusher.subscribe('private-clients-refused'), 'pusher:subscription_error')
  const { type, status } = await errors.next('subscription_error')
  same([type, status, pusher.connection.state], ['AuthError', 401, 'connected'])
  pusher.disconnect()
}

async function wrongKey(Pusher, settings) {
  const pusher = new Pusher('0'.repeat(20), options(settings))
  await givesUp(pusher.connection)
  pusher.disconnect()
}
