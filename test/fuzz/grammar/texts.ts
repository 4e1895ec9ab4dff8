import { fieldNames } from '../field-names.js'
import type { Random } from '../../harness/random.js'

const words = [
  '',
  'a',
  '__proto__',
  'constructor',
  'toString',
  'private-a',
  'presence-a',
  'private-encrypted-a',
  'cache-a',
  'private-cache-a',
  'presence-cache-a',
  '#server-to-user-7',
  'innocent',
  'private-innocent',
  'presence-innocent',
  'pusher:ping',
  'client-a',
  '\u0000',
  '\ud800',
  '\u2028',
  '"\\',
  '\r\nX: y',
  '😀',
  '%2e%2e',
  'x'.repeat(201),
] as const

const members = [...fieldNames, '__proto__', 'name', 'channels', 'socket_id', 'info', 'batch'] as const

/** A text that means something to the server, or to JavaScript, or nothing. */
export function anyText(random: Random): string {
  if (random.chance(6)) return random.bytes(random.below(20)).toString('latin1')
  return random.chance(5) ? random.pick(words) + random.pick(words) : random.pick(words)
}

/** JSON text of any value. @param levels how deep it may go */
export function anyJson(random: Random, levels = 3): string {
  const kind = random.below(levels > 0 ? 9 : 6)
  switch (kind) {
    case 0:
      return random.pick(['null', 'true', 'false', '{}', '[]'])
    case 1:
      return random.pick(['0', '-1', '1.50', '1e400', '12345678901234567890'])
    case 6:
      return `[${several(random, () => anyJson(random, levels - 1)).join()}]`
    case 7:
      return objectText(several(random, () => [random.pick(members), anyJson(random, levels - 1)] as const))
    case 8:
      return random.chance(50) ? nested(random) : JSON.stringify(anyJson(random, levels - 1))
    default:
      return JSON.stringify(anyText(random))
  }
}

function nested(random: Random): string {
  const levels = random.pick([60, 64, 65, 1000, 50_000])
  return '['.repeat(levels) + (random.chance(3) ? '' : ']'.repeat(levels))
}

export function objectText(pairs: readonly (readonly [string, string])[]): string {
  return `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`
}

export function several<Item>(random: Random, make: () => Item): Item[] {
  return Array.from({ length: random.below(4) }, make)
}

/** One or two places cut, doubled or replaced. */
export function mutate(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1)
  const upTo = Math.min(bytes.length, at + random.below(8))
  switch (random.below(5)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(upTo)])
    case 2:
      return Buffer.concat([bytes.subarray(0, upTo), bytes.subarray(at)])
    case 3:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(4)), bytes.subarray(upTo)])
    default:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(anyText(random)), bytes.subarray(at)])
  }
}
