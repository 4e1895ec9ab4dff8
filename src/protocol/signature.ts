import { hash, timingSafeEqual } from 'node:crypto'

const blockBytes = 64
const digestBytes = 32
/** Longer texts are hashed from a buffer of their own instead of growing the scratch buffer for ever. */
const scratchBytesMax = 65_536
const hexChars = 2 * digestBytes

/**
 * HMAC-SHA256 with one secret (protocol section 3), as two one-shot hashes over prepared pads: 0.9 µs against 2.0 µs for
 * `createHmac`. Both methods are synchronous, so one scratch buffer per key is never shared by two computations.
 */
export class HmacKey {
  /** The inner pad, followed by room for the text. */
  #scratch: Buffer
  /** The outer pad, followed by the inner digest. */
  readonly #outer = Buffer.alloc(blockBytes + digestBytes)
  /** The two sides of a comparison, as hex. */
  readonly #given = Buffer.alloc(hexChars)
  readonly #expected = Buffer.alloc(hexChars)

  /** @param secret any text; its UTF-8 bytes are the key */
  constructor(secret: string) {
    const secretBytes = Buffer.from(secret, 'utf8')
    const keyBytes = secretBytes.length > blockBytes ? hash('sha256', secretBytes, 'buffer') : secretBytes
    this.#scratch = Buffer.alloc(blockBytes + 512)
    this.#scratch.fill(0x36, 0, blockBytes)
    this.#outer.fill(0x5c, 0, blockBytes)
    for (const [index, byte] of keyBytes.entries()) {
      this.#scratch[index] = byte ^ 0x36
      this.#outer[index] = byte ^ 0x5c
    }
  }

  /** The lower-case hex digest of the text's UTF-8 bytes. */
  sign(text: string): string {
    // Hex on the way, too: `hash` makes a string about twice as fast as a Buffer.
    this.#outer.write(hash('sha256', this.#padded(text), 'hex'), blockBytes, 'hex')
    return hash('sha256', this.#outer, 'hex')
  }

  /** Whether `hex` is the digest of `text`, compared in constant time on equal lengths. Only lower-case hex is a digest. */
  verify(text: string, hex: string): boolean {
    // What is not ASCII takes more bytes, none of which is a digit, and what does not fit is left out.
    if (hex.length !== hexChars || this.#given.write(hex, 'utf8') !== hexChars) return false
    this.#expected.write(this.sign(text), 'latin1')
    return timingSafeEqual(this.#given, this.#expected)
  }

  #padded(text: string): Buffer {
    // A character takes three bytes at most; counting them first costs as much as writing them.
    const most = blockBytes + 3 * text.length
    if (most > scratchBytesMax) return Buffer.concat([this.#scratch.subarray(0, blockBytes), Buffer.from(text, 'utf8')])
    if (most > this.#scratch.length) {
      const larger = Buffer.alloc(Math.min(scratchBytesMax, 2 * most))
      this.#scratch.copy(larger, 0, 0, blockBytes)
      this.#scratch = larger
    }
    return this.#scratch.subarray(0, blockBytes + this.#scratch.write(text, blockBytes, 'utf8'))
  }
}

/** The text a channel's auth token signs (3.1): `channelData` is part of it whenever the subscribe message carried one. */
export function channelAuthText(socketId: string, channel: string, channelData: string | undefined): string {
  return channelData === undefined ? `${socketId}:${channel}` : `${socketId}:${channel}:${channelData}`
}

/** The text a user's sign-in token signs (3.3). */
export function userAuthText(socketId: string, userData: string): string {
  return `${socketId}::user::${userData}`
}

/** `KEY:HEX` of an `auth` value, split at the first colon; without a colon everything is the key. */
export function splitAuth(auth: string): { key: string; digest: string } {
  const colon = auth.indexOf(':')
  return colon < 0 ? { key: auth, digest: '' } : { key: auth.slice(0, colon), digest: auth.slice(colon + 1) }
}

/** The lower-case hex MD5 of a request body (4.1). */
export function bodyMd5(body: Uint8Array): string {
  return hash('md5', body, 'hex')
}
