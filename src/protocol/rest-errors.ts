/** Longest piece of a request that an error text repeats. */
const echoCharsMax = 200
/** The string to sign is repeated longer: it is what the developer has to compare with his own. */
const signedTextCharsMax = 4096

/** One error of the REST API: its status, when it is sent, and its sentence. Never holds a secret, a digest of ours or a payload. */
export interface RestError<Args extends readonly unknown[] = never> {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 429 | 500 | 503
  /** When it is sent, for docs/errors.md. */
  readonly when: string
  /** The sentence without the newline that ends every error body (section 4). */
  readonly text: (...args: Args) => string
  /** The sentence with sample values, for docs/errors.md. */
  readonly example: string
}

/** A request that is answered with an error. */
export class Refusal {
  readonly status: number
  readonly text: string

  constructor(status: number, text: string) {
    this.status = status
    this.text = text
  }
}

export function refuse<Args extends readonly unknown[]>(error: RestError<Args>, ...args: Args): Refusal {
  return new Refusal(error.status, error.text(...args))
}

/** Every error of the REST API, in one list; docs/errors.md is generated from it. Texts of protocol sections 4.1 to 4.11 are exact. */
export const restErrors = {
  missingAuthKey: define(401, 'the query has no auth_key', [], () => 'Missing parameter: auth_key'),
  unknownAuthKey: define(401, 'the auth_key is no key of the app in the path', [], () => 'Unknown auth_key'),
  unknownApp: define(
    404,
    'the app id of the path is not configured',
    ['7'],
    (appId: string) =>
      `Unknown app ${quoted(appId)}. Check the app id in the path /apps/APP_ID/… against the configuration.`,
  ),
  versionRequired: define(401, 'the query has no auth_version', [], () => 'Version required'),
  versionNotSupported: define(401, 'auth_version is not 1.0', [], () => 'Version not supported'),
  timestampRequired: define(401, 'the query has no auth_timestamp', [], () => 'Timestamp required'),
  timestampExpired: define(
    401,
    "auth_timestamp is 600 s or more away from the server's clock, or no number of Unix seconds",
    ['1380444393', 1380443792000],
    (given: string, nowMs: number) =>
      `Timestamp expired: Given timestamp (${instant(given)}) not within 600s of server time (${utc(nowMs)})`,
  ),
  invalidSignature: define(
    401,
    'auth_signature does not sign this request with the secret of auth_key',
    ['POST\n/apps/3/events\nauth_key=KEY&auth_timestamp=1353088179&auth_version=1.0', 'abc'],
    (stringToSign: string, given: string) =>
      `Invalid signature: you should have sent HmacSHA256Hex(${quoted(stringToSign, signedTextCharsMax)}, your_secret_key), but you sent ${quoted(given)}`,
  ),
  duplicateParameter: define(
    401,
    'a query parameter is given twice and its name does not end in []',
    ['auth_key'],
    (name: string) => `Duplicate query parameter: ${quoted(name)}. Send it once; only names that end in [] may repeat.`,
  ),
  missingBodyMd5: define(
    401,
    'the request has a body and the query no body_md5',
    [],
    () => 'Missing parameter: body_md5. A request with a body must sign the MD5 of that body in lower-case hex.',
  ),
  wrongBodyMd5: define(
    401,
    'body_md5 is not the MD5 of the body as received',
    ['abc'],
    (given: string) =>
      `Invalid body_md5: you sent ${quoted(given)}, which is not the MD5 of the body received. Sign the exact bytes that are sent.`,
  ),
  appDisabled: define(403, 'the app is disabled in the configuration', [], () => 'Application disabled'),
  unknownPath: define(
    404,
    'the path is none of the REST API',
    ['/events'],
    (path: string) =>
      `Unknown path ${quoted(path)}. The REST API answers under /apps/APP_ID/: events, batch_events, channels, connections, users/USER_ID/terminate_connections.`,
  ),
  methodNotAllowed: define(
    405,
    'the path exists for another method; the header Allow names it',
    ['GET', 'POST'],
    (method: string, allowed: string) => `Method ${quoted(method)} is not allowed on this path. Use ${allowed}.`,
  ),
  invalidUtf8: define(400, 'the body is not UTF-8', [], () => 'Invalid body: it is not UTF-8. Send JSON in UTF-8.'),
  invalidJson: define(400, 'the body is not JSON', [], () => 'Invalid body: it is not JSON. Send a JSON object.'),
  bodyNotObject: define(400, 'the body is JSON, but no object', [], () => 'Invalid body: it must be a JSON object.'),
  missingParameter: define(
    400,
    'a required field is absent or null',
    ['name'],
    (name: string) => `Missing required parameter: ${name}`,
  ),
  wrongType: define(
    400,
    'a field has another type than required',
    ['channels', 'a list of strings'],
    (name: string, type: string) => `Invalid parameter: ${name} must be ${type}`,
  ),
  eventNameTooLong: define(
    400,
    'the event name is longer than limits.eventNameLength',
    [201, 200],
    (length: number, limit: number) => `Event name too long (${length} > ${limit} characters)`,
  ),
  reservedEventName: define(
    400,
    'the event name begins pusher: or pusher_internal:',
    ['pusher:ping'],
    (name: string) =>
      `Reserved event name ${quoted(name)}: names that begin pusher: or pusher_internal: belong to the service. Choose another.`,
  ),
  dataTooLarge: define(
    413,
    'the data of an event is larger than limits.eventBytes',
    [102_400],
    (limitBytes: number) =>
      `The data content of this event exceeds the allowed maximum (${limitBytes} bytes). Send less, for example an id by which the client fetches the rest, or raise limits.eventBytes.`,
  ),
  bodyTooLarge: define(
    413,
    'the request body is larger than http.bodyBytes',
    [6_209_536],
    (limitBytes: number) =>
      `The request body exceeds the allowed maximum (${limitBytes} bytes). Send fewer or smaller events, or raise http.bodyBytes.`,
  ),
  noChannels: define(
    400,
    'channels is an empty list',
    [],
    () => 'Invalid parameter: channels is empty. Name at least one channel.',
  ),
  tooManyChannels: define(
    400,
    'a trigger names more than limits.channelsPerTrigger channels',
    [101, 100],
    (count: number, limit: number) => `Too many channels (${count} > ${limit}). Split the trigger.`,
  ),
  invalidChannel: define(
    400,
    'a channel name has a character that is not allowed',
    ['my channel'],
    (name: string) =>
      `Invalid channel name ${quoted(name)}: only letters, digits and _ - = @ , . ; are allowed, and #server-to-user-USER_ID for a user.`,
  ),
  channelTooLong: define(
    400,
    'a channel name is longer than limits.channelNameLength',
    [201, 200],
    (length: number, limit: number) => `Channel name too long (${length} > ${limit} characters)`,
  ),
  invalidSocketId: define(
    400,
    'socket_id is not two numbers with a dot between',
    ['abc'],
    (given: string) =>
      `Invalid socket_id ${quoted(given)}: it must be digits, a dot and digits, as the client received it.`,
  ),
  invalidUserId: define(
    400,
    'the user id of the path cannot be that of a signed-in user',
    ['a b'],
    (given: string) =>
      `Invalid user id ${quoted(given)}: only letters, digits and _ - = @ , . ; are allowed, at most 200 characters.`,
  ),
  batchTooLarge: define(
    400,
    'a batch has more than limits.batchEvents events',
    [11, 10],
    (count: number, limit: number) => `Batch too large (${count} > ${limit})`,
  ),
  unknownInfo: define(
    400,
    'info names an attribute that does not exist here',
    ['count', 'user_count, subscription_count'],
    (given: string, allowed: string) =>
      `info should be a comma separated list of attributes, but ${quoted(given)} is none of: ${allowed}`,
  ),
  userCountNeedsPrefix: define(
    400,
    'user_count is asked of a channel list that is not limited to presence channels',
    [],
    // The spelling is the hosted service's: libraries compare with it (4.5).
    () =>
      'user_count may only be requested for presence channels - please supply filter_by_prefix begining with presence-',
  ),
  userCountNeedsPresence: define(
    400,
    'user_count is asked of a channel that is no presence channel',
    [],
    () => 'Cannot retrieve the user count unless the channel is a presence channel',
  ),
  cacheNeedsCacheChannel: define(
    400,
    'cache is asked of a channel that is no cache channel',
    [],
    () => 'Cannot retrieve the cache unless the channel is a cache channel',
  ),
  usersNeedPresence: define(
    400,
    'the users of a channel that is no presence channel are asked for',
    [],
    () => 'Users can only be retrieved for presence channels',
  ),
  triggerRate: define(
    429,
    'limits.triggersPerSecond is used up; Retry-After says when to try again',
    [100],
    (limit: number) =>
      `Too many events: the app may trigger ${limit} per second, each event of a batch counted. Nothing was published; retry later.`,
  ),
  readRate: define(
    429,
    'limits.readsPerSecond is used up; Retry-After says when to try again',
    [100],
    (limit: number) => `Too many requests: the app may read ${limit} times per second. Retry later.`,
  ),
  notConfirmed: define(
    503,
    'the other nodes did not confirm a trigger, a batch or a termination; Retry-After says when to try again',
    [],
    () => 'Not confirmed: the message bus between the nodes did not confirm in time. Retry later.',
  ),
  readUnavailable: define(
    503,
    'a read needs the other nodes and they cannot be asked; Retry-After says when to try again',
    [],
    () => 'Unavailable: the answer needs the state shared by all nodes, which cannot be read now. Retry later.',
  ),
  overloaded: define(
    503,
    'the node has too many requests in work; Retry-After says when to try again',
    [],
    () => 'Overloaded: too many requests are in work. Nothing was published; retry later.',
  ),
  internal: define(
    500,
    'a fault of the server; its log has the reason',
    [],
    () => 'Internal error. The log of the server has the reason.',
  ),
} as const

function define<const Args extends readonly unknown[]>(
  status: RestError['status'],
  when: string,
  sample: Args,
  text: (...args: Widened<Args>) => string,
): RestError<Widened<Args>> {
  return { status, when, text, example: text(...(sample as Widened<Args>)) }
}

/** Sample values stand for their types. */
type Widened<Args extends readonly unknown[]> = {
  [Index in keyof Args]: Args[Index] extends string ? string : Args[Index] extends number ? number : Args[Index]
}

/** A value from outside, quoted so that no newline or control character of it reaches a terminal, and cut. */
function quoted(value: string, charsMax: number = echoCharsMax): string {
  return JSON.stringify(value.length <= charsMax ? value : `${value.slice(0, charsMax)}…`)
}

/** Unix seconds as a UTC time; what is no time is shown as it came. */
function instant(unixSeconds: string): string {
  const ms = Number(unixSeconds) * 1000
  return /^\d+$/.test(unixSeconds) && ms <= 8.64e15 ? utc(ms) : quoted(unixSeconds)
}

function utc(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19)}Z`
}
