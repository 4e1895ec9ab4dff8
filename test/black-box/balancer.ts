/**
 * A TCP load balancer as it stands in front of a cluster: asks every backend's `/ready` four times a second and hands connections to
 * those that are ready, in turn. A connection ends when either side ends; it is never moved.
 *
 *     const balancer = await Balancer.start(() => nodes)
 *     const client = await run.client(balancer.target(app))
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { localAddress } from './local-address.js'
import type { ServerNode } from './server-node.js'

const host = '127.0.0.1'
const checkEveryMs = 250
/** A herd comes at once, and this process has its clients to run too: whom the kernel turns away tries again only seconds later. */
const backlog = 4096

export class Balancer {
  /** Connections handed to each port so far. */
  readonly handed = new Map<number, number>()
  /** Connections that came while nobody was ready, or whose backend did not take them. */
  refused = 0
  port = 0
  readonly #backends: () => readonly ServerNode[]
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #timer: NodeJS.Timeout
  #ready: readonly ServerNode[] = []
  #next = 0

  private constructor(backends: () => readonly ServerNode[]) {
    this.#backends = backends
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#take(near))
    this.#timer = setInterval(() => void this.check(), checkEveryMs)
  }

  /** @param backends asked before every check, so that nodes may be replaced */
  static async start(backends: () => readonly ServerNode[]): Promise<Balancer> {
    const balancer = new Balancer(backends)
    await balancer.check()
    await new Promise<void>((resolve) => balancer.#server.listen({ port: 0, host, backlog }, resolve))
    const address = balancer.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the balancer has no port')
    balancer.port = address.port
    return balancer
  }

  target<App>(app: App): { host: string; port: number; app: App } {
    return { host, port: this.port, app }
  }

  /** Asks every backend now. */
  async check(): Promise<void> {
    const backends = this.#backends()
    const answers = await Promise.all(backends.map(async (node) => node.exit === undefined && (await node.ready())))
    this.#ready = backends.filter((_node, index) => answers[index])
  }

  close(): void {
    clearInterval(this.#timer)
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #take(near: Socket): void {
    const node = this.#ready[this.#next % Math.max(1, this.#ready.length)]
    this.#next += 1
    if (node === undefined) {
      this.refused += 1
      near.on('error', () => near.destroy())
      near.destroy()
      return
    }
    this.handed.set(node.port, (this.handed.get(node.port) ?? 0) + 1)
    const far = connect({ host, port: node.port, localAddress: localAddress(), allowHalfOpen: true, noDelay: true })
    far.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') this.refused += 1
    })
    near.setNoDelay(true)
    this.#join(near, far)
    this.#join(far, near)
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    from.on('data', (chunk) => to.write(chunk))
    from.on('end', () => to.end())
    from.on('error', () => from.destroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroySoon()
    })
  }
}
