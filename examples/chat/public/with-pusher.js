/** The room by pusher-js alone. */
export function joinWithPusher({ port, key }, room, on) {
  const pusher = new window.Pusher(key, {
    cluster: '',
    wsHost: location.hostname,
    wsPort: port,
    wssPort: port,
    forceTLS: false,
    enabledTransports: ['ws', 'wss'],
    channelAuthorization: { endpoint: '/pusher/auth', transport: 'ajax' },
  })
  pusher.connection.bind('state_change', ({ current }) => on.state(current))
  const channel = pusher.subscribe(`presence-${room}`)
  // Also after every reconnect.
  channel.bind('pusher:subscription_succeeded', (members) => {
    const users = []
    members.each((member) => users.push(member.info))
    on.here(users)
  })
  channel.bind('pusher:subscription_error', ({ status }) => on.refused(status))
  channel.bind('pusher:member_added', (member) => on.joining(member.info))
  channel.bind('pusher:member_removed', (member) => on.leaving(member.info))
  channel.bind('App\\Events\\MessageSent', on.message)
  // What another page sends can hold anything; who sent it is the server's word.
  channel.bind('client-typing', (_data, { user_id: userId }) => on.typing(userId))
  return {
    socketId: () => pusher.connection.socket_id,
    whisperTyping: () => channel.trigger('client-typing', {}),
  }
}
