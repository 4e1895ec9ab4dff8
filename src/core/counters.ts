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
  /**
   * Webhook events by what became of them, once per URL: `delivered` (answered with 2xx), `given_up` (not delivered in time),
   * `dropped` (too many waited), `paired` (a leave or a return that was not sent because the other came in time); and `retried`,
   * once for each attempt that failed and was followed by another.
   */
  readonly webhooks = { delivered: 0, retried: 0, given_up: 0, dropped: 0, paired: 0 }

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

/** What the bus between nodes counts (docs/operating.md, `belfry_bus_…`). One node without a bus leaves nearly all of it at 0. */
export class BusCounters {
  reconnects = 0
  /** Jumps in a sender's sequence, and the messages missing in them. */
  gaps = 0
  lost = 0
  /** Received and not understood. */
  droppedJunk = 0
  /** Client events that could not reach the other nodes (D3). */
  droppedNotBridged = 0
  /** Subscriptions told to a client before the bus had confirmed the channel (D4). */
  subscribedUnconfirmed = 0
  /** Published without a confirmation: others may have it although the publisher was told 503 (D2). */
  unsure = 0
  /** Dead nodes whose members and channels this node gave up. */
  leaseTakeovers = 0
  /** Transitions dropped because nobody took them out of the outbox for so long that it was full; also without a bus. */
  outboxDropped = 0
  /** From the start of a publish to its confirmation. */
  readonly publishSeconds = new LatencyCounter()
  /** From the start of a publish, on whatever node, to its delivery here. */
  readonly deliverySeconds = new LatencyCounter()
}

/** Upper bounds in seconds, from half a millisecond, where a trigger should be, to a minute, the longest a webhook may take. */
export const latencyBoundsS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** A histogram as plain numbers. */
export class LatencyCounter {
  /** Observations per bound of `latencyBoundsS`, not cumulative, and those above. */
  readonly counts: number[] = new Array<number>(latencyBoundsS.length + 1).fill(0)
  sumS = 0

  /** Never throws: what is no duration, because clocks were set, counts as 0. */
  observe(seconds: number): void {
    const duration = seconds >= 0 && seconds < Infinity ? seconds : 0
    let bucket = 0
    while (duration > (latencyBoundsS[bucket] ?? Infinity)) bucket += 1
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sumS += duration
  }
}
