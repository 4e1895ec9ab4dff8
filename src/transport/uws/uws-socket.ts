import type { Admission } from '../../core/admission.js'
import type { Topic } from '../../core/ports/broker.js'
import type { Socket } from '../../core/ports/socket.js'
import type { UwsWebSocket } from './library.js'
import type { Connection } from '../../core/local-state.js'

/** The app a socket lives in, as the socket sees it. */
export interface SocketHome {
  readonly compress: boolean
  /** A message for the socket was dropped because its buffer is full. */
  overflowed(socket: UwsSocket): void
}

/** What `send` returns when the message was dropped because the socket's buffer is full. */
const sendDropped = 2

/** What the library keeps for each socket. */
export interface UserData {
  readonly socket: UwsSocket
}

/** One WebSocket of uWebSockets.js. `ws` exists from the open to the close event and is never touched outside. */
export class UwsSocket implements Socket {
  ws: UwsWebSocket<UserData> | undefined
  connection: Connection | undefined
  readonly admission: Admission
  readonly home: SocketHome

  constructor(admission: Admission, home: SocketHome) {
    this.admission = admission
    this.home = home
  }

  send(frame: string): void {
    if (this.ws?.send(frame, false, this.home.compress) === sendDropped) this.home.overflowed(this)
  }

  join(topic: Topic): void {
    this.ws?.subscribe(topic)
  }

  leave(topic: Topic): void {
    this.ws?.unsubscribe(topic)
  }

  cork(calls: () => void): void {
    this.ws?.cork(calls)
  }

  ping(): void {
    this.ws?.ping()
  }

  end(code: number, reason: string): void {
    this.ws?.end(code, reason)
  }

  cut(): void {
    this.ws?.close()
  }

  bufferedBytes(): number {
    return this.ws?.getBufferedAmount() ?? 0
  }
}
