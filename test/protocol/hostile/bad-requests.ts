import { inheritedNames } from './bad-frames.js'
import { appId, bodyBytesMax, credentials } from './hostile-server.js'
import { chunked, eventsPath, goodBody, signedRequest, type RequestParts } from './signed-request.js'

/** What must come back, and whether the connection may be used again. */
export type RequestAnswer =
  /** An answer of the API: the connection stays usable (keep-alive), proved by another request on it. */
  | { readonly kind: 'answer'; readonly status: number; readonly body?: RegExp }
  /** An answer after which the connection is not used again, or an end without one: framing is broken, nothing else may be read from it. */
  | { readonly kind: 'end'; readonly statuses: readonly number[] }
  /** Nothing yet: the request is not whole. The attacker goes away. */
  | { readonly kind: 'silence' }

export interface BadRequest {
  readonly name: string
  readonly bytes: () => string | Buffer
  readonly answer: RequestAnswer
}

const levels = 50_000
const deepArray = '['.repeat(levels) + ']'.repeat(levels)
const app = `/apps/${appId}`
const silence: RequestAnswer = { kind: 'silence' }

function answered(status: number, body?: RegExp): RequestAnswer {
  return { kind: 'answer', status, ...(body === undefined ? {} : { body }) }
}

/** @param statuses of an answer that may come before the end */
function ended(...statuses: readonly number[]): RequestAnswer {
  return { kind: 'end', statuses }
}

function raw(name: string, bytes: string | Buffer, answer: RequestAnswer): BadRequest {
  return { name, bytes: () => bytes, answer }
}

function signed(name: string, parts: RequestParts, answer: RequestAnswer): BadRequest {
  return { name, bytes: () => signedRequest(parts), answer }
}

/** `silence` where the library takes the head for unfinished: it waits ten seconds and then ends the connection. */
const brokenHttp: BadRequest[] = [
  raw('a line of nonsense', 'nonsense\r\n\r\n', silence),
  raw('binary nonsense', Buffer.from(Array.from({ length: 1024 }, (_, at) => (at * 151) % 256)), ended(400, 431, 505)),
  raw('NULs', Buffer.alloc(100), ended(400, 505)),
  raw('a TLS hello', Buffer.from('16030100c8010000c40303' + '5a'.repeat(200), 'hex'), ended(400, 505)),
  raw('HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', ended(400, 505)),
  raw('HTTP/1.0', 'GET /live HTTP/1.0\r\n\r\n', ended(200, 400, 505)),
  raw('HTTP/9.9', 'GET /live HTTP/9.9\r\nHost: x\r\n\r\n', ended(400, 505)),
  raw('no version', 'GET /live\r\nHost: x\r\n\r\n', silence),
  raw('only a method', 'GET\r\n\r\n', silence),
  raw('no Host', 'GET /live HTTP/1.1\r\n\r\n', silence),
  raw('a space in the target', 'GET /live /x HTTP/1.1\r\nHost: x\r\n\r\n', ended(400, 505)),
  raw('a header without a colon', 'GET /live HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n', silence),
  raw('a space before the colon', 'GET /live HTTP/1.1\r\nHost : x\r\n\r\n', silence),
  raw('a folded header', 'GET /live HTTP/1.1\r\nHost: x\r\n y\r\n\r\n', silence),
  raw('a NUL in a header', 'GET /live HTTP/1.1\r\nHost: x\0y\r\n\r\n', silence),
  raw('a bare CR in a header', 'GET /live HTTP/1.1\r\nHost: x\ry: z\r\n\r\n', silence),
  raw('an empty header name', 'GET /live HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n', answered(200)),
  raw('a header of 17 KB', `GET /live HTTP/1.1\r\nHost: x\r\nCookie: ${'a'.repeat(17_000)}\r\n\r\n`, ended(431)),
  raw('a target of 17 KB', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, ended(431, 414)),
  raw('500 headers', `GET /live HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(500)}\r\n`, ended(431)),
  raw('a head of 100 KB without an end', `GET /live HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(17_000)}`, ended(431)),
  raw('half a request line', 'POST /apps/3/ev', silence),
  raw('half a head', 'POST /apps/3/events HTTP/1.1\r\nHost: x\r\nContent-Le', silence),
  raw('a path of 12 KB', `GET /${'a'.repeat(12_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, answered(404, /^Unknown path "/)),
]

const framing: BadRequest[] = [
  ...[
    ['two lengths', 'Content-Length: 50\r\nContent-Length: 51\r\n'],
    ['the same length twice', 'Content-Length: 50\r\nContent-Length: 50\r\n'],
    ['the same length twice, spelt differently', 'content-length: 50\r\nCONTENT-LENGTH: 50\r\n'],
    ['three lengths', 'Content-Length: 0\r\nContent-Length: 0\r\nContent-Length: 50\r\n'],
    ['a length and chunks', 'Content-Length: 50\r\nTransfer-Encoding: chunked\r\n'],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 50\r\n'],
  ].flatMap(([name, lines]) => [
    signed(`${name ?? ''}, signed`, { framing: lines ?? '' }, ended(400)),
    raw(
      `${name ?? ''}, not signed`,
      `POST ${eventsPath} HTTP/1.1\r\nHost: x\r\n${lines ?? ''}\r\n${goodBody}`,
      ended(400),
    ),
    raw(`${name ?? ''}, on a GET`, `GET /live HTTP/1.1\r\nHost: x\r\n${lines ?? ''}\r\n${goodBody}`, ended(400)),
    raw(
      `${name ?? ''}, on a path that is not there`,
      `POST /x HTTP/1.1\r\nHost: x\r\n${lines ?? ''}\r\n${goodBody}`,
      ended(400),
    ),
  ]),
  ...['-1', '+5', 'abc', '1e3', '0x10', '5, 5', '5 5', '9'.repeat(20), '9'.repeat(1000), '1.5', '٣'].map((length) =>
    signed(`the length ${length.slice(0, 30)}`, { framing: `Content-Length: ${length}\r\n` }, ended(400, 413)),
  ),
  signed('a length of 2^53', { framing: 'Content-Length: 9007199254740993\r\n' }, ended(413, 400)),
  signed('a length one above the limit', { framing: `Content-Length: ${bodyBytesMax + 1}\r\n`, sent: '' }, ended(413)),
  signed('a body that ends early', { framing: 'Content-Length: 5000\r\n' }, silence),
  signed('a body that never comes', { framing: 'Content-Length: 50\r\n', sent: '' }, silence),
  signed('an encoding nobody knows', { framing: 'Transfer-Encoding: gzip\r\n' }, ended(400, 401, 501)),
  signed(
    'chunks twice',
    { framing: 'Transfer-Encoding: chunked, chunked\r\n', sent: chunked(goodBody) },
    answered(200, /^\{\}$/),
  ),
  signed(
    'a good body in chunks',
    { framing: 'Transfer-Encoding: chunked\r\n', sent: chunked(goodBody.slice(0, 9), goodBody.slice(9)) },
    answered(200, /^\{\}$/),
  ),
  signed(
    'no chunks at all',
    { framing: 'Transfer-Encoding: chunked\r\n', sent: chunked() },
    answered(401, /^Invalid body_md5/),
  ),
  signed(
    'a chunk whose size is no number',
    { framing: 'Transfer-Encoding: chunked\r\n', sent: 'zz\r\nhello\r\n0\r\n\r\n' },
    ended(400),
  ),
  signed(
    'a chunk of 2^64',
    { framing: 'Transfer-Encoding: chunked\r\n', sent: 'ffffffffffffffff1\r\nhello' },
    ended(400, 413),
  ),
  signed('a chunk that is not whole', { framing: 'Transfer-Encoding: chunked\r\n', sent: '100\r\nhello' }, silence),
  signed(
    'chunks beyond the limit',
    {
      framing: 'Transfer-Encoding: chunked\r\n',
      sent: chunked(...Array.from({ length: 40 }, () => Buffer.alloc(10_000, 0x20))),
    },
    ended(413),
  ),
  signed('a body larger than its length', { sent: `${goodBody}nonsense / HTTP/9.9\r\n\r\n` }, ended(200, 400, 505)),
]

const upgradeHead = 'Upgrade: websocket\r\nConnection: Upgrade\r\n'
const wsTarget = `/app/${credentials.key}?protocol=7`

/** Upgrades that are none: answered as the plain request they are. */
const brokenUpgrades: BadRequest[] = [
  raw(
    'an upgrade without a key',
    `GET ${wsTarget} HTTP/1.1\r\nHost: x\r\n${upgradeHead}Sec-WebSocket-Version: 13\r\n\r\n`,
    answered(404),
  ),
  raw(
    'an upgrade with an empty key',
    `GET ${wsTarget} HTTP/1.1\r\nHost: x\r\n${upgradeHead}Sec-WebSocket-Key: \r\n\r\n`,
    answered(404),
  ),
  raw(
    'an upgrade with a short key',
    `GET ${wsTarget} HTTP/1.1\r\nHost: x\r\n${upgradeHead}Sec-WebSocket-Key: YQ==\r\n\r\n`,
    answered(404),
  ),
  raw(
    'an upgrade with a long key',
    `GET ${wsTarget} HTTP/1.1\r\nHost: x\r\n${upgradeHead}Sec-WebSocket-Key: ${'a'.repeat(5000)}\r\n\r\n`,
    answered(404),
  ),
  raw(
    'an upgrade by POST',
    `POST ${wsTarget} HTTP/1.1\r\nHost: x\r\n${upgradeHead}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 0\r\n\r\n`,
    answered(404),
  ),
  raw(
    'an upgrade to HTTP/2',
    `GET ${wsTarget} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n`,
    answered(404),
  ),
  raw('a plain request to the socket’s path', `GET ${wsTarget} HTTP/1.1\r\nHost: x\r\n\r\n`, answered(404)),
  raw('half an upgrade', `GET ${wsTarget} HTTP/1.1\r\nHost: x\r\n${upgradeHead}Sec-WebSocket-Key: dGhl`, silence),
]

function get(name: string, target: string, answer: RequestAnswer): BadRequest {
  return raw(name, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`, answer)
}

const unknownPath = answered(404, /^Unknown path "/)

const paths: BadRequest[] = [
  ...[
    '/x',
    '//',
    '/..',
    '/%2e%2e/etc/passwd',
    '/apps',
    '/apps/',
    '/apps/3',
    '/apps/3/',
    '/apps//events',
    '/apps/3//events',
    '/apps/3/events/',
    '/apps/3/EVENTS',
    '/apps/3/events/x',
    '/apps/3/channels/',
    '/apps/3/channels/a/b',
    '/apps/3/users/',
    '/apps/3/users//terminate_connections',
    '/APPS/3/events',
    '/__proto__',
    '/constructor',
    '/metrics',
    '/usage',
    '/%',
    '/%zz',
    '/%00',
    '/\u00ff\u00fe',
    '/?a',
    '/.env',
    '/apps/3/%65vents',
  ].map((path) => get(`GET ${JSON.stringify(path)}`, path, path === '/?a' ? answered(200) : unknownPath)),
  ...[...inheritedNames, '4', '%00', '..', '%2e%2e', '-1', '3%20', '%F0%9F%98%80', 'a'.repeat(5000)].map((id) =>
    signed(`the app ${id.slice(0, 30)}`, { path: `/apps/${id}/events` }, answered(404, /^Unknown app "/)),
  ),
  get('a path with line breaks for a header', `${app}/channels%0d%0aSet-Cookie:%20x=1`, unknownPath),
  get('a path with an escape sequence for a terminal', '/%1b[2J', unknownPath),
  ...['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'FOO', 'get', 'post'].flatMap(
    (method) =>
      method === 'post' || method === 'HEAD'
        ? []
        : [
            raw(
              `${method} ${eventsPath}`,
              `${method} ${eventsPath} HTTP/1.1\r\nHost: x\r\n\r\n`,
              answered(405, /^Method "[A-Z]+" is not allowed/),
            ),
          ],
  ),
  raw('POST on a read', `POST ${app}/channels HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`, answered(405)),
  raw('a method of 5 000 letters', `${'A'.repeat(5000)} ${eventsPath} HTTP/1.1\r\nHost: x\r\n\r\n`, answered(405)),
]

function auth(name: string, parts: RequestParts, text: RegExp): BadRequest {
  return signed(name, parts, answered(401, text))
}

const unknownKey = /^Unknown auth_key\n$/
const expired = /^Timestamp expired: Given timestamp \(.*\) not within 600s of server time \(\d{4}-[\d-]+T[\d:]+Z\)\n$/
const wrongSignature = /^Invalid signature: you should have sent HmacSHA256Hex\("POST\\n\/apps\/3\/events\\n/

const auths: BadRequest[] = [
  raw(
    'no query',
    `POST ${eventsPath} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`,
    answered(401, /^Missing parameter: auth_key\n$/),
  ),
  raw(
    'a query of ampersands',
    `POST ${eventsPath}?&&&&==&= HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`,
    answered(401),
  ),
  auth('no auth_key', { query: { auth_key: undefined } }, /^Missing parameter: auth_key\n$/),
  auth('an empty auth_key', { query: { auth_key: '' } }, /^Missing parameter: auth_key\n$/),
  ...['x', ...inheritedNames, 'disabled-key', '\u0000', '\ud83d\ude00', 'a'.repeat(5000), '\r\nX: y'].map((key) =>
    auth(`the key ${JSON.stringify(key.slice(0, 30))}`, { query: { auth_key: key } }, unknownKey),
  ),
  auth('no auth_version', { query: { auth_version: undefined } }, /^Version required\n$/),
  ...['2.0', '1', '1.0 ', '1.0\n', '__proto__'].map((version) =>
    auth(`the version ${JSON.stringify(version)}`, { query: { auth_version: version } }, /^Version not supported\n$/),
  ),
  auth('no auth_timestamp', { query: { auth_timestamp: undefined } }, /^Timestamp required\n$/),
  ...[
    'abc',
    '-1',
    '0',
    '1',
    '1e9',
    '0x5f5e1000',
    'NaN',
    'Infinity',
    '9'.repeat(20),
    '9'.repeat(400),
    ' 1',
    '1.5',
    '٣',
    '99999999999',
    '\r\n',
    '__proto__',
  ].map((timestamp) =>
    auth(`the timestamp ${JSON.stringify(timestamp.slice(0, 30))}`, { query: { auth_timestamp: timestamp } }, expired),
  ),
  ...[
    '',
    'x',
    '0'.repeat(63),
    '0'.repeat(64),
    '0'.repeat(65),
    'g'.repeat(64),
    'é'.repeat(64),
    'a'.repeat(5000),
    '\u0000',
    '"}\n',
    '__proto__',
  ].map((signature) => auth(`the signature ${JSON.stringify(signature.slice(0, 70))}`, { signature }, wrongSignature)),
  auth('a parameter that is not signed', { querySuffix: '&extra=1' }, wrongSignature),
  ...['auth_key=x', 'auth_signature=x', 'AUTH_KEY=x', 'auth%5Fkey=x', 'body_md5=x', 'auth_timestamp=1'].map((suffix) =>
    auth(`twice: ${suffix}`, { querySuffix: `&${suffix}` }, /^Duplicate query parameter: "/),
  ),
  auth(
    'a parameter of 200 names',
    { querySuffix: '&__proto__=1'.repeat(200) },
    /^Duplicate query parameter: "__proto__"/,
  ),
  auth('broken percent-encoding', { querySuffix: '&%=%&%zz=%u0041&a=%c0%80' }, wrongSignature),
  ...['x', '', 'D41D8CD98F00B204E9800998ECF8427E', '0'.repeat(32), '\u0000'].map((md5) =>
    auth(`the body_md5 ${JSON.stringify(md5)}`, { query: { body_md5: md5 } }, /^Invalid body_md5/),
  ),
  auth('no body_md5', { query: { body_md5: undefined } }, /^Missing parameter: body_md5/),
  auth('another body than was signed', { sent: goodBody.replace('"x"', '"y"') }, /^Invalid body_md5/),
  signed('a key of a disabled app', { path: '/apps/disabled/events' }, answered(401, unknownKey)),
]

function body(name: string, content: string | Buffer, status: number, text: RegExp, path = eventsPath): BadRequest {
  return signed(`the body ${name}`, { body: content, path }, answered(status, text))
}

/** An event that is right but for some members. */
function event(name: string, members: Readonly<Record<string, unknown>>, status: number, text: RegExp): BadRequest {
  const whole = { name: 'e', channel: 'nobody-listens', data: 'x', ...members }
  return signed(`an event with ${name}`, { body: JSON.stringify(whole) }, answered(status, text))
}

const invalidJson = /^Invalid body: it is not JSON/
const notObject = /^Invalid body: it must be a JSON object/
const missingName = /^Missing required parameter: name\n$/

const bodies: BadRequest[] = [
  ...[
    '{',
    'nonsense',
    '{"name":"e",}',
    '\u0000',
    '\ufeff{}',
    `${goodBody}\u0000`,
    `${goodBody}${goodBody}`,
    "{'name':'e'}",
    'name=e&channel=a&data=x',
    '{"name":"\n"}',
    '['.repeat(levels),
  ].map((text) => body(JSON.stringify(text.slice(0, 60)), text, 400, invalidJson)),
  ...['null', '1', 'true', '"x"', '[]', `[${goodBody}]`, deepArray].map((text) =>
    body(text.slice(0, 60), text, 400, notObject),
  ),
  body('of no bytes', '', 400, missingName),
  body('{}', '{}', 400, missingName),
  body('in __proto__', `{"__proto__":${goodBody}}`, 400, missingName),
  body('in constructor', `{"constructor":{"prototype":${goodBody}}}`, 400, missingName),
  body(
    'of invalid UTF-8',
    Buffer.from('{"name":"\xff","channel":"a","data":"x"}', 'latin1'),
    400,
    /^Invalid body: it is not UTF-8/,
  ),
  body('in UTF-16', Buffer.from(goodBody, 'utf16le'), 400, /^Invalid body: /),
  body(
    'with a surrogate as UTF-8',
    Buffer.from([...Buffer.from('{"name":"'), 0xed, 0xa0, 0x80, ...Buffer.from('"}')]),
    400,
    /^Invalid body: it is not UTF-8/,
  ),
  body('with unknown members, deep', `{"x":${deepArray},${goodBody.slice(1)}`, 200, /^\{\}$/),
  event(`data a text of ${levels} levels`, { data: deepArray }, 200, /^\{\}$/),
  body(
    `with data of ${levels - 10} levels`,
    `{"name":"e","channel":"nobody-listens","data":${'['.repeat(levels - 10)}${']'.repeat(levels - 10)}}`,
    200,
    /^\{\}$/,
  ),
  ...[null, ''].map((name) => event(`the name ${JSON.stringify(name)}`, { name }, 400, missingName)),
  ...[1, true, [], ['e'], {}].map((name) =>
    event(`the name ${JSON.stringify(name)}`, { name }, 400, /^Invalid parameter: name must be a string/),
  ),
  ...['pusher:x', 'pusher_internal:subscription_succeeded', 'pusher:', 'pusher:error\r\nX: y'].map((name) =>
    event(`the name ${JSON.stringify(name)}`, { name }, 400, /^Reserved event name "[^\r\n]*\n$/),
  ),
  event('a name of 201', { name: 'a'.repeat(201) }, 400, /^Event name too long \(201 > 200 characters\)/),
  ...['__proto__', '\ud800', '\u0000', '"}\n{"event":"x'].map((name) =>
    event(`the odd name ${JSON.stringify(name)}`, { name }, 200, /^\{\}$/),
  ),
  event('no data', { data: undefined }, 400, /^Missing required parameter: data\n$/),
  event(
    'data one byte too large',
    { data: 'a'.repeat(102_401) },
    413,
    /^The data content of this event exceeds the allowed maximum \(102400 bytes\)/,
  ),
  event(
    'data too large in bytes, not in characters',
    { data: 'é'.repeat(51_201) },
    413,
    /^The data content of this event/,
  ),
  event(
    'data that is no text and too large',
    { data: Array.from({ length: 60_000 }, () => 1) },
    413,
    /^The data content of this event/,
  ),
  event('no channel', { channel: undefined }, 400, /^Missing required parameter: channel\n$/),
  event('the channel null', { channel: null }, 400, /^Missing required parameter: channel\n$/),
  ...[1, true, ['a'], {}].map((channel) =>
    event(`the channel ${JSON.stringify(channel)}`, { channel }, 400, /^Invalid parameter: channel must be a string/),
  ),
  ...[
    '',
    ' ',
    'a b',
    'ü',
    '\ud800',
    '\u0000',
    '#',
    '#server-to-user-',
    '#server-to-user-a b',
    'a\r\nb',
    '<script>',
    'a/b',
  ].map((channel) =>
    event(`the channel ${JSON.stringify(channel)}`, { channel }, 400, /^Invalid channel name "[^\r\n]*\n$/),
  ),
  event('a channel of 201', { channel: 'a'.repeat(201) }, 400, /^Channel name too long \(201 > 200 characters\)/),
  event('no channels', { channels: [] }, 400, /^Invalid parameter: channels is empty/),
  event(
    '101 channels',
    { channels: Array.from({ length: 101 }, (_, at) => `c${at}`) },
    400,
    /^Too many channels \(101 > 100\)/,
  ),
  ...['a', 1, {}, true, [null], [1], [['a']], [{}]].map((channels) =>
    event(
      `the channels ${JSON.stringify(channels)}`,
      { channels },
      400,
      /^Invalid parameter: channels must be a list of strings/,
    ),
  ),
  event('one bad channel of two', { channels: ['innocent', 'a b'] }, 400, /^Invalid channel name "a b"/),
  ...[1, 1.1, true, [], {}, ['1.1']].map((id) =>
    event(
      `the socket_id ${JSON.stringify(id)}`,
      { socket_id: id },
      400,
      /^Invalid parameter: socket_id must be a string/,
    ),
  ),
  ...[
    '',
    'abc',
    '1',
    '1.',
    '.1',
    '1.1.1',
    '1.1\n',
    ' 1.1',
    '-1.1',
    '1,1',
    '١.١',
    '1.1:private-a',
    '__proto__',
    '1'.repeat(5000),
  ].map((id) =>
    event(
      `the socket_id ${JSON.stringify(id.slice(0, 40))}`,
      { socket_id: id },
      400,
      /^Invalid socket_id "[^\r\n]*\n$/,
    ),
  ),
  event('a socket_id nobody has', { socket_id: `${'9'.repeat(5000)}.1` }, 200, /^\{\}$/),
  ...['x', 'user_count;', '__proto__', 'cache', ',', 'user_count,'].map((info) =>
    event(`the info ${JSON.stringify(info)}`, { info }, 400, /info should be a comma separated list of attributes/),
  ),
  ...[1, [], {}, ['user_count']].map((info) =>
    event(`the info ${JSON.stringify(info)}`, { info }, 400, /^Invalid parameter: info must be a string/),
  ),
]

const batchPath = `${app}/batch_events`
const one = JSON.parse(goodBody) as Record<string, unknown>

function batch(name: string, value: unknown, status: number, text: RegExp): BadRequest {
  return signed(`a batch ${name}`, { path: batchPath, body: JSON.stringify({ batch: value }) }, answered(status, text))
}

const batches: BadRequest[] = [
  batch('that is missing', undefined, 400, /^Missing required parameter: batch\n$/),
  batch('that is null', null, 400, /^Missing required parameter: batch\n$/),
  ...['x', 1, true, {}, { length: 1, 0: one }].map((value) =>
    batch(JSON.stringify(value), value, 400, /^Invalid parameter: batch must be a list of events/),
  ),
  ...[null, 1, 'x', [], [one]].map((value) =>
    batch(`of ${JSON.stringify(value)}`, [value], 400, /^Invalid parameter: batch\[0\] must be an object/),
  ),
  batch(
    'of eleven',
    Array.from({ length: 11 }, () => one),
    400,
    /^Batch too large \(11 > 10\)/,
  ),
  batch('of an event without a channel', [{ ...one, channel: undefined }], 400, /^Missing required parameter: channel/),
  batch(
    'of an event with channels',
    [{ ...one, channel: undefined, channels: ['a'] }],
    400,
    /^Missing required parameter: channel/,
  ),
  batch('with one too large', [one, { ...one, data: 'a'.repeat(102_401) }], 413, /^The data content of this event/),
  // All or nothing: the innocent would notice the first of the two.
  batch(
    'whose second event is reserved',
    [
      { ...one, channel: 'innocent' },
      { ...one, name: 'pusher:x' },
    ],
    400,
    /^Reserved event name/,
  ),
  body(
    `of ${levels} levels as a batch`,
    `{"batch":${deepArray}}`,
    400,
    /^Invalid parameter: batch\[0\] must be an object/,
    batchPath,
  ),
]

function read(
  name: string,
  path: string,
  query: Readonly<Record<string, string>>,
  status: number,
  text: RegExp,
): BadRequest {
  return signed(`GET ${name}`, { method: 'GET', path: `${app}/${path}`, query }, answered(status, text))
}

const reads: BadRequest[] = [
  ...['%zz', '%', 'a%20b', 'a%00b', '%0d%0aX:%20y', '%ff', '%ed%a0%80', '%23', '%F0%9F%98%80', '<script>'].map((name) =>
    read(`the channel ${name}`, `channels/${name}`, {}, 400, /^Invalid channel name "[^\r\n]*\n$/),
  ),
  read('a channel of 201', `channels/${'a'.repeat(201)}`, {}, 400, /^Channel name too long/),
  ...inheritedNames.map((name) => read(`the channel ${name}`, `channels/${name}`, {}, 200, /^\{"occupied":false\}$/)),
  read(
    'user_count of a public channel',
    'channels/a',
    { info: 'user_count' },
    400,
    /^Cannot retrieve the user count unless/,
  ),
  read('cache of a plain channel', 'channels/a', { info: 'cache' }, 400, /cache/),
  ...['x', '__proto__', 'user_count;', '\u0000', ','].map((info) =>
    read(
      `info ${JSON.stringify(info)}`,
      'channels/a',
      { info },
      400,
      /info should be a comma separated list of attributes/,
    ),
  ),
  read('users of a public channel', 'channels/a/users', {}, 400, /^Users can only be retrieved for presence channels/),
  read(
    'user_count of every channel',
    'channels',
    { info: 'user_count' },
    400,
    /^user_count may only be requested for presence channels/,
  ),
  ...['\u0000', '__proto__', '%', '(a+)+$', 'x'.repeat(5000), '\ud83d\ude00'].map((prefix) =>
    read(
      `channels by the prefix ${JSON.stringify(prefix.slice(0, 20))}`,
      'channels',
      { filter_by_prefix: prefix },
      200,
      /^\{"channels":\{\}\}$/,
    ),
  ),
  ...['a%20b', '%00', '%0d%0a', 'a'.repeat(201), '%ff'].map((id) =>
    signed(
      `terminate the user ${id.slice(0, 20)}`,
      { path: `${app}/users/${id}/terminate_connections`, body: '{}' },
      answered(400, /^Invalid user id "[^\r\n]*\n$/),
    ),
  ),
  ...inheritedNames.map((id) =>
    signed(
      `terminate the user ${id}`,
      { path: `${app}/users/${id}/terminate_connections`, body: '{}' },
      answered(200, /^\{\}$/),
    ),
  ),
  signed(
    'terminate with a body of 70 KB',
    { path: `${app}/users/a/terminate_connections`, body: ' '.repeat(70_000) },
    ended(413),
  ),
]

export const badRequests: readonly BadRequest[] = [
  ...brokenHttp,
  ...framing,
  ...brokenUpgrades,
  ...paths,
  ...auths,
  ...bodies,
  ...batches,
  ...reads,
]
