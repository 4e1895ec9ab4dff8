import { connect } from 'node:net'
import { Command, Redis, type RedisOptions } from 'ioredis'
import type { Clock } from '../../base/clock.js'
import { hearErrors } from './connection.js'
import { reasonOf, replyText } from './reply-errors.js'

const commandMs = 3000
/** Of a look whether a port is open at all. */
const openMs = 1000

/** Why nothing could be asked. The kind is for advice, the text is the server's or the system's own. */
export interface VisitFailure {
  readonly kind: 'name' | 'closed' | 'silent' | 'tls' | 'login' | 'refused'
  readonly text: string
}

/** One connection that is made once and not again, for a look at a server. */
export class Visit {
  readonly redis: Redis
  readonly #options: RedisOptions
  #problem: unknown

  constructor(options: RedisOptions) {
    this.#options = options
    this.redis = new Redis({
      ...options,
      commandTimeout: commandMs,
      enableReadyCheck: false,
      retryStrategy: () => null,
    })
    this.redis.on('error', (error: unknown) => {
      hearErrors(this.redis.stream)
      this.#problem ??= error
    })
    this.redis.on('connect', () => hearErrors(this.redis.stream))
  }

  /** Connects and logs in. @returns why that failed, or undefined when it did not */
  async open(is: 'server' | 'sentinel' = 'server'): Promise<VisitFailure | undefined> {
    const failure = await this.#enter(is)
    const { tls, host, port } = this.#options
    // To a greeting of TLS a plain server says nothing.
    const isDeaf = failure?.kind === 'silent' && tls !== undefined && (await isOpen(host ?? '', port ?? 0))
    return isDeaf ? { kind: 'tls', text: 'no answer to TLS' } : failure
  }

  async #enter(is: 'server' | 'sentinel'): Promise<VisitFailure | undefined> {
    try {
      await this.redis.connect()
      // Whatever is wrong with user, password or database has been answered when this is.
      // A narrow ACL has no PING, and a sentinel no TIME.
      await (is === 'sentinel' ? this.call('PING', []) : this.call('TIME', []))
    } catch (error) {
      return failureOf(this.#problem ?? error)
    }
    return this.#problem === undefined ? undefined : failureOf(this.#problem)
  }

  /** @throws what the server or the connection says */
  call(command: string, args: readonly string[]): Promise<unknown> {
    const sent = new Command(command, [...args], { replyEncoding: 'utf8' })
    void this.redis.sendCommand(sent)
    return sent.promise
  }

  /** The next message on a channel, for which the caller waits; false when none comes in time. */
  async hears(channel: string, sharded: boolean, withinMs: number, clock: Clock): Promise<() => Promise<boolean>> {
    const heard = new Promise<boolean>((resolve) => {
      this.redis.once(sharded ? 'smessage' : 'message', () => resolve(true))
      this.redis.once('close', () => resolve(false))
    })
    await (sharded ? this.redis.ssubscribe(channel) : this.redis.subscribe(channel))
    return async () => {
      const late = new Promise<boolean>((resolve) => clock.after(withinMs, () => resolve(false)))
      return Promise.race([heard, late])
    }
  }

  close(): void {
    this.redis.disconnect()
  }
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: openMs })
    const end = (answer: boolean) => {
      resolve(answer)
      socket.destroy()
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })
}

export function failureOf(error: unknown): VisitFailure {
  const text = reasonOf(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (replyText(error) !== undefined) {
    const login = /^(?:WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH|ERR Client sent AUTH)/.test(text)
    return { kind: login ? 'login' : 'refused', text }
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return { kind: 'name', text }
  if (/^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|EPROTO)/.test(code)) return { kind: 'tls', text }
  // A server without TLS hangs up on a greeting of TLS, and the other way round.
  if (code === 'ECONNRESET' || text === 'Connection is closed.') return { kind: 'tls', text }
  return { kind: code === 'ETIMEDOUT' || /timed out|ETIMEDOUT/.test(text) ? 'silent' : 'closed', text }
}
