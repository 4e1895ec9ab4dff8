import { errors } from '../../protocol/errors.js'
import type { SigninMessage } from '../../protocol/inbound.js'
import { splitAuth, userAuthText } from '../../protocol/signature.js'
import { decodeUserData } from '../../protocol/user-data.js'
import type { Users } from '../users.js'
import type { Connection } from '../local-state.js'

/** pusher:signin (2.8): a failure is an error event with code 4009, never a close. */
export async function signin(connection: Connection, message: SigninMessage, users: Users): Promise<void> {
  const reason = signatureFault(connection, message)
  if (reason !== undefined) {
    connection.local.counters.authFailures.user += 1
    connection.sendError(errors.signInRejected(reason))
    return
  }
  const user = decodeUserData(message.userData)
  if (!user.ok) {
    connection.sendError(errors.signInRejected(user.reason))
  } else if (connection.user !== undefined && connection.user.id !== user.id) {
    connection.sendError(errors.signInRejected('the connection is signed in as another user'))
  } else {
    await users.signIn(connection, { ...user, userData: message.userData })
  }
}

function signatureFault(connection: Connection, message: SigninMessage): string | undefined {
  const { key, digest } = splitAuth(message.auth)
  const signer = connection.local.app.signers.get(key)
  if (signer === undefined) return 'the key in auth is not a key of this app'
  return signer.verify(userAuthText(connection.socketId, message.userData), digest)
    ? undefined
    : 'the signature in auth does not fit SOCKET_ID::user::USER_DATA'
}
