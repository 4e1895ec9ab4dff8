/** The least of RFC 6455 that a load generator needs: whole, unmasked frames in; masked ones out. */

export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const

/** A client's frame. The mask is zero: legal, and the payload needs no work here while the server unmasks as ever. */
export function clientFrame(opcode: number, payload: Buffer | string): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  const extended = bytes.length < 126 ? 0 : bytes.length < 65_536 ? 2 : 8
  const frame = Buffer.alloc(6 + extended + bytes.length)
  frame[0] = 0x80 | opcode
  frame[1] = 0x80 | (extended === 0 ? bytes.length : extended === 2 ? 126 : 127)
  if (extended === 2) frame.writeUInt16BE(bytes.length, 2)
  if (extended === 8) frame.writeBigUInt64BE(BigInt(bytes.length), 2)
  bytes.copy(frame, 6 + extended)
  return frame
}

/** Called per frame; the payload is bytes[start … end), valid only during the call. */
export type OnFrame = (opcode: number, bytes: Buffer, start: number, end: number) => void

/** Cuts a byte stream into frames. Without a remainder from the chunk before, nothing is copied. */
export class FrameReader {
  #rest: Buffer | undefined
  readonly #onFrame: OnFrame

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame
  }

  /** @throws Error on a frame that no server may send (masked) or that this reader does not join (fragmented) */
  push(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let offset = 0
    while (bytes.length - offset >= 2) {
      const first = bytes.readUInt8(offset)
      const second = bytes.readUInt8(offset + 1)
      if (second >= 0x80) throw new Error('the server sent a masked frame')
      if (first < 0x80 || (first & 0x0f) === 0) throw new Error('the server sent a fragmented message')
      const headBytes = second < 126 ? 2 : second === 126 ? 4 : 10
      if (bytes.length - offset < headBytes) break
      const payloadBytes =
        second < 126
          ? second
          : second === 126
            ? bytes.readUInt16BE(offset + 2)
            : Number(bytes.readBigUInt64BE(offset + 2))
      const start = offset + headBytes
      if (bytes.length - start < payloadBytes) break
      offset = start + payloadBytes
      this.#onFrame(first & 0x0f, bytes, start, offset)
    }
    // The chunk belongs to a buffer that every connection reads into.
    this.#rest = offset === bytes.length ? undefined : Buffer.from(bytes.subarray(offset))
  }
}
