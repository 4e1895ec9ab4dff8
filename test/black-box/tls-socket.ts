import { connect } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Target } from '../../bench/load/target.js'
import { localAddress } from './local-address.js'

/** A TLS connection that trusts whoever answers. */
export function openTlsSocket({ host, port }: Target): TLSSocket {
  const socket = connect({ host, port, localAddress: localAddress(), noDelay: true })
  const secure = connectTls({ socket, rejectUnauthorized: false })
  // What goes wrong below does not always come up by itself.
  socket.on('error', (error) => secure.destroy(error))
  return secure
}
