/**
 * A proxy that makes a server break the protocol, to show that the programs would notice: it reads what the server sends on a
 * WebSocket, frame by frame, and changes it. Plain HTTP passes as it is.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { FrameReader, opcodes } from '../../bench/load/websocket-frame.js'

const host = '127.0.0.1'

/** What is broken, and how a text frame of the server looks then. */
export const faults = {
  /** `data` is a value instead of the JSON text of one (2.1): an object, or of the text `"42"` the string 42. */
  'string-data': (message: Message): Message => {
    const { data } = message
    const value = typeof data === 'string' ? parse(data) : undefined
    return value === undefined ? message : { ...message, data: value }
  },
  /** The members of a presence channel come without `ids` (2.5). */
  'no-ids': (message: Message): Message => {
    const { data } = message
    const presence = objectOf(objectOf(typeof data === 'string' ? parse(data) : undefined)?.['presence'])
    if (message['event'] !== 'pusher_internal:subscription_succeeded' || presence === undefined) return message
    const rest = Object.entries(presence).filter(([name]) => name !== 'ids')
    return { ...message, data: JSON.stringify({ presence: Object.fromEntries(rest) }) }
  },
}

export type FaultName = keyof typeof faults

type Message = Readonly<Record<string, unknown>>

export class FaultProxy {
  port = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(fault: FaultName, to: number) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ host, port: to, allowHalfOpen: true, noDelay: true })
      const answers = new Answers(faults[fault], near)
      this.#join(near, far, (chunk) => far.write(chunk))
      this.#join(far, near, (chunk) => answers.push(chunk))
    })
  }

  /** @param to the port that is really meant */
  static async start(fault: FaultName, to: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(fault, to)
    await new Promise<void>((resolve) => proxy.#server.listen(0, host, resolve))
    const address = proxy.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
    proxy.port = address.port
    return proxy
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #join(from: Socket, to: Socket, pass: (chunk: Buffer) => void): void {
    this.#sockets.add(from)
    from.setNoDelay(true)
    from.on('data', pass)
    from.on('end', () => to.end())
    from.on('error', () => from.destroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroySoon()
    })
  }
}

/** What the server sends on one connection. */
class Answers {
  readonly #to: Socket
  readonly #frames: FrameReader
  #head: Buffer | undefined = Buffer.alloc(0)
  #isWebSocket = false

  constructor(fault: (message: Message) => Message, to: Socket) {
    this.#to = to
    this.#frames = new FrameReader((opcode, bytes, start, end) => {
      const payload = Buffer.from(bytes.subarray(start, end))
      to.write(serverFrame(opcode, opcode === opcodes.text ? changed(fault, payload) : payload))
    })
  }

  push(chunk: Buffer): void {
    if (this.#head === undefined) {
      if (this.#isWebSocket) this.#frames.push(chunk)
      else this.#to.write(chunk)
      return
    }
    this.#head = Buffer.concat([this.#head, chunk])
    const end = this.#head.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#head
    this.#head = undefined
    this.#isWebSocket = head.toString('latin1', 0, 13) === 'HTTP/1.1 101 '
    const bodyAt = this.#isWebSocket ? end + 4 : head.length
    this.#to.write(head.subarray(0, bodyAt))
    if (bodyAt < head.length) this.#frames.push(head.subarray(bodyAt))
  }
}

function changed(fault: (message: Message) => Message, payload: Buffer): Buffer {
  return Buffer.from(JSON.stringify(fault(JSON.parse(payload.toString('utf8')) as Message)))
}

function objectOf(value: unknown): Message | undefined {
  return typeof value === 'object' && value !== null ? (value as Message) : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (_notJson) {
    return undefined
  }
}

/** As clientFrame(), without a mask. */
function serverFrame(opcode: number, payload: Buffer): Buffer {
  const extended = payload.length < 126 ? 0 : payload.length < 65_536 ? 2 : 8
  const head = Buffer.alloc(2 + extended)
  head[0] = 0x80 | opcode
  head[1] = extended === 0 ? payload.length : extended === 2 ? 126 : 127
  if (extended === 2) head.writeUInt16BE(payload.length, 2)
  if (extended === 8) head.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([head, payload])
}
