import type { Topic } from '../../core/ports/broker.js'
import type { Fanout, Socket } from '../../core/ports/socket.js'
import type { Generation } from './generation.js'
import { UwsSocket } from './uws-socket.js'

/** Native publishing. `ws.publish` skips exactly its own socket and costs what `app.publish` costs. */
export class UwsFanout implements Fanout {
  /** Every app that has sockets or listens; the newest last. */
  readonly generations: Generation[] = []

  publish(topic: Topic, frame: string, except?: Socket): void {
    const excluded = except instanceof UwsSocket ? except : undefined
    for (const generation of this.generations) {
      if (excluded?.ws !== undefined && excluded.home === generation) {
        excluded.ws.publish(topic, frame, false, generation.compress)
      } else {
        generation.app.publish(topic, frame, false, generation.compress)
      }
    }
  }
}
