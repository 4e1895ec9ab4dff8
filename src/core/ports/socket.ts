import type { Topic } from './broker.js'

/** One WebSocket as the core sees it. After `end` or `cut`, and after the close event, every call is a no-op. No call throws. */
export interface Socket {
  /** Sends one text frame to this socket only. */
  send(frame: string): void
  /** Subscribes the socket to a native topic. */
  join(topic: Topic): void
  leave(topic: Topic): void
  /** Runs the calls made inside with their output packed into one write. */
  cork(calls: () => void): void
  /** A WebSocket ping frame. */
  ping(): void
  /** Sends what is buffered, then a close frame. The close handler runs before this returns. */
  end(code: number, reason: string): void
  /** Cuts the TCP connection: for a socket that reads nothing any more. */
  cut(): void
  bufferedBytes(): number
}

/** Sends to many sockets at once, in native code. */
export interface Fanout {
  /** To every socket of this node that joined the topic, except one. */
  publish(topic: Topic, frame: string, except?: Socket): void
}
