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
    .here(on.here)
    .joining(on.joining)
    .leaving(on.leaving)
    .error(({ status }) => on.refused(status))
    .listen('MessageSent', on.message)
    .listenForWhisper('typing', on.typing)
  return {
    socketId: () => echo.socketId(),
    whisperTyping: (user) => channel.whisper('typing', user),
  }
}
