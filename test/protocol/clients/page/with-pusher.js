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
  channel.bind('pusher:subscription_succeeded', (members) => {
    const users = []
    members.each((member) => users.push(member.info))
    on.here(users)
  })
  channel.bind('pusher:subscription_error', ({ status }) => on.refused(status))
  channel.bind('pusher:member_added', (member) => on.joining(member.info))
  channel.bind('pusher:member_removed', (member) => on.leaving(member.info))
  channel.bind('App\\Events\\MessageSent', on.message)
  channel.bind('client-typing', on.typing)
  return {
    socketId: () => pusher.connection.socket_id,
    whisperTyping: (user) => channel.trigger('client-typing', user),
  }
}
