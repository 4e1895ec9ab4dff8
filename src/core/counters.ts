/**
 * What a node counts, as plain numbers that cost one addition on the hot path. src/observability reads them when it is scraped;
 * nothing else does. Names follow the metric list of docs/operating.md without the `belfry_` prefix.
 */
export class AppCounters {
  connectionsTotal = 0
  /** Close code (or `other`) → connections closed with it. */
  readonly disconnections = new Map<string, number>()
  messagesReceived = 0
  messagesSent = 0
  bytesReceived = 0
  bytesSent = 0
  readonly authFailures = { channel: 0, user: 0, rest: 0 }
  readonly protocolErrors = { malformed: 0, unknown: 0, binary: 0, oversize: 0 }
  readonly rateLimited = { client_events: 0, messages: 0, triggers: 0, reads: 0, connections: 0 }
  slowConsumersClosed = 0

  countSent(receivers: number, frame: string): void {
    this.messagesSent += receivers
    this.bytesSent += receivers * Buffer.byteLength(frame)
  }

  countDisconnection(code: number): void {
    const label = codesCounted.has(code) ? String(code) : 'other'
    this.disconnections.set(label, (this.disconnections.get(label) ?? 0) + 1)
  }
}

/** Counted by their own number; every other code a client may send is `other`, so that no client can make labels. */
const codesCounted = new Set([
  1000, 1001, 1005, 1006, 1009, 4000, 4001, 4003, 4004, 4005, 4007, 4008, 4009, 4100, 4200, 4201,
])

/** What is counted before, or without, an app. */
export class NodeCounters {
  /** Refusals whose app is unknown, by close code. */
  readonly refusals = new Map<string, number>()
  /** Frames dropped for a joining subscription whose hold-back was full; its snapshot is taken again. */
  holdBackOverflows = 0
}
