import { codes } from './codes.js'

/** Longest piece of a client's own text that an error message repeats. */
const echoCharsMax = 200

/**
 * Every error the server tells a WebSocket client, in one list: the code (null for most, as hosted does) and the sentence (1.6).
 * docs/errors.md is generated from it.
 */
export interface ProtocolError {
  readonly code: number | null
  readonly message: string
}

export const errors = {
  existingSubscription: (channel: string) => inSession(`Existing subscription to channel ${echo(channel)}`),
  noSubscription: (channel: string) =>
    inSession(`No current subscription to channel ${echo(channel)}, or subscription in progress`),
  invalidSignature: (stringToSign: string, given: string) =>
    inSession(`Invalid signature: Expected HMAC SHA256 hex digest of ${echo(stringToSign)}, but got ${echo(given)}`),
  invalidKey: (given: string) => inSession(`Invalid key in subscription auth data: '${echo(given)}'`),
  authRequired: (channel: string) => inSession(`Auth info required to subscribe to ${echo(channel)}`),
  invalidChannelName: (channel: string) =>
    inSession(
      `Invalid channel name '${echo(channel)}': only letters, digits and _ - = @ , . ; are allowed, and #server-to-user-ID for signed-in users`,
    ),
  channelNameTooLong: (length: number, limit: number) =>
    inSession(`The channel name is too long: at most ${limit} characters are allowed, this one has ${length}`),
  tooManySubscriptions: (limit: number) =>
    inSession(`The connection is subscribed to ${limit} channels, the most allowed; unsubscribe from one first`),
  channelFull: (channel: string, limit: number) =>
    inSession(`Channel ${echo(channel)} is full: at most ${limit} members are allowed`),
  subscriptionFailed: (channel: string) =>
    inSession(`The server could not complete the subscription to channel ${echo(channel)}; subscribe again`),
  invalidMember: () =>
    inSession(
      'Invalid channel_data: it must be the JSON text of an object with a non-empty user_id (string or number)',
    ),
  userIdTooLong: (length: number, limit: number) =>
    inSession(`The user_id is too long: at most ${limit} characters are allowed, this one has ${length}`),
  memberTooLarge: (bytes: number, limit: number) =>
    inSession(`The user_info is too large: at most ${limit} bytes of JSON are allowed, this one has ${bytes}`),
  notSignedInAs: (channel: string) => inSession(`Not signed in as the user of channel ${echo(channel)}`),
  clientEventsDisabled: () =>
    inSession('To send client events, you must enable this feature in the Settings page of your dashboard.'),
  clientEventChannel: () => inSession('Client event rejected - only supported on private and presence channels'),
  clientEventNotSubscribed: (channel: string) =>
    inSession(`Cannot broadcast client event (connection not subscribed to channel ${echo(channel)})`),
  clientEventMalformed: () => inSession('Invalid client event (must contain channel and data)'),
  clientEventNameTooLong: (length: number, limit: number): ProtocolError => ({
    code: codes.clientEventRejected,
    message: `Client event rejected: its name has ${length} characters, at most ${limit} are allowed`,
  }),
  clientEventTooLarge: (bytes: number, limit: number): ProtocolError => ({
    code: codes.clientEventRejected,
    message: `Client event rejected: its data has ${bytes} bytes, at most ${limit} are allowed`,
  }),
  clientEventRate: (): ProtocolError => ({
    code: codes.clientEventRejected,
    message: 'Client event rejected due to rate limit',
  }),
  messageRate: (limit: number): ProtocolError => ({
    code: codes.clientEventRejected,
    message: `Message rejected due to rate limit: at most ${limit} per second are allowed`,
  }),
  notJson: () => inSession('Invalid message: it must be a JSON object with a string event'),
  unknownEvent: (event: string) => inSession(`Unsupported event received on socket: ${echo(event)}`),
  missingParameter: (path: string) => inSession(`Missing parameter: ${path}`),
  signInRejected: (reason: string): ProtocolError => ({
    code: codes.unauthorized,
    message: `Connection not authorized: ${reason}`,
  }),
  watchlistLimit: (limit: number): ProtocolError => ({
    code: codes.watchlistLimit,
    message: `Watchlist limit exceeded. Only the first ${limit} user IDs are accepted.`,
  }),
  tlsOnly: (): ProtocolError => ({
    code: codes.tlsOnly,
    message: 'Application only accepts SSL connections, reconnect using wss://',
  }),
  unknownKey: (key: string): ProtocolError => ({
    code: codes.unknownKey,
    message: `App key ${echo(key, 40)} not in this cluster. Did you forget to specify the cluster?`,
  }),
  appDisabled: (): ProtocolError => ({ code: codes.appDisabled, message: 'Application disabled' }),
  overQuota: (): ProtocolError => ({ code: codes.overQuota, message: 'Application is over connection quota' }),
  pathNotFound: (): ProtocolError => ({ code: codes.pathNotFound, message: 'Path not found: connect to /app/KEY' }),
  unsupportedVersion: (): ProtocolError => ({
    code: codes.unsupportedVersion,
    message: 'Unsupported protocol version: 4 to 7 are supported',
  }),
  versionRequired: (): ProtocolError => ({ code: codes.versionRequired, message: 'No protocol version supplied' }),
  originNotAllowed: (): ProtocolError => ({ code: codes.unauthorized, message: 'Origin not allowed' }),
  notAuthorizedInTime: (): ProtocolError => ({
    code: codes.unauthorized,
    message: 'Connection not authorized within timeout',
  }),
  userTerminated: (): ProtocolError => ({
    code: codes.unauthorized,
    message: 'Connection is unauthorized: the application ended the connections of this user',
  }),
  overCapacity: (): ProtocolError => ({ code: codes.overCapacity, message: 'Over capacity' }),
  slowConsumer: (): ProtocolError => ({ code: codes.overCapacity, message: 'Connection reads too slowly' }),
  restarting: (): ProtocolError => ({
    code: codes.overCapacity,
    message: 'The server restarts: please reconnect after a second',
  }),
  reconnect: (): ProtocolError => ({ code: codes.reconnect, message: 'Please reconnect immediately' }),
  pongNotReceived: (): ProtocolError => ({ code: codes.pongNotReceived, message: 'Pong reply not received' }),
  messageTooBig: (limit: number): ProtocolError => ({
    code: codes.messageTooBig,
    message: `Message too big: at most ${limit} bytes are allowed`,
  }),
} as const

function inSession(message: string): ProtocolError {
  return { code: null, message }
}

function echo(text: string, charsMax: number = echoCharsMax): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`
}
