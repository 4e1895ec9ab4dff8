/**
 * A TCP proxy in front of a server, whose network can fail:
 *
 *     const { proxy, target } = await TcpProxy.start(node.target())
 *     proxy.freeze()                 // bytes stop in both directions; no FIN or RST tells anybody
 *     proxy.freeze('answers')        // only what the server sends stops (a one-way cut)
 *     proxy.thaw()                   // what was held goes on, as TCP repeats what was lost
 *     proxy.delayMs = 20             // every chunk, in each direction
 *     proxy.cut()                    // both sides are reset; new connections are taken
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { localAddress } from './local-address.js'

export interface Address {
  readonly host: string
  readonly port: number
}

/** `requests` go to the server, `answers` come from it. */
export type Direction = 'requests' | 'answers'

export class TcpProxy {
  /** Added to every chunk that comes from now on. */
  delayMs = 0
  /** Connections taken so far. */
  taken = 0
  port = 0
  readonly #server: Server
  readonly #pipes = new Set<Pipe>()
  readonly #frozen = new Set<Direction>()

  private constructor(to: Address) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => {
      this.taken += 1
      const far = connect({
        host: to.host,
        port: to.port,
        localAddress: localAddress(),
        allowHalfOpen: true,
        noDelay: true,
      })
      near.setNoDelay(true)
      this.#join('requests', near, far)
      this.#join('answers', far, near)
    })
  }

  /** @returns the proxy and the target to use instead */
  static async start<Target extends Address>(to: Target): Promise<{ proxy: TcpProxy; target: Target }> {
    const proxy = new TcpProxy(to)
    await new Promise<void>((resolve) => proxy.#server.listen(0, to.host, resolve))
    const address = proxy.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
    proxy.port = address.port
    return { proxy, target: { ...to, port: proxy.port } }
  }

  /** @param only this direction; new connections are frozen as well */
  freeze(only?: Direction): void {
    for (const direction of only === undefined ? (['requests', 'answers'] as const) : [only])
      this.#frozen.add(direction)
    for (const pipe of this.#pipes) if (this.#frozen.has(pipe.direction)) pipe.hold()
  }

  thaw(): void {
    this.#frozen.clear()
    for (const pipe of this.#pipes) pipe.release()
  }

  /** Resets every connection. */
  cut(): void {
    for (const pipe of this.#pipes) pipe.reset()
  }

  close(): void {
    this.cut()
    this.#server.close()
  }

  #join(direction: Direction, from: Socket, to: Socket): void {
    const pipe = new Pipe(direction, from, to, () => this.delayMs)
    this.#pipes.add(pipe)
    from.on('close', () => {
      // While it is held nobody may hear of the end, so the pipe stays until it is released.
      pipe.whenReleased(() => this.#pipes.delete(pipe))
    })
    if (this.#frozen.has(direction)) pipe.hold()
  }
}

/** One direction of one connection. */
class Pipe {
  readonly direction: Direction
  readonly #from: Socket
  readonly #to: Socket
  readonly #delayMs: () => number
  #held: (() => void)[] | undefined

  constructor(direction: Direction, from: Socket, to: Socket, delayMs: () => number) {
    this.direction = direction
    this.#from = from
    this.#to = to
    this.#delayMs = delayMs
    from.on('data', (chunk) => this.#pass(() => to.write(chunk)))
    from.on('end', () => this.#pass(() => to.end()))
    from.on('error', () => from.destroy())
    from.on('close', () => this.#pass(() => to.destroySoon()))
  }

  hold(): void {
    if (this.#held !== undefined) return
    this.#held = []
    // The sender fills the kernel's buffers and then waits, as with a peer that is cut off.
    this.#from.pause()
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const action of held) action()
    this.#from.resume()
  }

  whenReleased(action: () => void): void {
    if (this.#held === undefined) action()
    else this.#held.push(action)
  }

  reset(): void {
    this.#held = undefined
    this.#from.resetAndDestroy()
    this.#to.resetAndDestroy()
  }

  #pass(action: () => void): void {
    this.whenReleased(() => {
      const delayMs = this.#delayMs()
      if (delayMs === 0) action()
      else setTimeout(action, delayMs)
    })
  }
}
