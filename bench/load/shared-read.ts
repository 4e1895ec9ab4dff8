import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Target } from './target.js'

/**
 * One buffer that all connections read into: the callback runs at once after each read, so nothing is shared in time, and
 * an idle connection of the generator holds no buffer.
 */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

/** @param onBytes the chunk is valid only during the call; returning is asking for more */
export function openSocket(target: Target, localAddress: string | undefined, onBytes: (chunk: Buffer) => void): Socket {
  const socket = connect({
    host: target.host,
    port: target.port,
    ...(localAddress === undefined ? {} : { localAddress }),
    noDelay: true,
    onread: {
      buffer: readBuffer,
      callback: (length, buffer) => {
        onBytes(Buffer.from(buffer.buffer, buffer.byteOffset, length))
        return true
      },
    },
  })
  return socket
}
