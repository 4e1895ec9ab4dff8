import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

type Way = 'to redis' | 'to node'

/** A TCP proxy in front of Redis that can stop one direction without anybody being told, cut, and tell what was sent. */
export class LinksProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #frozen = new Set<Way>()
  /** Everything nodes have sent, in the order it came. */
  sent = ''
  port = 0

  private constructor(redisPort: number) {
    this.#server = createServer((near) => {
      const far = connect({ host: '127.0.0.1', port: redisPort, noDelay: true })
      this.#join(near, far, 'to redis')
      this.#join(far, near, 'to node')
    })
  }

  static async start(redisPort: number): Promise<LinksProxy> {
    const proxy = new LinksProxy(redisPort)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    proxy.port = (proxy.#server.address() as AddressInfo).port
    return proxy
  }

  /** From now on nothing passes that way, and no end of a connection either; also for new connections. */
  freeze(way: Way): void {
    this.#frozen.add(way)
  }

  /** What is new passes again; what was held back is lost, and its connections with it. */
  thaw(): void {
    this.#frozen.clear()
    this.cut()
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.cut()
    this.#server.close()
  }

  #join(from: Socket, to: Socket, way: Way): void {
    this.#sockets.add(from)
    from.on('data', (chunk) => {
      if (way === 'to redis') this.sent += chunk.toString('latin1')
      if (!this.#frozen.has(way)) to.write(chunk)
    })
    from.on('error', () => from.destroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      if (!this.#frozen.has(way)) to.destroy()
    })
  }
}
