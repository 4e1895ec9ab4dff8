/** What the Redis backend asks of its connections. Implemented in server-link.ts and links.ts. */

/** A Lua script of scripts/, with what every script is given in front. */
export interface Script {
  readonly name: string
  readonly source: string
}

/** One Redis server (a master) and how this node is connected to it: one connection for commands, one for subscriptions. */
export interface Link {
  /** For logs: `host:port`. */
  readonly name: string
  /** Both connections are ready, every wanted channel is subscribed, and the last proof of the bus is not too old. */
  readonly up: boolean
  /** Up, but the oldest unanswered call has waited longer than `subscribeTimeoutMs`: do not wait for this server now. */
  readonly suspect: boolean
  /** The server's clock, in ms since 1970. Only meaningful while `up`. */
  redisNowMs(): number
  /**
   * Runs a script, in the order of the calls. Not repeated by anybody. Taken while the command connection works, also when the link
   * is not `up`: whoever publishes looks at `up` first.
   * @throws LinkError
   */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[], timeoutMs: number): Promise<unknown>
  /** Runs a plain command. @throws LinkError */
  call(command: string, args: readonly (string | number)[], timeoutMs: number): Promise<unknown>
}

/** Nothing was sent (`down`), nobody can know what happened (`unsure`), or the server refused it (`refused`, with its text). */
export class LinkError extends Error {
  readonly kind: 'down' | 'unsure' | 'refused'

  constructor(kind: 'down' | 'unsure' | 'refused', message: string) {
    super(message)
    this.kind = kind
  }
}

export interface LinksListener {
  /** A message on a channel this node wants. Synchronous, in order per channel; never throws. */
  message(channel: string, payload: string): void
  /** `links.of(partition).up` has become true; also after it moved to another server. All wanted channels are subscribed. */
  partitionUp(partition: number): void
  /** It has become false: no publish, no subscription of this partition is safe until `partitionUp`. */
  partitionDown(partition: number): void
}

/** All servers of a Redis deployment: one for standalone and Sentinel, the masters of a cluster. */
export interface Links {
  /**
   * Starts connecting and resolves after the first attempt, whether it succeeded or not.
   * @throws Error with one sentence, when a server answers but lacks what is needed
   */
  start(listener: LinksListener): Promise<void>
  /** The server of a partition, which may change at any time; undefined when none is known or it is not connected. */
  of(partition: number): Link | undefined
  /**
   * Wants a channel. Resolves when the server has confirmed the subscription; or after `subscribeTimeoutMs`, or at once while the
   * server is down or suspect, then with false. Subscribed again after every reconnect until it is no longer wanted.
   */
  want(partition: number, channel: string): Promise<boolean>
  /** Gives a channel up, now. */
  unwant(partition: number, channel: string): void
  close(): Promise<void>
}
