/**
 * The reference of every comparison: the least a uWebSockets.js server can do and still speak enough of the protocol for
 * the scenarios. Native topics, no signature, no limit, no validation, no exclusion: the physical limit of this stack, and
 * nothing anybody should run. `node bench/bare-server.js PORT`
 */
import { App } from 'uWebSockets.js'

const port = Number(process.argv[2])
/** Channel → subscriptions; native topics cannot be listed. */
const subscriptionsByChannel = new Map()
/** Presence channel → user id → user info. */
const membersByChannel = new Map()
let connections = 0

const app = App()
app.ws('/app/:key', {
  maxPayloadLength: 1024 * 1024,
  maxBackpressure: 64 * 1024 * 1024,
  idleTimeout: 120,
  open(ws) {
    connections += 1
    ws.getUserData().members = undefined
    const data = JSON.stringify({ socket_id: `1.${connections}`, activity_timeout: 30 })
    ws.send(JSON.stringify({ event: 'pusher:connection_established', data }))
  },
  message(ws, bytes) {
    const message = JSON.parse(Buffer.from(bytes).toString())
    if (message.event === 'pusher:subscribe') subscribe(ws, message.data)
    else if (message.event === 'pusher:unsubscribe') unsubscribe(ws, message.data.channel)
    else if (message.event === 'pusher:ping') ws.send('{"event":"pusher:pong","data":"{}"}')
    else if (message.event.startsWith('client-')) publishClientEvent(ws, message)
  },
  close(ws) {
    const { channels, members } = ws.getUserData()
    if (channels !== undefined) for (const channel of channels) countDown(channel)
    if (members !== undefined) for (const channel of members.keys()) removeMember(app, ws.getUserData(), channel)
  },
})

function subscribe(ws, { channel, channel_data: channelData }) {
  const state = ws.getUserData()
  state.channels ??= []
  state.channels.push(channel)
  subscriptionsByChannel.set(channel, (subscriptionsByChannel.get(channel) ?? 0) + 1)
  const data = channel.startsWith('presence-') ? joinPresence(ws, channel, JSON.parse(channelData)) : '{}'
  ws.subscribe(channel)
  ws.send(JSON.stringify({ event: 'pusher_internal:subscription_succeeded', channel, data }))
}

function joinPresence(ws, channel, member) {
  let members = membersByChannel.get(channel)
  if (members === undefined) membersByChannel.set(channel, (members = new Map()))
  members.set(member.user_id, member.user_info)
  const state = ws.getUserData()
  state.members ??= new Map()
  state.members.set(channel, member.user_id)
  const data = JSON.stringify({ user_id: member.user_id, user_info: member.user_info })
  app.publish(channel, JSON.stringify({ event: 'pusher_internal:member_added', channel, data }))
  const presence = { count: members.size, ids: [...members.keys()], hash: Object.fromEntries(members) }
  return JSON.stringify({ presence })
}

function unsubscribe(ws, channel) {
  const state = ws.getUserData()
  state.channels.splice(state.channels.indexOf(channel), 1)
  countDown(channel)
  ws.unsubscribe(channel)
  if (channel.startsWith('presence-')) removeMember(ws, state, channel)
}

function removeMember(publisher, state, channel) {
  const userId = state.members.get(channel)
  state.members.delete(channel)
  membersByChannel.get(channel).delete(userId)
  const data = JSON.stringify({ user_id: userId })
  publisher.publish(channel, JSON.stringify({ event: 'pusher_internal:member_removed', channel, data }))
}

function countDown(channel) {
  const left = subscriptionsByChannel.get(channel) - 1
  if (left === 0) subscriptionsByChannel.delete(channel)
  else subscriptionsByChannel.set(channel, left)
}

function publishClientEvent(ws, { event, channel, data }) {
  ws.publish(channel, JSON.stringify({ event, channel, data: typeof data === 'string' ? data : JSON.stringify(data) }))
}

function publishEvent({ name, channel, channels, data }) {
  for (const to of channels ?? [channel]) app.publish(to, JSON.stringify({ event: name, channel: to, data }))
}

/** Reads the body, then answers `{}` after `act` has had the parsed JSON. */
function post(act) {
  return (res) => {
    let before
    res.onAborted(() => {})
    res.onData((part, isLast) => {
      // The part is only valid during this call, hence the copy of all but a single last one.
      if (!isLast)
        before = before === undefined ? Buffer.from(Buffer.from(part)) : Buffer.concat([before, Buffer.from(part)])
      else {
        act(
          JSON.parse(
            (before === undefined ? Buffer.from(part) : Buffer.concat([before, Buffer.from(part)])).toString(),
          ),
        )
        json(res, '{}')
      }
    })
  }
}

function json(res, text) {
  res.writeHeader('Content-Type', 'application/json').end(text)
}

app.post('/apps/:id/events', post(publishEvent))
app.post(
  '/apps/:id/batch_events',
  post(({ batch }) => batch.forEach(publishEvent)),
)
app.get('/apps/:id/channels', (res) => {
  // The names need no escaping: nothing is checked here, and the scenarios use plain ones.
  let list = ''
  for (const channel of subscriptionsByChannel.keys()) list += `${list === '' ? '' : ','}"${channel}":{}`
  json(res, `{"channels":{${list}}}`)
})
app.get('/apps/:id/channels/:name', (res, req) => {
  const count = app.numSubscribers(decodeURIComponent(req.getParameter(1)))
  json(res, JSON.stringify({ occupied: count > 0, subscription_count: count }))
})
app.get('/apps/:id/channels/:name/users', (res, req) => {
  const members = membersByChannel.get(decodeURIComponent(req.getParameter(1)))
  json(res, JSON.stringify({ users: Array.from(members?.keys() ?? [], (id) => ({ id })) }))
})
app.get('/ready', (res) => res.end('OK'))

app.listen('127.0.0.1', port, 1, (socket) => {
  if (!socket) {
    console.error(`port ${port} is taken`)
    process.exit(1)
  }
})
// An orderly exit is what makes Node.js write a CPU profile.
process.on('SIGTERM', () => process.exit(0))
