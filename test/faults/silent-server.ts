import { createServer, type Server, type Socket } from 'node:net'

const host = '127.0.0.1'

/** Accepts every connection and neither reads nor answers. Costs nothing, so it stands beside what is measured. */
export class SilentServer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor() {
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(port: number): Promise<SilentServer> {
    const silent = new SilentServer()
    await new Promise<void>((resolve, reject) => {
      silent.#server.once('error', reject)
      silent.#server.listen(port, host, resolve)
    })
    return silent
  }

  /** Resets what is open; from now on connections are refused. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
  }
}
