import { closeReasonBytesMax } from '../protocol/codes.js'
import type { ProtocolError } from '../protocol/errors.js'
import type { Socket } from './ports/socket.js'

/** Closes a socket with the code and reason of an error. */
export function endWithError(socket: Socket, error: ProtocolError): void {
  socket.end(error.code ?? 4000, closeReason(error.message))
}

/** The reason cut to what a close frame can hold, at a character's edge. */
function closeReason(message: string): string {
  const bytes = Buffer.from(message)
  return bytes.length <= closeReasonBytesMax
    ? message
    : bytes.toString('utf8', 0, closeReasonBytesMax).replace(/\uFFFD$/, '')
}
