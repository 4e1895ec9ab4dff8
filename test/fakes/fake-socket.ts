import type { Topic } from '../../src/core/ports/broker.js'
import type { Socket } from '../../src/core/ports/socket.js'
import type { FakeFanout } from './fake-fanout.js'

type Failing = 'send' | 'join' | 'leave' | 'ping' | 'end'

/** A socket without a wire: keeps what it was sent, and closes as the port says, its close handler first. */
export class FakeSocket implements Socket {
  readonly frames: string[] = []
  /** How it was ended by our side; undefined while open, and when the peer closed. */
  ended: { readonly code: number; readonly reason: string } | undefined
  pings = 0
  open = true
  /** What `bufferedBytes` answers. */
  buffered = 0
  /** The transport's close handler. */
  onClose: ((code: number) => void) | undefined
  /** Failure switches: calls that throw. */
  readonly failing = new Set<Failing>()
  /** Closes itself while it is sent this many more frames; undefined = never. */
  closesAfterFrames: number | undefined
  readonly #fanout: FakeFanout

  constructor(fanout: FakeFanout) {
    this.#fanout = fanout
  }

  send(frame: string): void {
    this.#check('send')
    this.receive(frame)
  }

  /** A frame on the way out, sent to this socket alone or published. */
  receive(frame: string): void {
    if (!this.open) return
    this.frames.push(frame)
    if (this.closesAfterFrames === undefined) return
    this.closesAfterFrames -= 1
    if (this.closesAfterFrames <= 0) this.close(1006)
  }

  join(topic: Topic): void {
    this.#check('join')
    if (this.open) this.#fanout.join(topic, this)
  }

  leave(topic: Topic): void {
    if (!this.open) return
    this.#check('leave')
    this.#fanout.leave(topic, this)
  }

  cork(calls: () => void): void {
    calls()
  }

  ping(): void {
    this.#check('ping')
    if (this.open) this.pings += 1
  }

  end(code: number, reason: string): void {
    this.#check('end')
    if (!this.open) return
    this.ended = { code, reason }
    this.close(code)
  }

  cut(): void {
    this.close(1006)
  }

  bufferedBytes(): number {
    return this.buffered
  }

  /** The connection ends, for whatever reason. */
  close(code: number): void {
    if (!this.open) return
    this.open = false
    this.#fanout.forget(this)
    this.onClose?.(code)
  }

  #check(call: Failing): void {
    if (this.failing.has(call)) throw new Error(`the socket fails to ${call}`)
  }
}
