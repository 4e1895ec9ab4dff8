import { Command, Redis, type RedisOptions } from 'ioredis'
import { randomFraction } from '../../base/random.js'
import type { Clock, Timer } from '../../base/clock.js'
import { CallCommand } from './call-command.js'
import { reasonOf, refusalKind } from './reply-errors.js'

const retryFirstMs = 50
const retryMaxMs = 500
/** Of `close`: what was written may still leave. */
const closeMs = 500

/** How the message of ioredis begins. */
const allSentinelsAsked = 'All sentinels are unreachable'

export interface ConnectionOwner {
  /** Connected, logged in, and the server has loaded its data. */
  ready(): void
  /** Closed, or could not be made; it is made again. Whatever was sent and not answered has been rejected. */
  lost(reason: string): void
  /** A replica was asked to write: this connection goes to a server that is no master. */
  readonly(): void
}

/** One ioredis connection that is made again for ever, and writes all commands of one loop turn at once. */
export class Connection {
  readonly redis: Redis
  readonly #clock: Clock
  readonly #owner: ConnectionOwner
  #attempts = 0
  #connectedSinceMs: number | undefined
  #lastError = 'closed'
  #sentinelError = ''
  #closing = false
  #revival: Timer | undefined
  #corked: Redis['stream'] | undefined

  constructor(options: RedisOptions, clock: Clock, owner: ConnectionOwner) {
    this.#clock = clock
    this.#owner = owner
    this.redis = new Redis({
      ...options,
      retryStrategy: () => this.#nextDelayMs(),
      // 1: reconnect and reject the command; it is not sent again.
      reconnectOnError: (error) => {
        if (refusalKind(error.message) !== 'readonly') return false
        owner.readonly()
        return 1
      },
    })
    this.#listen()
  }

  /** Commands can be written. */
  get ready(): boolean {
    return this.redis.status === 'ready' && this.redis.stream.writable
  }

  /** The address it is connected to; undefined without a connection. */
  get address(): string | undefined {
    if (!this.ready) return undefined
    const { remoteAddress, remotePort } = this.redis.stream
    // IPv4 may show itself as IPv6.
    return remoteAddress === undefined ? undefined : `${remoteAddress.replace(/^::ffff:/, '')}:${remotePort ?? 0}`
  }

  open(): void {
    this.#connect()
  }

  /** Writes a command behind the others of this loop turn. Only while `ready`. */
  send(name: string, args: string[]): Promise<unknown> {
    this.#cork()
    const command = new Command(name, args, { replyEncoding: 'utf8' })
    void this.redis.sendCommand(command)
    return command.promise
  }

  /** As `send`, with less work: one of the functions is called, once. */
  post(
    name: string,
    args: readonly string[],
    answered: (reply: unknown) => void,
    failed: (error: unknown) => void,
  ): void {
    this.#cork()
    void this.redis.sendCommand(new CallCommand(name, args, answered, failed))
  }

  #cork(): void {
    if (this.#corked === undefined) {
      const { stream } = this.redis
      this.#corked = stream
      stream.cork()
      setImmediate(() => {
        this.#corked = undefined
        stream.uncork()
      })
    }
  }

  /** Everything works: the next loss is answered by an attempt without delay. */
  settled(): void {
    this.#attempts = 0
  }

  /** Ends the connection now, also one that is half open, and makes it again. */
  cut(reason: string): void {
    this.#lastError = reason
    // While ioredis still looks for a server there is no stream; it has timeouts of its own for that.
    const { status } = this.redis
    if (status === 'ready' || status === 'connect') this.redis.stream.destroy()
  }

  /** How long a server has kept us waiting between the connection and its readiness. */
  greetingForMs(): number {
    const since = this.#connectedSinceMs
    return since === undefined || this.redis.status !== 'connect' ? 0 : this.#clock.monotonicMs() - since
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#revival?.stop()
    const { redis } = this
    const open = redis.status !== 'end' && redis.status !== 'wait' && redis.status !== 'reconnecting'
    this.#corked?.uncork()
    hearErrors(streamOf(redis))
    if (open) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.after(closeMs, resolve)
        redis.once('end', () => {
          timer.stop()
          resolve()
        })
        redis.disconnect()
      })
    } else {
      redis.disconnect()
    }
    streamOf(redis)?.destroy()
  }

  #listen(): void {
    const { redis } = this
    redis.on('connect', () => {
      hearErrors(redis.stream)
      this.#connectedSinceMs = this.#clock.monotonicMs()
    })
    redis.on('ready', () => {
      // Told in the next tick: it may be over already.
      if (this.ready) this.#owner.ready()
    })
    redis.on('error', (error: unknown) => {
      hearErrors(streamOf(redis))
      this.#lastError = reasonOf(error)
      if (this.#isOutOfStep(error)) this.cut('an answer came that nobody had asked for')
      // It asks them again by itself, without ever closing anything.
      if (this.#lastError.startsWith(allSentinelsAsked))
        this.#owner.lost(`no sentinel names a master: ${this.#sentinelError}`)
    })
    redis.on('sentinelError', (error: unknown) => {
      this.#sentinelError = reasonOf(error)
    })
    redis.on('close', () => {
      const reason = this.#lastError
      this.#lastError = 'closed'
      if (!this.#closing) this.#owner.lost(reason)
    })
    redis.on('end', () => {
      // ioredis gives up where connecting fails before there is a stream.
      if (this.#closing) return
      this.#owner.lost(this.#lastError)
      this.#revival?.stop()
      this.#revival = this.#clock.after(this.#nextDelayMs(), () => this.#connect())
    })
  }

  #connect(): void {
    if (this.#closing) return
    this.redis.connect().catch((error: unknown) => {
      this.#lastError = reasonOf(error)
    })
  }

  /** ioredis takes the answer to one command for that to another from then on: a push it does not know, like `sunsubscribe`. */
  #isOutOfStep(error: unknown): boolean {
    return error instanceof Error && error.message.startsWith('Command queue state error')
  }

  /** First at once, then 50 ms doubling to 500 ms, each spread over its upper half. */
  #nextDelayMs(): number {
    const attempt = this.#attempts
    this.#attempts += 1
    if (attempt === 0) return 0
    const delayMs = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(attempt - 1, 10))
    return Math.round(delayMs * (0.5 + randomFraction() / 2))
  }
}

/** ioredis has none before it first connects. */
function streamOf(redis: Redis): Redis['stream'] | undefined {
  return redis.stream
}

/**
 * ioredis hears the first error of a stream. TLS can have two (a certificate that is not trusted, then the server's alert), and an
 * error that nobody hears ends the process.
 */
export function hearErrors(stream: Redis['stream'] | undefined): void {
  if (stream?.listeners('error').includes(heard) === false) stream.on('error', heard)
}

function heard(): undefined {
  return undefined
}
