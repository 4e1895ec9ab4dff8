import type { Topic } from '../../src/core/ports/broker.js'
import type { Fanout, Socket } from '../../src/core/ports/socket.js'
import type { FakeSocket } from './fake-socket.js'

/** The native topics of a transport, as sets of fake sockets. */
export class FakeFanout implements Fanout {
  readonly topics = new Map<Topic, Set<FakeSocket>>()
  /** How many native publishes there were. */
  publishes = 0
  /** Failure switch. */
  publishError: Error | undefined

  publish(topic: Topic, frame: string, except?: Socket): void {
    if (this.publishError !== undefined) throw this.publishError
    this.publishes += 1
    for (const socket of this.topics.get(topic) ?? []) if (socket !== except) socket.receive(frame)
  }

  join(topic: Topic, socket: FakeSocket): void {
    const sockets = this.topics.get(topic) ?? new Set()
    sockets.add(socket)
    this.topics.set(topic, sockets)
  }

  leave(topic: Topic, socket: FakeSocket): void {
    const sockets = this.topics.get(topic)
    sockets?.delete(socket)
    if (sockets?.size === 0) this.topics.delete(topic)
  }

  /** What a transport does when a socket closes. */
  forget(socket: FakeSocket): void {
    for (const topic of [...this.topics.keys()]) this.leave(topic, socket)
  }
}
