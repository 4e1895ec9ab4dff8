/** What docs/errors.md says about each error of src/protocol/errors.ts beside its code and sentence. */
import { errors, type ProtocolError } from '../src/protocol/errors.js'

/** The `type` and `status` of the `pusher:subscription_error` that tells the channel of a refused subscription (2.4). */
export type Refusal =
  | 'AuthError 401'
  | 'InvalidChannel 400'
  | 'LimitReached 4009'
  | 'LimitReached 4100'
  | 'LimitReached 4301'
  | 'ServerError 500'

export interface ErrorNote {
  /** Closes the connection, refuses one subscription, or only tells: the connection stays as it was. */
  readonly effect: 'closes' | Refusal | 'tells'
  /** One clause: when it is sent. */
  readonly when: string
  /** One clause: what to do about it. */
  readonly advice: string
  /** The error with sample values. */
  readonly example: ProtocolError
}

const stringToSign = '123456.7890123:private-chat'

/** One note per error, exhaustive by its type: a new error does not compile without one. */
export const errorNotes: Readonly<Record<keyof typeof errors, ErrorNote>> = {
  existingSubscription: {
    effect: 'tells',
    when: 'the connection has, or is joining, this channel already; the first subscription goes on',
    advice: 'subscribe once per connection',
    example: errors.existingSubscription('private-chat'),
  },
  noSubscription: {
    effect: 'tells',
    when: 'an unsubscribe names a channel that the connection is not subscribed to',
    advice: 'nothing: there is nothing to end',
    example: errors.noSubscription('private-chat'),
  },
  invalidSignature: {
    effect: 'AuthError 401',
    when: 'the signature in `auth` does not fit the text it should sign',
    advice:
      'compare the string in the message with what the auth endpoint signs: same socket id, channel and `channel_data` to the character, and the secret that belongs to the key',
    example: errors.invalidSignature(stringToSign, 'abc'),
  },
  invalidKey: {
    effect: 'AuthError 401',
    when: 'the key before the colon in `auth` is no key of the app the client connected to',
    advice: 'give the auth endpoint the same app as the client',
    example: errors.invalidKey('278d425bdf160c739803'),
  },
  authRequired: {
    effect: 'AuthError 401',
    when: 'a private, encrypted or presence channel is subscribed to without `auth`',
    advice: 'give the client an auth endpoint (`authEndpoint`, `channelAuthorization`)',
    example: errors.authRequired('private-chat'),
  },
  invalidChannelName: {
    effect: 'InvalidChannel 400',
    when: 'the channel name has a character that is not allowed, or is empty',
    advice: 'choose another name',
    example: errors.invalidChannelName('my channel'),
  },
  channelNameTooLong: {
    effect: 'LimitReached 4009',
    when: 'the channel name is longer than `limits.channelNameLength`',
    advice: 'shorten it, or raise the limit',
    example: errors.channelNameTooLong(201, 200),
  },
  tooManySubscriptions: {
    effect: 'LimitReached 4100',
    when: 'the connection has `limits.subscriptionsPerConnection` channels',
    advice: 'unsubscribe from some, or raise the limit',
    example: errors.tooManySubscriptions(1000),
  },
  channelFull: {
    effect: 'LimitReached 4100',
    when: 'the presence channel has `limits.presenceMembers` users, and this user is none of them',
    advice: 'try again when somebody has left, or raise the limit',
    example: errors.channelFull('presence-room', 1000),
  },
  subscriptionFailed: {
    effect: 'ServerError 500',
    when: 'a fault of the server kept it from completing the subscription; its log has the reason',
    advice: 'subscribe again; if it stays, look into the log of the server',
    example: errors.subscriptionFailed('presence-room'),
  },
  invalidMember: {
    effect: 'AuthError 401',
    when: 'the `channel_data` for a presence channel is no object with a `user_id`, or there is none and the connection is not signed in',
    advice: 'let the auth endpoint return `channel_data` with a `user_id`',
    example: errors.invalidMember(),
  },
  userIdTooLong: {
    effect: 'LimitReached 4301',
    when: 'the `user_id` of a member is longer than `limits.presenceUserIdLength`',
    advice: 'use a shorter id, or raise the limit',
    example: errors.userIdTooLong(129, 128),
  },
  memberTooLarge: {
    effect: 'LimitReached 4301',
    when: 'the `user_info` of a member is larger than `limits.presenceMemberBytes`',
    advice: 'send less about a user, or raise the limit',
    example: errors.memberTooLarge(10_241, 10_240),
  },
  notSignedInAs: {
    effect: 'AuthError 401',
    when: 'a `#server-to-user-ID` channel is subscribed to and the connection is not signed in as that user',
    advice: 'sign in first (`pusher.signin()`), which subscribes by itself',
    example: errors.notSignedInAs('#server-to-user-7'),
  },
  clientEventsDisabled: {
    effect: 'tells',
    when: "a client event is sent and the app has them off; the sentence is the hosted service's",
    advice: 'set `clientEvents.enabled` of the app',
    example: errors.clientEventsDisabled(),
  },
  clientEventChannel: {
    effect: 'tells',
    when: 'a client event is sent to a public or an encrypted channel',
    advice: 'use a private or presence channel',
    example: errors.clientEventChannel(),
  },
  clientEventNotSubscribed: {
    effect: 'tells',
    when: 'a client event is sent to a channel that the connection is not, or not yet, subscribed to',
    advice: 'send it after `pusher:subscription_succeeded`',
    example: errors.clientEventNotSubscribed('private-chat'),
  },
  clientEventMalformed: {
    effect: 'tells',
    when: 'a client event has no `channel`, no `data`, or is nested deeper than 64 levels',
    advice: 'correct the client',
    example: errors.clientEventMalformed(),
  },
  clientEventNameTooLong: {
    effect: 'tells',
    when: 'the name of a client event is longer than `limits.eventNameLength`; it is dropped',
    advice: 'shorten it, or raise the limit',
    example: errors.clientEventNameTooLong(201, 200),
  },
  clientEventTooLarge: {
    effect: 'tells',
    when: 'the data of a client event is larger than `limits.eventBytes`; it is dropped',
    advice: 'send less, or raise the limit',
    example: errors.clientEventTooLarge(102_401, 102_400),
  },
  clientEventRate: {
    effect: 'tells',
    when: 'the connection sends more than `clientEvents.perSecond` client events; this one is dropped',
    advice: 'send fewer, for example one typing notice per second',
    example: errors.clientEventRate(),
  },
  messageRate: {
    effect: 'tells',
    when: 'client events, sign-ins and unusable frames of a connection exceed `limits.messagesPerSecond`; what is above is dropped, and this is said at most once a second',
    advice: 'find the loop in the client; subscribe, unsubscribe and ping never count',
    example: errors.messageRate(100),
  },
  notJson: {
    effect: 'tells',
    when: 'a text frame is not a JSON object with a string `event`',
    advice: 'correct the client',
    example: errors.notJson(),
  },
  unknownEvent: {
    effect: 'tells',
    when: 'a client sends an event that is none of the protocol and does not begin `client-`',
    advice: 'begin the names of client events with `client-`; other events are triggered by your server',
    example: errors.unknownEvent('message'),
  },
  missingParameter: {
    effect: 'tells',
    when: 'a `pusher:` event lacks a field or has it with another type',
    advice: 'correct the client',
    example: errors.missingParameter('data.channel'),
  },
  signInRejected: {
    effect: 'tells',
    when: "a sign-in is refused: another app's key, a signature that does not fit, unusable `user_data`, or a connection that is signed in as someone else",
    advice:
      'correct what the sentence names in the user authentication endpoint; the connection stays and may try again',
    example: errors.signInRejected('the signature in auth does not fit SOCKET_ID::user::USER_DATA'),
  },
  watchlistLimit: {
    effect: 'tells',
    when: 'a sign-in has more than `limits.watchlistUsers` user ids; the sign-in succeeds',
    advice: 'shorten the watchlist, or raise the limit',
    example: errors.watchlistLimit(100),
  },
  tlsOnly: {
    effect: 'closes',
    when: 'the app has `tlsOnly` and the connection is not TLS',
    advice:
      'use `forceTLS: true`; behind a proxy that ends TLS, name it in `trustedProxies` and let it send `X-Forwarded-Proto`',
    example: errors.tlsOnly(),
  },
  unknownKey: {
    effect: 'closes',
    when: 'no app has the key of the address',
    advice: "compare the client's key with the app's; there are no clusters here, `cluster` may be empty",
    example: errors.unknownKey('278d425bdf160c739803'),
  },
  appDisabled: {
    effect: 'closes',
    when: 'the app has `enabled: false`, or was removed from the configuration while the client was connected',
    advice: 'enable it',
    example: errors.appDisabled(),
  },
  overQuota: {
    effect: 'closes',
    when: 'the app has `limits.connections` connections',
    advice: 'raise the limit; clients stay away until the page is loaded again',
    example: errors.overQuota(),
  },
  pathNotFound: {
    effect: 'closes',
    when: 'a WebSocket is opened on another path than `/app/KEY`, behind `pathPrefix` if there is one',
    advice: "correct `wsPath` or the proxy's rewriting",
    example: errors.pathNotFound(),
  },
  unsupportedVersion: {
    effect: 'closes',
    when: '`protocol` in the address is no number from 4 to 7',
    advice: 'use a current client library',
    example: errors.unsupportedVersion(),
  },
  versionRequired: {
    effect: 'closes',
    when: 'the address has no `protocol` and `protocol.requireVersion` is on',
    advice: 'add `?protocol=7`',
    example: errors.versionRequired(),
  },
  originNotAllowed: {
    effect: 'closes',
    when: "the page's `Origin` is not in the app's `allowedOrigins`",
    advice: 'add it, with scheme and port as the browser shows them',
    example: errors.originNotAllowed(),
  },
  notAuthorizedInTime: {
    effect: 'closes',
    when: '`authorizedConnections` is on and the connection neither signed in nor subscribed to a private or presence channel in time',
    advice: 'do one of them, or raise `authorizedConnections.timeoutMs`',
    example: errors.notAuthorizedInTime(),
  },
  userTerminated: {
    effect: 'closes',
    when: 'your server called `terminate_connections` for the signed-in user',
    advice: 'nothing: it was asked for',
    example: errors.userTerminated(),
  },
  overCapacity: {
    effect: 'closes',
    when: 'the server is above a mark of `capacity`: connections, memory, accepts per second, or connections of one address',
    advice: 'clients return by themselves after a second; [which mark, and what to do](operating.md#capacity)',
    example: errors.overCapacity(),
  },
  slowConsumer: {
    effect: 'closes',
    when: 'more than half of `websocket.backpressureBytes` waits for a client that does not read it',
    advice: 'clients return by themselves; [slow clients](operating.md#slow-clients)',
    example: errors.slowConsumer(),
  },
  restarting: {
    effect: 'closes',
    when: 'the server stops, and `drain.reconnect` is `after-a-second`',
    advice: 'nothing: clients return by themselves after a second, to the restarted server',
    example: errors.restarting(),
  },
  reconnect: {
    effect: 'closes',
    when: 'the server stops and has told clients to come back at once (the default), or a socket is still on a certificate that was replaced several times',
    advice: 'nothing: clients return at once, to another server or to the restarted one',
    example: errors.reconnect(),
  },
  pongNotReceived: {
    effect: 'closes',
    when: 'nothing was heard for `heartbeat.activityTimeoutSeconds`, nor in `heartbeat.pongTimeoutSeconds` after a ping',
    advice: 'nothing if the client is gone; otherwise look for a proxy that holds data back',
    example: errors.pongNotReceived(),
  },
  messageTooBig: {
    effect: 'closes',
    when: 'a frame is larger than `websocket.messageBytes`; one four times as large is cut off without a code (1006)',
    advice: 'send less, or raise the limit',
    example: errors.messageTooBig(126_976),
  },
}
