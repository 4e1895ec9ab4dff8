import type { Timer } from '../../base/clock.js'
import type { BusCounters } from '../../core/counters.js'
import type { Logger } from '../../core/ports/logger.js'
import { Connection } from './connection.js'
import { permissionProblem, UnfitError } from './capabilities.js'
import { greet } from './greeting.js'
import { LinkError, type Link, type Script } from './link.js'
import { BusProof, proofTimeoutMs } from './proof.js'
import type { ProofChannel } from './redis-options.js'
import { reasonOf, refusalKind } from './reply-errors.js'
import { loadScript } from './scripts.js'
import { ServerCalls } from './server-calls.js'
import { Subscriber, type SubscriberOptions } from './subscriber.js'

/** A server that keeps a connection waiting for so long is connected to anew. */
const greetingMaxMs = 3000
/** An unfit server is looked at again after so long: it may have been replaced. */
const unfitRetryMs = 5000

const proofScript = loadScript('proof')

export interface ServerLinkOptions extends Omit<SubscriberOptions, 'pending'> {
  /** `host:port`, or the sentinels' name for the master. */
  readonly name: string
  /** Both connections must reach the same address (Sentinel). */
  readonly oneAddress: boolean
  /** This node's own channel in one of the link's partitions. */
  readonly proofChannel: ProofChannel
  readonly scripts: readonly Script[]
  readonly logger: Logger
  readonly counters: BusCounters
}

export interface ServerLinkOwner {
  message(channel: string, payload: string): void
  up(): void
  down(): void
  /** A slot is served by another server, or a connection is gone: the topology may have changed. */
  moved(): void
  /** An attempt to connect has failed. */
  failed(): void
  /** The server answers and lacks what is needed. */
  unfit(error: UnfitError): void
}

/** One server: a connection for commands, one for subscriptions, and the proof that both work. */
export class ServerLink implements Link {
  readonly #options: ServerLinkOptions
  readonly #owner: ServerLinkOwner
  readonly #commands: Connection
  readonly #calls: ServerCalls
  readonly #subscriber: Subscriber
  readonly #proof: BusProof
  #proofChannel: ProofChannel
  /** Scripts are loaded: calls are taken. */
  #greeted = false
  /** Counts command connections, to know what belongs to an older one. */
  #epoch = 0
  #fit = false
  #unfitRetry: Timer | undefined
  #subscribed = false
  /** A proof has come back since both connections work; what was wanted before may still be waited for. */
  #proven = false
  #up = false
  #everUp = false
  #closed = false

  constructor(options: ServerLinkOptions, owner: ServerLinkOwner) {
    const { clock, subscribeTimeoutMs } = options
    this.#options = options
    this.#owner = owner
    this.#proofChannel = options.proofChannel
    this.#commands = new Connection(options.redis, clock, {
      ready: () => void this.#greet(),
      lost: (reason) => this.#commandsLost(reason),
      readonly: () => this.#subscriber.connection.cut('the server is no master'),
    })
    this.#calls = new ServerCalls({
      connection: this.#commands,
      name: options.name,
      cluster: options.cluster,
      overdueMs: subscribeTimeoutMs,
      clock,
      moved: () => owner.moved(),
    })
    this.#subscriber = new Subscriber(
      { ...options, pending: this.#calls.pending },
      {
        connected: () => this.#keepOneAddress(this.#subscriber.connection, this.#commands),
        subscribed: () => this.#whenSubscribed(),
        lost: (reason) => this.#subscriberLost(reason),
        message: (channel, payload) => {
          if (channel === this.#proofChannel.channel) this.#proof.received(payload)
          else owner.message(channel, payload)
        },
        refused: (text) => this.#subscribeRefused(text),
        moved: () => owner.moved(),
      },
    )
    this.#proof = new BusProof(clock, {
      publish: (number) => this.#publishProof(number),
      proven: () => this.#whenProven(),
      silent: () => this.cut('no message of the bus came back'),
      check: () => this.#checkGreetings(),
    })
  }

  get name(): string {
    return this.#options.oneAddress ? (this.#commands.address ?? this.#options.name) : this.#options.name
  }

  /** Takes calls. */
  get connected(): boolean {
    return this.#greeted && this.#commands.ready
  }

  get up(): boolean {
    return this.#up
  }

  get suspect(): boolean {
    return this.#up && this.#calls.pending.overdue
  }

  redisNowMs(): number {
    return this.#proof.redisNowMs()
  }

  open(): void {
    const { partition, channel } = this.#proofChannel
    void this.#subscriber.subscriptions.want(partition, channel, false)
    this.#proof.start()
    this.#commands.open()
    this.#subscriber.connection.open()
  }

  run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    timeoutMs: number,
  ): Promise<unknown> {
    if (!this.#greeted) return Promise.reject(new LinkError('down', `${this.name} is not connected`))
    return this.#calls.run(script, keys, args, timeoutMs)
  }

  async call(command: string, args: readonly (string | number)[], timeoutMs: number): Promise<unknown> {
    if (!this.#greeted) throw new LinkError('down', `${this.name} is not connected`)
    return this.#calls.send(command, args.map(String), timeoutMs)
  }

  want(partition: number, channel: string): Promise<boolean> {
    // Proven but not up yet: only confirmations are waited for, and then those of this channel may as well be.
    const wait = this.#proven && !this.#calls.pending.overdue
    return this.#subscriber.subscriptions.want(partition, channel, wait)
  }

  unwant(channel: string): void {
    this.#subscriber.subscriptions.unwant(channel)
  }

  /** Calls back when all that is wanted now is confirmed; not at all when the link goes down before. */
  whenConfirmed(reached: () => void): void {
    this.#subscriber.subscriptions.whenConfirmed(reached)
  }

  /** Proves another channel, because the partition of the old one is no longer served here. */
  proveBy(proofChannel: ProofChannel): void {
    const old = this.#proofChannel
    if (old.channel === proofChannel.channel) return
    this.#proofChannel = proofChannel
    void this.#subscriber.subscriptions.want(proofChannel.partition, proofChannel.channel, false)
    this.#subscriber.subscriptions.unwant(old.channel)
  }

  /** Ends both connections, also half-open ones, and makes them again. */
  cut(reason: string): void {
    this.#fall(reason)
    this.#commands.cut(reason)
    this.#subscriber.connection.cut(reason)
  }

  /** Calls without an answer are rejected; callers wait for theirs before. */
  async close(): Promise<void> {
    this.#closed = true
    this.#greeted = false
    this.#proven = false
    this.#up = false
    this.#proof.stop()
    this.#unfitRetry?.stop()
    await Promise.all([this.#commands.close(), this.#subscriber.close()])
    this.#calls.pending.close()
  }

  async #greet(): Promise<void> {
    this.#epoch += 1
    const epoch = this.#epoch
    this.#keepOneAddress(this.#commands, this.#subscriber.connection)
    const { cluster, scripts } = this.#options
    try {
      await greet({
        calls: this.#calls,
        cluster,
        channel: this.#proofChannel.channel,
        scripts: [proofScript, ...scripts],
        fit: this.#fit,
      })
    } catch (error) {
      if (epoch === this.#epoch && !this.#closed) this.#greetingFailed(error)
      return
    }
    if (epoch !== this.#epoch || this.#closed || !this.#commands.ready) return
    this.#fit = true
    this.#greeted = true
    this.#begin()
  }

  #greetingFailed(error: unknown): void {
    if (!(error instanceof UnfitError)) {
      this.#commands.cut(reasonOf(error))
      return
    }
    const { logger, clock } = this.#options
    logger.error({ redis: this.name, reason: error.message }, 'Redis cannot be used')
    this.#owner.unfit(error)
    this.#unfitRetry?.stop()
    this.#unfitRetry = clock.after(unfitRetryMs, () => this.#commands.cut('the server may have become fit'))
  }

  #whenSubscribed(): void {
    this.#subscribed = true
    this.#begin()
  }

  /** After a failover one connection may still lead to the old master: the one that has just been made is right. */
  #keepOneAddress(made: Connection, other: Connection): void {
    if (!this.#options.oneAddress || other.address === undefined) return
    if (other.address !== made.address) other.cut('the master is another server now')
  }

  #subscribeRefused(text: string): void {
    const noperm = refusalKind(text) === 'noperm'
    const problem = noperm ? permissionProblem(text, this.#options.cluster ? 'SSUBSCRIBE' : 'SUBSCRIBE') : text
    this.#options.logger.error({ redis: this.name, reason: problem }, 'Redis refuses subscriptions')
    if (noperm) this.#owner.unfit(new UnfitError(problem))
  }

  /** Both connections work as far as anybody can tell: now it is proven. */
  #begin(): void {
    if (this.#greeted && this.#subscribed && !this.#closed) this.#proof.begin()
  }

  async #publishProof(number: number): Promise<unknown> {
    try {
      return await this.#calls.run(proofScript, [this.#proofChannel.channel], [`p${number}`], proofTimeoutMs)
    } catch (error) {
      if (!(error instanceof LinkError) || error.kind === 'refused') {
        this.#options.logger.error({ redis: this.name, reason: reasonOf(error) }, 'Redis refuses the proof of the bus')
      }
      return undefined
    }
  }

  #whenProven(): void {
    if (this.#proven || this.#closed) return
    this.#proven = true
    this.#subscriber.subscriptions.whenConfirmed(() => this.#rise())
  }

  #rise(): void {
    if (this.#up || !this.#proven) return
    this.#up = true
    if (this.#everUp) this.#options.counters.reconnects += 1
    this.#everUp = true
    this.#commands.settled()
    this.#subscriber.connection.settled()
    this.#options.logger.info({ redis: this.name }, 'Redis connected')
    this.#owner.up()
  }

  /** Not proven any more. */
  #fall(reason: string): void {
    this.#proof.end()
    this.#proven = false
    this.#subscriber.subscriptions.stopWaiting()
    if (!this.#up) return
    this.#up = false
    this.#options.logger.warn({ redis: this.name, reason }, 'Redis connection lost')
    this.#owner.down()
  }

  #commandsLost(reason: string): void {
    this.#unfitRetry?.stop()
    this.#greeted = false
    this.#epoch += 1
    this.#proof.forgetTime()
    this.#lost(reason)
  }

  #subscriberLost(reason: string): void {
    this.#subscribed = false
    this.#lost(reason)
  }

  #lost(reason: string): void {
    if (this.#closed) return
    if (!this.#up) this.#options.logger.warn({ redis: this.name, reason }, 'Redis cannot be reached')
    this.#fall(reason)
    this.#owner.failed()
    this.#owner.moved()
  }

  /** A server that takes connections and then says nothing, as a frozen one does. */
  #checkGreetings(): void {
    for (const connection of [this.#commands, this.#subscriber.connection]) {
      if (connection.greetingForMs() > greetingMaxMs)
        connection.cut('the server accepts connections but does not answer')
    }
  }
}
