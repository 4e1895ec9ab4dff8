import { connect, type Socket } from 'node:net'
import type { Target } from '../../bench/load/target.js'
import { localAddress } from '../black-box/local-address.js'

/** TCP connections that never send a byte. Resolves when the kernel has accepted or refused each. */
export async function connectIdle({ host, port }: Target, count: number): Promise<{ close(): void }> {
  const sockets: Socket[] = []
  const settled = Array.from({ length: count }, () => {
    const socket = connect({ host, port, localAddress: localAddress() })
    sockets.push(socket)
    return new Promise<void>((resolve) => {
      socket.once('connect', resolve).once('error', () => resolve())
    })
  })
  await Promise.all(settled)
  return {
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}
