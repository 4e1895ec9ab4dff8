import type { ProtocolError } from '../protocol/errors.js'
import type { Socket } from './ports/socket.js'

/** Close frames hold at most 123 bytes of reason. */
const reasonBytesMax = 123

/** Closes a socket with the code and reason of an error. */
export function endWithError(socket: Socket, error: ProtocolError): void {
  socket.end(error.code ?? 4000, closeReason(error.message))
}

/** The reason cut to what a close frame can hold, at a character's edge. */
function closeReason(message: string): string {
  const bytes = Buffer.from(message)
  return bytes.length <= reasonBytesMax ? message : bytes.toString('utf8', 0, reasonBytesMax).replace(/\uFFFD$/, '')
}
