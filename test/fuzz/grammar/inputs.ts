import type { Attacker } from '../../protocol/hostile/attacker.js'
import { closeFrame, encodeFragments, encodeFrame } from '../../protocol/hostile/wire-frame.js'
import { chunked, signedRequest } from '../../protocol/hostile/signed-request.js'
import type { Random } from '../../harness/random.js'
import { anyJson, anyText, mutate, objectText, several } from './texts.js'

/** Where the hostile client may go: never into the channels of the innocent one, whom a right request may well disturb. */
const arenas = [
  'arena',
  'private-arena',
  'presence-arena',
  'private-cache-arena',
  'private-encrypted-arena',
  'cache-arena',
] as const

/** What a client says: mostly right by grammar, signed where it has to be, and sometimes bent. */
export function frameText(random: Random, attacker: Attacker): string {
  switch (random.below(8)) {
    case 0:
    case 1:
      return subscribeText(random, attacker)
    case 2:
      return objectText([
        ['event', '"pusher:unsubscribe"'],
        ['data', random.chance(5) ? anyJson(random) : objectText([['channel', JSON.stringify(random.pick(arenas))]])],
      ])
    case 3:
      return signinText(random, attacker)
    case 4:
    case 5:
      return objectText([
        ['event', JSON.stringify(`client-${anyText(random)}`)],
        ['channel', JSON.stringify(random.chance(4) ? anyText(random) : random.pick(arenas))],
        ['data', anyJson(random)],
      ])
    case 6:
      return `{"event":"${random.pick(['pusher:ping', 'pusher:pong'])}","data":${anyJson(random)}}`
    default:
      return anyJson(random)
  }
}

function subscribeText(random: Random, attacker: Attacker): string {
  const channel = random.pick(arenas)
  const member = objectText([
    ['user_id', JSON.stringify(anyText(random))],
    ...several(random, () => ['user_info', anyJson(random)] as const),
  ])
  const channelData = channel.startsWith('presence-') ? (random.chance(4) ? anyJson(random) : member) : undefined
  const auth = random.chance(5) ? anyText(random) : attacker.channelAuth(channel, channelData)
  const data = JSON.stringify({
    channel: random.chance(6) ? `${anyText(random)}-arena` : channel,
    auth,
    channel_data: channelData,
  })
  return `{"event":"pusher:subscribe","data":${random.chance(4) ? JSON.stringify(data) : data}}`
}

function signinText(random: Random, attacker: Attacker): string {
  const user = objectText([
    ['id', JSON.stringify(random.pick(['7', '8', '__proto__', anyText(random)]))],
    ['watchlist', random.chance(3) ? anyJson(random) : '["7","8","__proto__"]'],
    ['user_info', anyJson(random)],
  ])
  const userData = random.chance(4) ? anyJson(random) : user
  const auth = random.chance(4) ? anyText(random) : attacker.userAuth(userData)
  return JSON.stringify({ event: 'pusher:signin', data: { auth, user_data: userData } })
}

/** The bytes of a frame around a text: mostly right, else with a header or a payload that is not. */
export function frameBytes(random: Random, text: string): Buffer {
  const payload = random.chance(4) ? bentPayload(random, text) : Buffer.from(text)
  if (!random.chance(40)) return encodeFrame({ payload })
  switch (random.below(7)) {
    case 0:
      return encodeFragments(payload, 1 + random.below(200))
    case 1:
      return encodeFrame({ payload, opcode: random.below(16), fin: !random.chance(3), reserved: random.below(8) << 4 })
    case 2:
      return encodeFrame({ payload, declaredBytes: BigInt(random.below(2_000_000_000)) * BigInt(1 + random.below(8)) })
    case 3:
      return encodeFrame({ payload, masked: false })
    case 4:
      return random.bytes(1 + random.below(300))
    case 5:
      return closeFrame(random.below(65_536), random.bytes(random.below(120)))
    default:
      return mutate(random, encodeFrame({ payload }))
  }
}

/** Mostly still UTF-8, because what is not ends the connection and with it everything that would have come after. */
function bentPayload(random: Random, text: string): Buffer {
  const bent = mutate(random, Buffer.from(text))
  return random.chance(20) ? bent : Buffer.from(bent.toString('utf8'))
}

/** The bytes of a request: signed by grammar, then bent in its text, its framing or its bytes. */
export function requestBytes(random: Random): Buffer {
  const path = `/apps/3/${random.pick(['events', 'events', 'batch_events', 'channels', 'channels/arena', 'channels/presence-arena/users', 'users/8/terminate_connections', anyPath(random)])}`
  const reading = path.includes('/channels')
  const body = reading ? '' : bodyText(random)
  const query = random.chance(4)
    ? { [random.pick(['info', 'filter_by_prefix', 'auth_key', 'auth_timestamp', 'body_md5', 'x'])]: anyText(random) }
    : {}
  const encoded = Buffer.from(body)
  const chunks = !reading && random.chance(6)
  const cutAt = random.below(encoded.length + 1)
  const request = signedRequest({
    method: reading ? 'GET' : 'POST',
    path: path.replaceAll(/[^\x21-\x7e]/g, '%'),
    body,
    query,
    ...(random.chance(8) ? { signature: anyText(random) } : {}),
    ...(chunks
      ? {
          framing: 'Transfer-Encoding: chunked\r\n',
          sent: chunked(encoded.subarray(0, cutAt), encoded.subarray(cutAt)),
        }
      : {}),
    ...(random.chance(20)
      ? { framing: `Content-Length: ${encoded.length}\r\nContent-Length: ${random.below(100)}\r\n` }
      : {}),
  })
  return random.chance(4) ? mutate(random, request) : request
}

function anyPath(random: Random): string {
  return encodeURI(anyText(random).replaceAll(/[\ud800-\udfff]/g, '%'))
}

/** Whoever signs for the app may publish to the innocent one's channels, and by accident would: such a body is left out. */
function bodyText(random: Random): string {
  const text = anyBody(random)
  return text.includes('innocent') ? '{}' : text
}

function anyBody(random: Random): string {
  if (random.chance(6)) return anyJson(random)
  const event = () =>
    objectText([
      ['name', JSON.stringify(anyText(random))],
      ['channel', JSON.stringify(random.pick(arenas))],
      ['data', anyJson(random)],
      ...several(random, () => [random.pick(['socket_id', 'info', 'channels', '__proto__']), anyJson(random)] as const),
    ])
  return random.chance(4) ? objectText([['batch', `[${several(random, event).join()}]`]]) : event()
}
