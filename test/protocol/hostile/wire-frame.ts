/** WebSocket frames as bytes (RFC 6455), right ones and wrong ones. */

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface FrameParts {
  readonly payload?: string | Buffer
  /** Default text. */
  readonly opcode?: number
  /** Default true. */
  readonly fin?: boolean
  /** The three reserved bits as they stand in the first byte (0x40, 0x20, 0x10). */
  readonly reserved?: number
  /** Default true, as a client must. */
  readonly masked?: boolean
  /** Bytes the header promises, when they are not the payload's. */
  readonly declaredBytes?: bigint
  /** How the length is written, when not in the shortest way. */
  readonly lengthBytes?: 1 | 3 | 9
}

const maskKey = Buffer.from([0x12, 0x34, 0x56, 0x78])

export function encodeFrame(parts: FrameParts): Buffer {
  const { opcode = opcodes.text, fin = true, reserved = 0, masked = true } = parts
  const payload = Buffer.from(parts.payload ?? '')
  const declared = parts.declaredBytes ?? BigInt(payload.length)
  const first = Buffer.from([(fin ? 0x80 : 0) | reserved | opcode])
  const mask = masked ? maskKey : Buffer.alloc(0)
  return Buffer.concat([
    first,
    encodeLength(declared, masked, parts.lengthBytes),
    mask,
    masked ? xor(payload) : payload,
  ])
}

export function closeFrame(code: number, reason: string | Buffer = ''): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(code)
  return encodeFrame({ opcode: opcodes.close, payload: Buffer.concat([head, Buffer.from(reason)]) })
}

/** A message cut into frames of at most `bytesMax`. */
export function encodeFragments(payload: Buffer, bytesMax: number): Buffer {
  const frames: Buffer[] = []
  for (let at = 0; at < payload.length; at += bytesMax) {
    const piece = payload.subarray(at, at + bytesMax)
    const opcode = at === 0 ? opcodes.text : opcodes.continuation
    frames.push(encodeFrame({ opcode, fin: at + bytesMax >= payload.length, payload: piece }))
  }
  return Buffer.concat(frames)
}

export interface ReceivedFrame {
  readonly opcode: number
  readonly payload: Buffer
}

/** What of the bytes is whole frames of a server, and how many bytes those take. */
export function decodeFrames(bytes: Buffer): { readonly frames: ReceivedFrame[]; readonly taken: number } {
  const frames: ReceivedFrame[] = []
  let at = 0
  while (bytes.length >= at + 2) {
    const short = (bytes[at + 1] ?? 0) & 0x7f
    const start = at + (short === 126 ? 4 : short === 127 ? 10 : 2)
    if (bytes.length < start) break
    const length =
      short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short
    if (bytes.length < start + length) break
    frames.push({ opcode: (bytes[at] ?? 0) & 0x0f, payload: bytes.subarray(start, start + length) })
    at = start + length
  }
  return { frames, taken: at }
}

function encodeLength(declared: bigint, masked: boolean, lengthBytes?: 1 | 3 | 9): Buffer {
  const maskBit = masked ? 0x80 : 0
  const written = lengthBytes ?? (declared < 126n ? 1 : declared < 65_536n ? 3 : 9)
  const length = Buffer.alloc(written)
  if (written === 1) length.writeUInt8(maskBit | Number(declared))
  else if (written === 3) {
    length.writeUInt8(maskBit | 126)
    length.writeUInt16BE(Number(declared), 1)
  } else {
    length.writeUInt8(maskBit | 127)
    length.writeBigUInt64BE(declared, 1)
  }
  return length
}

function xor(payload: Buffer): Buffer {
  const masked = Buffer.from(payload)
  for (let at = 0; at < masked.length; at += 1) masked[at] = (masked[at] ?? 0) ^ (maskKey[at & 3] ?? 0)
  return masked
}
