import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Target } from '../../bench/load/target.js'
import { localAddress } from './local-address.js'

/** A TCP proxy in front of a node whose network can freeze: bytes stop in both directions, and no FIN or RST tells anybody. */
export class TcpProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #frozen = false

  private constructor(to: Target) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({
        host: to.host,
        port: to.port,
        localAddress: localAddress(),
        allowHalfOpen: true,
        noDelay: true,
      })
      this.#join(near, far)
      this.#join(far, near)
    })
  }

  /** @returns the proxy and the target to use instead */
  static async start(to: Target): Promise<{ proxy: TcpProxy; target: Target }> {
    const proxy = new TcpProxy(to)
    await new Promise<void>((resolve) => proxy.#server.listen(0, to.host, resolve))
    const address = proxy.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
    return { proxy, target: { ...to, port: address.port } }
  }

  freeze(): void {
    this.#frozen = true
    for (const socket of this.#sockets) socket.pause()
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    from.on('data', (chunk) => {
      if (!this.#frozen) to.write(chunk)
    })
    from.on('end', () => {
      if (!this.#frozen) to.end()
    })
    from.on('error', () => from.destroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      if (!this.#frozen) to.destroy()
    })
  }
}
