import { opcodes, closeFrame, encodeFragments, encodeFrame } from './wire-frame.js'
import { messageBytesMax } from './hostile-server.js'

/** What the specification demands as the answer to a frame, and that nothing else comes. */
export type FrameAnswer =
  | { readonly kind: 'nothing' }
  /** `pusher:error` (1.6). */
  | { readonly kind: 'error'; readonly code: number | null; readonly message: RegExp }
  /** `pusher:subscription_error`, then `pusher:error` with the same text (2.4). */
  | { readonly kind: 'refused'; readonly type: string; readonly status: number; readonly message: RegExp }
  /** Accepted, strange as it is. */
  | { readonly kind: 'events'; readonly names: readonly string[]; readonly data?: RegExp }
  /** Closed; 1006 stands for a TCP connection that is cut without a close frame. */
  | { readonly kind: 'close'; readonly codes: readonly number[]; readonly error?: RegExp }

/** What a case may need to know of its connection. */
export interface FrameContext {
  readonly socketId: string
  channelAuth(channel: string, channelData?: string): string
  userAuth(userData: string): string
}

export interface BadFrame {
  readonly name: string
  /** A text is sent as one text frame, bytes as they are. */
  readonly bytes: (context: FrameContext) => string | Buffer
  /** Channels the connection subscribes to first. */
  readonly after?: readonly string[]
  readonly answer: FrameAnswer
}

const nothing: FrameAnswer = { kind: 'nothing' }
const notJson: FrameAnswer = error(/^Invalid message: it must be a JSON object with a string event$/)
const unsupported: FrameAnswer = error(/^Unsupported event received on socket: /)
const malformedEvent: FrameAnswer = error(/^Invalid client event \(must contain channel and data\)$/)
const succeeded = 'pusher_internal:subscription_succeeded'
const cut: FrameAnswer = { kind: 'close', codes: [1006] }
const levels = 50_000
const deepArray = '['.repeat(levels) + ']'.repeat(levels)
const deepObject = '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)
/** Names that every JavaScript object answers to. */
export const inheritedNames = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']

function error(message: RegExp, code: number | null = null): FrameAnswer {
  return { kind: 'error', code, message }
}

function refused(type: string, status: number, message: RegExp): FrameAnswer {
  return { kind: 'refused', type, status, message }
}

function accepted(data?: RegExp): FrameAnswer {
  return { kind: 'events', names: [succeeded], ...(data === undefined ? {} : { data }) }
}

function frame(name: string, text: string, answer: FrameAnswer): BadFrame {
  return { name, bytes: () => text, answer }
}

function message(name: string, value: unknown, answer: FrameAnswer): BadFrame {
  return frame(name, JSON.stringify(value), answer)
}

const notAnObject: BadFrame[] = [
  frame('empty text', '', notJson),
  frame('a space', ' ', notJson),
  ...[
    'null',
    'true',
    'false',
    '0',
    '-1',
    '1e999',
    '"text"',
    '[]',
    '[[]]',
    '{}',
    'undefined',
    'NaN',
    'Infinity',
    '0x10',
  ].map((text) => frame(`the JSON or not: ${text}`, text, notJson)),
  frame('a frame in an array', '[{"event":"pusher:ping"}]', notJson),
  frame('a frame in a string', '"{\\"event\\":\\"pusher:ping\\"}"', notJson),
  frame('two frames in one', '{"event":"pusher:ping"}{"event":"pusher:ping"}', notJson),
  frame('a frame and a line', '{"event":"pusher:ping"}\n{"event":"pusher:ping"}', notJson),
  frame('a frame without its end', '{"event":"pusher:ping"', notJson),
  frame('a brace too many', '{"event":"pusher:ping"}}', notJson),
  frame('a trailing comma', '{"event":"pusher:ping",}', notJson),
  frame('single quotes', "{'event':'pusher:ping'}", notJson),
  frame('a key without quotes', '{event:"pusher:ping"}', notJson),
  frame('a comment', '{"event":"pusher:ping"/* hello */}', notJson),
  frame('a leading zero', '{"event":"pusher:ping","data":01}', notJson),
  frame('a plus sign', '{"event":"pusher:ping","data":+1}', notJson),
  frame('a byte order mark', '\ufeff{"event":"pusher:ping"}', notJson),
  frame('a NUL', '\u0000', notJson),
  frame('a NUL after the frame', '{"event":"pusher:ping"}\u0000', notJson),
  frame('a raw NUL in a string', '{"event":"pusher:\u0000ping"}', notJson),
  frame('a raw newline in a string', '{"event":"pusher:\nping"}', notJson),
  frame('a bad escape', '{"event":"pusher:\\x70ing"}', notJson),
  frame('a short unicode escape', '{"event":"pusher:\\u00"}', notJson),
  frame('XML', '<event>pusher:ping</event>', notJson),
  frame('HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', notJson),
  frame('socket.io', '42["message",{}]', notJson),
  frame('no event', '{"data":{}}', notJson),
  ...['null', '1', 'true', '["pusher:ping"]', '{"pusher":"ping"}', '[]'].map((text) =>
    frame(`event is ${text}`, `{"event":${text},"data":{}}`, notJson),
  ),
  frame('event only in __proto__', '{"__proto__":{"event":"pusher:ping"}}', notJson),
  frame('event only in constructor', '{"constructor":{"prototype":{"event":"pusher:ping"}}}', notJson),
  frame(`${levels} brackets that never close`, '['.repeat(levels), notJson),
  frame(`${levels} arrays in each other`, deepArray, notJson),
  frame(`${levels / 5} objects in each other`, '{"a":'.repeat(levels / 5) + '1' + '}'.repeat(levels / 5), notJson),
  frame(`event is ${levels} levels deep`, `{"event":${deepArray}}`, notJson),
  frame('100 000 quotes', '"'.repeat(100_000), notJson),
  frame('100 000 backslashes', `"${'\\'.repeat(100_000)}"`, notJson),
]

const unknownEvents: BadFrame[] = [
  ...[
    '',
    ' ',
    'pusher:',
    'pusher:unknown',
    'pusher:ping ',
    'PUSHER:PING',
    'pusher:connection_established',
    'pusher:error',
    'pusher:cache_miss',
    'pusher:signin_success',
    'pusher_internal:subscription_succeeded',
    'pusher_internal:member_added',
    'client',
    'Client-x',
    ' client-x',
    'message',
    '\u0000',
    '\r\nSet-Cookie: x=1',
    '\ud800',
    '\udc00\ud800',
    '\u202etxt.exe',
    '👩‍👩‍👧',
    '"}}\n{"event":"tick',
    ...inheritedNames,
  ].map((event) => message(`event ${JSON.stringify(event)}`, { event, data: {} }, unsupported)),
  message('event of 100 000 characters', { event: 'x'.repeat(100_000) }, unsupported),
  message(
    'event of 60 000 astral characters, cut in the middle of one',
    { event: `x${'😀'.repeat(30_000)}` },
    unsupported,
  ),
  frame('the last of two events counts', '{"event":"pusher:ping","event":"pusher:pang"}', unsupported),
]

const missingChannel = error(/^Missing parameter: data\.channel$/)
const notAData: readonly string[] = ['null', '1', 'true', '[]', '["a"]', '""', '"text"', '"null"', '"[]"', '"{"', '{}']
const notAChannel: readonly string[] = ['null', '1', 'true', '[]', '["a"]', '{}', '{"name":"a"}']

const subscribes: BadFrame[] = [
  message('subscribe without data', { event: 'pusher:subscribe' }, missingChannel),
  message('subscribe with the channel beside data', { event: 'pusher:subscribe', channel: 'a' }, missingChannel),
  ...notAData.map((data) =>
    frame(`subscribe, data ${data}`, `{"event":"pusher:subscribe","data":${data}}`, missingChannel),
  ),
  ...notAChannel.map((channel) =>
    frame(
      `subscribe, channel ${channel}`,
      `{"event":"pusher:subscribe","data":{"channel":${channel}}}`,
      missingChannel,
    ),
  ),
  frame(
    'subscribe, channel in __proto__',
    '{"event":"pusher:subscribe","data":{"__proto__":{"channel":"a"}}}',
    missingChannel,
  ),
  frame(`subscribe, data ${levels} levels deep`, `{"event":"pusher:subscribe","data":${deepArray}}`, missingChannel),
  message(`subscribe, data a text of ${levels} levels`, { event: 'pusher:subscribe', data: deepArray }, missingChannel),
  frame(
    `subscribe, channel ${levels} levels deep`,
    `{"event":"pusher:subscribe","data":{"channel":${deepArray}}}`,
    missingChannel,
  ),
  ...[
    '',
    ' ',
    'a b',
    'a/b',
    'a:b',
    'a*',
    'a\u0000b',
    'a\nb',
    'a\r\nb',
    'ü',
    '%41',
    '"',
    '\\',
    '<script>',
    '\ud800',
    '😀',
    '#',
    '#a',
    '#server-to-user',
    '#server-to-user-',
    '#server-to-user-a b',
    'private-ü',
    'presence- ',
    '$SYS/#',
    '../a',
  ].map((channel) => subscribe(`to ${JSON.stringify(channel)}`, { channel }, invalidChannel())),
  subscribe('to a user channel with an id of 201', { channel: `#server-to-user-${'a'.repeat(201)}` }, invalidChannel()),
  subscribe(
    'to a name of 201',
    { channel: 'a'.repeat(201) },
    refused('LimitReached', 4009, /^The channel name is too long/),
  ),
  subscribe('to a name of 100 000', { channel: 'a'.repeat(100_000) }, refused('LimitReached', 4009, /100000$/)),
  ...inheritedNames.map((channel) => subscribe(`to ${channel}, an ordinary name`, { channel }, accepted(/^\{\}$/))),
  subscribe(
    'to a cache channel named like a member',
    { channel: 'cache-__proto__' },
    {
      kind: 'events',
      names: [succeeded, 'pusher:cache_miss'],
    },
  ),
  { ...subscribe('twice', { channel: 'arena' }, error(/^Existing subscription to channel arena$/)), after: ['arena'] },
  subscribe(
    'to another one’s user channel',
    { channel: '#server-to-user-7' },
    refused('AuthError', 401, /^Not signed in as/),
  ),
]

function subscribe(name: string, data: Readonly<Record<string, unknown>>, answer: FrameAnswer): BadFrame {
  return message(`subscribe ${name}`, { event: 'pusher:subscribe', data }, answer)
}

function invalidChannel(): FrameAnswer {
  return refused('InvalidChannel', 400, /^Invalid channel name '/)
}

const authRequired = refused('AuthError', 401, /^Auth info required to subscribe to private-a$/)
const invalidKey = refused('AuthError', 401, /^Invalid key in subscription auth data: '/)
const invalidSignature = refused(
  'AuthError',
  401,
  /^Invalid signature: Expected HMAC SHA256 hex digest of \d+\.\d+:private-a/,
)
const key = '278d425bdf160c739803'

const auths: BadFrame[] = [
  subscribe('to private without auth', { channel: 'private-a' }, authRequired),
  ...[null, '', 1, true, [], [`${key}:x`], {}].map((auth) =>
    subscribe(`to private, auth ${JSON.stringify(auth)}`, { channel: 'private-a', auth }, authRequired),
  ),
  ...[
    ':',
    'nonsense',
    ...inheritedNames.map((name) => `${name}:x`),
    `${key.toUpperCase()}:x`,
    ` ${key}:x`,
    '\ud800:\ud800',
  ].map((auth) => subscribe(`to private, auth ${JSON.stringify(auth)}`, { channel: 'private-a', auth }, invalidKey)),
  ...[
    key,
    `${key}:`,
    `${key}:x`,
    `${key}:${'0'.repeat(64)}`,
    `${key}:${'g'.repeat(64)}`,
    `${key}:${'é'.repeat(64)}`,
  ].map((auth) => subscribe(`to private, auth ${auth.slice(0, 40)}`, { channel: 'private-a', auth }, invalidSignature)),
  subscribe(
    'to private, auth of 100 000',
    { channel: 'private-a', auth: `${key}:${'0'.repeat(100_000)}` },
    invalidSignature,
  ),
  signed('upper-case digest', ({ channelAuth }) =>
    channelAuth('private-a').toUpperCase().replace(key.toUpperCase(), key),
  ),
  signed('a newline behind the digest', ({ channelAuth }) => `${channelAuth('private-a')}\n`),
  signed('the digest of another channel', ({ channelAuth }) => channelAuth('private-b')),
  signed('the digest with channel_data that was not sent', ({ channelAuth }) => channelAuth('private-a', '{}')),
  ...['{}', '', '__proto__', '\ud800'].map((channelData) => ({
    name: `subscribe to private, channel_data ${JSON.stringify(channelData)} that was not signed`,
    bytes: ({ channelAuth }: FrameContext) => subscribeText('private-a', channelAuth('private-a'), channelData),
    answer: invalidSignature,
  })),
  ...[1, [], {}, true].map((channelData) => ({
    name: `subscribe to private, channel_data ${JSON.stringify(channelData)}, no text`,
    bytes: ({ channelAuth }: FrameContext) => subscribeText('private-a', channelAuth('private-a'), channelData),
    answer: invalidSignature,
  })),
]

function signed(name: string, auth: (context: FrameContext) => string): BadFrame {
  const bytes = (context: FrameContext) => subscribeText('private-a', auth(context), undefined)
  return { name: `subscribe to private, ${name}`, bytes, answer: invalidSignature }
}

function subscribeText(channel: string, auth: string, channelData: unknown): string {
  return JSON.stringify({ event: 'pusher:subscribe', data: { channel, auth, channel_data: channelData } })
}

const invalidMember = refused('AuthError', 401, /^Invalid channel_data: /)

const members: BadFrame[] = [
  ...[
    '',
    'null',
    '[]',
    '"u1"',
    '1',
    '{}',
    '{"user_id":null}',
    '{"user_id":""}',
    '{"user_id":[]}',
    '{"user_id":{}}',
    '{"user_id":true}',
    '{"user_id"',
    '{"__proto__":{"user_id":"u1"}}',
  ].map((channelData) => member(`channel_data ${channelData}`, channelData, invalidMember)),
  member(`channel_data ${levels} levels deep`, deepArray, invalidMember),
  member(`user_id ${levels} levels deep`, `{"user_id":${deepArray}}`, invalidMember),
  member(
    `user_info ${levels} levels deep`,
    `{"user_id":"u1","user_info":${deepArray}}`,
    tooLarge(/^The user_info is too large/),
  ),
  member('user_id of 129', `{"user_id":"${'a'.repeat(129)}"}`, tooLarge(/^The user_id is too long/)),
  member('user_id of 400 digits', `{"user_id":${'9'.repeat(400)}}`, tooLarge(/^The user_id is too long/)),
  member('user_info of 10 241 bytes', `{"user_id":"u1","user_info":"${'a'.repeat(10_239)}"}`, tooLarge(/10241$/)),
  ...[
    '"__proto__"',
    '"constructor"',
    '"toString"',
    '"\\ud800"',
    '"\\u0000"',
    '"\\r\\n"',
    '"\\"}"',
    '0',
    '-1',
    '1.5',
    '1e400',
    '12345678901234567890',
  ].map((id) => member(`user_id ${id}, odd but legal`, `{"user_id":${id}}`, accepted(/^\{"presence":\{"count":1,/))),
  ...[
    'null',
    '[]',
    '""',
    '{"__proto__":{"admin":true}}',
    '{"toJSON":1}',
    '"\\ud800"',
    '['.repeat(5000) + ']'.repeat(5000),
  ].map((info) =>
    member(
      `user_info ${info.slice(0, 40)}`,
      `{"user_id":"u1","user_info":${info}}`,
      accepted(/^\{"presence":\{"count":1,/),
    ),
  ),
  {
    name: 'subscribe to presence, signed without channel_data',
    bytes: ({ channelAuth }) => subscribeText('presence-a', channelAuth('presence-a'), undefined),
    answer: invalidMember,
  },
]

/** Signed as the application would: what is in it is still the stranger's. */
function member(name: string, channelData: string, answer: FrameAnswer): BadFrame {
  return {
    name: `subscribe to presence, ${name}`,
    bytes: ({ channelAuth }) => subscribeText('presence-a', channelAuth('presence-a', channelData), channelData),
    answer,
  }
}

function tooLarge(text: RegExp): FrameAnswer {
  return refused('LimitReached', 4301, text)
}

const unsubscribes: BadFrame[] = [
  message('unsubscribe without data', { event: 'pusher:unsubscribe' }, missingChannel),
  ...notAData.map((data) =>
    frame(`unsubscribe, data ${data}`, `{"event":"pusher:unsubscribe","data":${data}}`, missingChannel),
  ),
  ...notAChannel.map((channel) =>
    frame(
      `unsubscribe, channel ${channel}`,
      `{"event":"pusher:unsubscribe","data":{"channel":${channel}}}`,
      missingChannel,
    ),
  ),
  ...['', 'a', 'private-innocent', '\ud800', 'a'.repeat(100_000), ...inheritedNames].map((channel) =>
    message(
      `unsubscribe from ${JSON.stringify(channel.slice(0, 40))}, never subscribed`,
      { event: 'pusher:unsubscribe', data: { channel } },
      error(/^No current subscription to channel .*, or subscription in progress$/),
    ),
  ),
]

const missingAuth = error(/^Missing parameter: data\.auth$/)
const unauthorized = error(/^Connection not authorized: /, 4009)

const signins: BadFrame[] = [
  message('sign-in without data', { event: 'pusher:signin' }, missingAuth),
  ...notAData.map((data) => frame(`sign-in, data ${data}`, `{"event":"pusher:signin","data":${data}}`, missingAuth)),
  ...[null, 1, [], {}, undefined].map((userData) =>
    message(
      `sign-in, user_data ${JSON.stringify(userData) ?? 'absent'}, no text`,
      { event: 'pusher:signin', data: { auth: `${key}:x`, user_data: userData } },
      error(/^Missing parameter: data\.user_data$/),
    ),
  ),
  ...['', ':', `${key}:`, `${key}:${'0'.repeat(64)}`, '__proto__:x', 'constructor:x', '\ud800'].map((auth) =>
    message(
      `sign-in, auth ${JSON.stringify(auth)}`,
      { event: 'pusher:signin', data: { auth, user_data: '{"id":"1"}' } },
      unauthorized,
    ),
  ),
  ...[
    '',
    'null',
    '[]',
    '"1"',
    '{}',
    '{"id":1}',
    '{"id":""}',
    '{"id":null}',
    '{"id":["a"]}',
    '{"id":"a b"}',
    '{"id":"ü"}',
    '{"id":"\\ud800"}',
    `{"id":"${'a'.repeat(201)}"}`,
    '{"__proto__":{"id":"1"}}',
    deepArray,
    `{"id":${deepArray}}`,
  ].map((userData) => user(`user_data ${userData.slice(0, 40)}`, userData, unauthorized)),
  ...[
    '{"id":"__proto__"}',
    '{"id":"constructor"}',
    '{"id":"u","watchlist":{"length":9}}',
    '{"id":"u","watchlist":[null,1,[],{},"\\ud800"]}',
    '{"id":"u","user_info":{"__proto__":1}}',
  ].map((userData) =>
    user(`user_data ${userData}, odd but legal`, userData, { kind: 'events', names: ['pusher:signin_success'] }),
  ),
  user('a watchlist of names that every object has', JSON.stringify({ id: 'u', watchlist: inheritedNames }), {
    kind: 'events',
    names: ['pusher:signin_success', 'pusher_internal:watchlist_events'],
  }),
]

function user(name: string, userData: string, answer: FrameAnswer): BadFrame {
  const text = (auth: string) => JSON.stringify({ event: 'pusher:signin', data: { auth, user_data: userData } })
  return { name: `sign-in, ${name}`, bytes: ({ userAuth }) => text(userAuth(userData)), answer }
}

const notHere = error(/^Client event rejected - only supported on private and presence channels$/)
const after = ['private-arena'] as const

const clientEvents: BadFrame[] = [
  message('client event without anything', { event: 'client-a' }, malformedEvent),
  message('client event without data', { event: 'client-a', channel: 'private-arena' }, malformedEvent),
  message('client event without channel', { event: 'client-a', data: {} }, malformedEvent),
  ...notAChannel.map((channel) =>
    frame(`client event, channel ${channel}`, `{"event":"client-a","channel":${channel},"data":1}`, malformedEvent),
  ),
  frame(
    'client event, all of it in __proto__',
    '{"event":"client-a","__proto__":{"channel":"private-arena","data":1}}',
    malformedEvent,
  ),
  ...['innocent', '', 'a b', '__proto__', '\ud800', 'private-encrypted-a', '#server-to-user-7', 'private'].map(
    (channel) =>
      message(`client event on ${JSON.stringify(channel)}`, { event: 'client-a', channel, data: 1 }, notHere),
  ),
  ...['private-innocent', 'presence-innocent', 'private-cache-a'].map((channel) =>
    message(
      `client event on ${channel}, not subscribed`,
      { event: 'client-a', channel, data: 1 },
      error(/^Cannot broadcast client event \(connection not subscribed to channel /),
    ),
  ),
  inArena('65 levels', `{"event":"client-a","channel":"private-arena","data":${nested(65)}}`, malformedEvent),
  inArena('64 levels, the most', `{"event":"client-a","channel":"private-arena","data":${nested(64)}}`, nothing),
  inArena(
    '65 levels beside data',
    `{"event":"client-a","channel":"private-arena","data":1,"x":${nested(65)}}`,
    malformedEvent,
  ),
  inArena(`${levels} levels`, `{"event":"client-a","channel":"private-arena","data":${deepArray}}`, malformedEvent),
  inArena(
    `${levels} levels in a string are no levels`,
    JSON.stringify({ event: 'client-a', channel: 'private-arena', data: deepArray }),
    nothing,
  ),
  inArena(
    `${levels / 5} objects`,
    `{"event":"client-a","channel":"private-arena","data":${deepObject.slice(0, 100_000)}}`,
    notJson,
  ),
  inArena('data null', '{"event":"client-a","channel":"private-arena","data":null}', nothing),
  inArena('data a lone surrogate', '{"event":"client-a","channel":"private-arena","data":"\\ud800"}', nothing),
  inArena('data twice', '{"event":"client-a","channel":"private-arena","data":1,"data":[2]}', nothing),
  inArena('data under an escaped name', '{"event":"client-a","channel":"private-arena","d\\u0061ta":[1]}', nothing),
  inArena('a number no machine holds', '{"event":"client-a","channel":"private-arena","data":1e999999}', nothing),
  inArena('a name with a lone surrogate', '{"event":"client-\\ud800","channel":"private-arena","data":1}', nothing),
  inArena(
    'a name of 201',
    JSON.stringify({ event: `client-${'a'.repeat(194)}`, channel: 'private-arena', data: 1 }),
    error(/its name has 201 characters/, 4301),
  ),
  inArena(
    'data one byte too large',
    JSON.stringify({ event: 'client-a', channel: 'private-arena', data: 'a'.repeat(102_401) }),
    error(/its data has 102401 bytes/, 4301),
  ),
]

function inArena(name: string, text: string, answer: FrameAnswer): BadFrame {
  return { ...frame(`client event, ${name}`, text, answer), after }
}

function nested(count: number): string {
  return '['.repeat(count) + ']'.repeat(count)
}

const ponged: FrameAnswer = { kind: 'events', names: ['pusher:pong'], data: /^\{\}$/ }

const pings: BadFrame[] = [
  ...['null', '1', '[]', '""', '"{}"', '"nonsense"', '{"a":{}}', deepArray].map((data) =>
    frame(`ping, data ${data.slice(0, 20)}`, `{"event":"pusher:ping","data":${data}}`, ponged),
  ),
  frame('ping without data', '{"event":"pusher:ping"}', ponged),
  frame('ping with white space all around', ' \r\n\t{ "event" : "pusher:ping" } ', ponged),
  frame('ping, escaped', '{"\\u0065vent":"\\u0070usher:ping"}', ponged),
  frame('ping with a __proto__', '{"event":"pusher:ping","__proto__":{"event":"x"}}', ponged),
  ...['null', '[]', '{}', deepArray].map((data) =>
    frame(`pong nobody asked for, data ${data.slice(0, 20)}`, `{"event":"pusher:pong","data":${data}}`, nothing),
  ),
]

/** Not text at all, or text that is none. */
const notText: BadFrame[] = [
  binary('an empty binary frame', Buffer.alloc(0)),
  binary('a ping as a binary frame', Buffer.from('{"event":"pusher:ping"}')),
  binary('a subscribe as a binary frame', Buffer.from('{"event":"pusher:subscribe","data":{"channel":"a"}}')),
  binary('100 KB of binary', Buffer.alloc(100_000, 0xff)),
  ...(
    [
      ['0xff', [0xff]],
      ['a lone continuation byte', [0x80]],
      ['an overlong NUL', [0xc0, 0x80]],
      ['an overlong slash', [0xe0, 0x80, 0xaf]],
      ['a surrogate', [0xed, 0xa0, 0x80]],
      ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
      ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
      ['a character cut short', [0xe2, 0x82]],
      ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ] as const
  ).map(([name, bytes]) => wire(`invalid UTF-8: ${name}`, encodeFrame({ payload: Buffer.from(bytes) }), cut)),
  wire(
    'invalid UTF-8 inside a right frame',
    encodeFrame({ payload: Buffer.from('{"event":"pusher:\xff"}', 'latin1') }),
    cut,
  ),
  wire('invalid UTF-8 in the second fragment', encodeFragments(Buffer.from([0x22, 0xc3, 0x28, 0x22]), 2), cut),
  wire('a character cut by a fragment', encodeFragments(Buffer.from('"\u20ac"'), 2), notJson),
]

function binary(name: string, payload: Buffer): BadFrame {
  return wire(name, encodeFrame({ opcode: opcodes.binary, payload }), nothing)
}

function wire(name: string, bytes: Buffer, answer: FrameAnswer): BadFrame {
  return { name, bytes: () => bytes, answer }
}

const tooBig: FrameAnswer = { kind: 'close', codes: [1009], error: /^Message too big: at most \d+ bytes are allowed$/ }
const megabyte = 1_048_576

const sizes: BadFrame[] = [
  frame('a message of exactly the limit', `"${'a'.repeat(messageBytesMax - 2)}"`, notJson),
  frame('a message of one byte more', `"${'a'.repeat(messageBytesMax - 1)}"`, tooBig),
  wire('fragments that are too big together', encodeFragments(Buffer.alloc(messageBytesMax + 1, 0x61), 10_000), tooBig),
  wire('a message of four times the limit', encodeFrame({ payload: Buffer.alloc(4 * messageBytesMax, 0x61) }), tooBig),
  wire(
    'a message beyond four times the limit',
    encodeFrame({ payload: Buffer.alloc(4 * messageBytesMax + 1, 0x61) }),
    cut,
  ),
  wire('20 MB in one frame', encodeFrame({ payload: Buffer.alloc(20 * megabyte, 0x61) }), cut),
  wire('20 MB in fragments of 64 KB', encodeFragments(Buffer.alloc(20 * megabyte, 0x61), 65_536), cut),
  wire('20 MB in fragments of 1 KB', encodeFragments(Buffer.alloc(20 * megabyte, 0x61), 1024), cut),
  wire('20 MB promised and ten bytes sent', encodeFrame({ payload: 'a'.repeat(10), declaredBytes: 20_971_520n }), cut),
  wire('4 GB promised', encodeFrame({ payload: 'a', declaredBytes: 4_294_967_296n }), cut),
  wire('2^63 − 1 bytes promised', encodeFrame({ payload: 'a', declaredBytes: 0x7fff_ffff_ffff_ffffn }), cut),
  wire('2^64 − 1 bytes promised', encodeFrame({ payload: 'a', declaredBytes: 0xffff_ffff_ffff_ffffn }), cut),
]

const pingText = '{"event":"pusher:ping"}'

/** Frames that break RFC 6455; the library ends such a connection, or reads them as the sender can have meant them only. */
const frameFaults: BadFrame[] = [
  ...[0x40, 0x20, 0x10, 0x70].map((reserved) =>
    wire(`reserved bits 0x${reserved.toString(16)}`, encodeFrame({ payload: pingText, reserved }), cut),
  ),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) =>
    wire(`reserved opcode ${opcode}`, encodeFrame({ payload: 'a', opcode }), cut),
  ),
  wire('a continuation of nothing', encodeFrame({ payload: 'a', opcode: opcodes.continuation }), cut),
  wire(
    'a new message inside a fragmented one',
    Buffer.concat([encodeFrame({ payload: '{', fin: false }), encodeFrame({ payload: pingText })]),
    cut,
  ),
  wire('a fragmented ping', encodeFrame({ payload: 'a', opcode: opcodes.ping, fin: false }), cut),
  wire('a ping of 126 bytes', encodeFrame({ payload: 'a'.repeat(126), opcode: opcodes.ping }), cut),
  wire('a close of 126 bytes', encodeFrame({ payload: 'a'.repeat(126), opcode: opcodes.close }), cut),
  wire('a length written in three bytes without need', encodeFrame({ payload: pingText, lengthBytes: 3 }), ponged),
  wire('a length written in nine bytes without need', encodeFrame({ payload: pingText, lengthBytes: 9 }), ponged),
  wire(
    'a ping between two fragments',
    Buffer.concat([
      encodeFrame({ payload: pingText.slice(0, 5), fin: false }),
      encodeFrame({ opcode: opcodes.pong, payload: 'x' }),
      encodeFrame({ opcode: opcodes.continuation, payload: pingText.slice(5) }),
    ]),
    ponged,
  ),
  wire(
    'a thousand empty fragments',
    Buffer.concat([
      encodeFrame({ payload: '', fin: false }),
      ...Array.from({ length: 1000 }, () => encodeFrame({ opcode: opcodes.continuation, payload: '', fin: false })),
      encodeFrame({ opcode: opcodes.continuation, payload: pingText }),
    ]),
    ponged,
  ),
  wire(
    'a thousand pongs nobody asked for',
    Buffer.concat(Array.from({ length: 1000 }, () => encodeFrame({ opcode: opcodes.pong }))),
    nothing,
  ),
]

const closedBack: FrameAnswer = { kind: 'close', codes: [1000, 1001, 1002, 1005, 1006, 1007, 4001, 4999, 3000] }

const closes: BadFrame[] = [
  wire('a close without a code', encodeFrame({ opcode: opcodes.close }), closedBack),
  wire('a close with half a code', encodeFrame({ opcode: opcodes.close, payload: 'a' }), closedBack),
  ...[0, 999, 1000, 1004, 1005, 1006, 1015, 2999, 3000, 4001, 4999, 5000, 65_535].map((code) =>
    wire(`a close with code ${code}`, closeFrame(code), closedBack),
  ),
  wire('a close whose reason is no UTF-8', closeFrame(1000, Buffer.from([0xff, 0xfe])), closedBack),
  wire('a close with 123 bytes of reason', closeFrame(1000, 'a'.repeat(123)), closedBack),
  wire('a frame after a close', Buffer.concat([closeFrame(1000), encodeFrame({ payload: pingText })]), closedBack),
]

export const badFrames: readonly BadFrame[] = [
  ...notAnObject,
  ...unknownEvents,
  ...subscribes,
  ...auths,
  ...members,
  ...unsubscribes,
  ...signins,
  ...clientEvents,
  ...pings,
  ...notText,
  ...sizes,
  ...frameFaults,
  ...closes,
]
