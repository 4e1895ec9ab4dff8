/** The room by Laravel Echo. */
export function joinWithEcho({ port, key }, room, on) {
  // The browser build puts the module's exports under one name.
  const { default: Echo } = window.Echo
  const echo = new Echo({
    broadcaster: 'reverb',
    key,
    wsHost: location.hostname,
    wsPort: port,
    wssPort: port,
    forceTLS: false,
    enabledTransports: ['ws', 'wss'],
  })
  echo.connector.onConnectionChange(on.state)
  const channel = echo
    .join(room)
    // Also after every reconnect.
    .here(on.here)
    .joining(on.joining)
    .leaving(on.leaving)
    .error(({ status }) => on.refused(status))
    .listen('MessageSent', on.message)
    // What another page sends can hold anything; who sent it is the server's word.
    .listenForWhisper('typing', (_data, { user_id: userId }) => on.typing(userId))
  return {
    socketId: () => echo.socketId(),
    whisperTyping: () => channel.whisper('typing', {}),
  }
}
