import type { Clock } from '../base/clock.js'
import { TokenBucket } from '../base/token-bucket.js'
import { errors } from '../protocol/errors.js'
import type { Ticker } from './ticker.js'
import type { Connection } from './local-state.js'

/** What one connection may send per second. Buckets are made on first use and follow the app's settings. */
export class RateLimits {
  readonly #clock: Clock
  readonly #ticker: Ticker

  constructor(clock: Clock, ticker: Ticker) {
    this.#clock = clock
    this.#ticker = ticker
  }

  /** Whether the connection may send one more client event now (2.6, rule 6). */
  allowsClientEvent(connection: Connection): boolean {
    const rate = connection.local.app.clientEvents.perSecond
    connection.clientEventBucket ??= new TokenBucket(rate, this.#clock.monotonicMs())
    if (this.#take(connection.clientEventBucket, rate)) return true
    connection.local.counters.rateLimited.client_events += 1
    return false
  }

  /**
   * Whether a counted frame (client event, sign-in, malformed or unknown) may be handled; tells the client at most once a
   * second when not (1.5).
   */
  allowsMessage(connection: Connection): boolean {
    const rate = connection.local.app.limits.messagesPerSecond
    if (rate === 0) return true
    connection.messageBucket ??= new TokenBucket(rate, this.#clock.monotonicMs())
    if (this.#take(connection.messageBucket, rate)) return true
    connection.local.counters.rateLimited.messages += 1
    if (connection.messageRateToldAtS !== this.#ticker.nowS) {
      connection.messageRateToldAtS = this.#ticker.nowS
      connection.sendError(errors.messageRate(rate))
    }
    return false
  }

  #take(bucket: TokenBucket, rate: number): boolean {
    bucket.setRate(rate)
    return bucket.take(this.#clock.monotonicMs())
  }
}
