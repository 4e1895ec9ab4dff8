import type { Clock } from '../../base/clock.js'
import type { Connection } from './connection.js'
import { LinkError, type Script } from './link.js'
import { PendingCalls, type PendingCall } from './pending.js'
import { refusalKind, replyText, type RefusalKind } from './reply-errors.js'
import { PreparedScripts } from './scripts.js'

/** Calls without an answer, per server. Above it nothing more is sent. */
const callsMax = 100_000
const callBytesMax = 64 * 1024 * 1024

export interface ServerCallsOptions {
  readonly connection: Connection
  /** For error texts. */
  readonly name: string
  readonly cluster: boolean
  readonly overdueMs: number
  readonly clock: Clock
  /** The server says that another has the slot. */
  readonly moved: () => void
}

/** Commands and scripts on one connection: sent in the order of the calls, once, and answered or given up in bounded time. */
export class ServerCalls {
  readonly pending: PendingCalls
  readonly #options: ServerCallsOptions
  readonly #scripts: PreparedScripts

  constructor(options: ServerCallsOptions) {
    this.#options = options
    this.#scripts = new PreparedScripts(options.cluster)
    this.pending = new PendingCalls(options.clock, {
      calls: callsMax,
      bytes: callBytesMax,
      overdueMs: options.overdueMs,
    })
  }

  /** Makes the server know a script. @throws LinkError */
  async load(script: Script, timeoutMs: number): Promise<void> {
    await this.send('script', ['LOAD', this.#scripts.of(script).body], timeoutMs)
  }

  /** @throws LinkError */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    timeoutMs: number,
  ): Promise<unknown> {
    const { sha, body } = this.#scripts.of(script)
    const all = [sha, String(keys.length), ...keys]
    for (const arg of args) all.push(String(arg))
    return this.send('evalsha', all, timeoutMs, body)
  }

  /**
   * @param body of the script, sent in place of its digest when the server does not know it: it has done nothing then
   * @throws LinkError
   */
  send(name: string, args: readonly string[], timeoutMs: number, body?: string): Promise<unknown> {
    let bytes = 0
    for (const arg of args) bytes += arg.length
    const { connection, name: server } = this.#options
    if (!connection.ready) return Promise.reject(new LinkError('down', `${server} is not connected`))
    if (!this.pending.admits(bytes)) return Promise.reject(new LinkError('down', `${server} has too much to do`))
    return new Promise((resolve, reject) => {
      const call = this.pending.start(timeoutMs, bytes, () => {
        reject(new LinkError('unsure', `${server} did not answer within ${timeoutMs} ms`))
      })
      this.#write({ call, resolve, reject }, name, args, body)
    })
  }

  #write(asked: Asked, name: string, args: readonly string[], body: string | undefined): void {
    this.#options.connection.post(
      name,
      args,
      (reply) => {
        this.pending.end(asked.call)
        asked.resolve(reply)
      },
      (error) => this.#failed(asked, error, args, body),
    )
  }

  #failed(asked: Asked, error: unknown, args: readonly string[], body: string | undefined): void {
    const { connection, name, moved } = this.#options
    const text = replyText(error)
    const kind = text === undefined ? undefined : refusalKind(text)
    // Who has been told that it is too late must not have it done after all.
    const awaited = asked.call.giveUp !== undefined
    if (kind === 'noscript' && body !== undefined && awaited && connection.ready) {
      this.#write(asked, 'eval', [body, ...args.slice(1)], undefined)
      return
    }
    this.pending.end(asked.call)
    if (kind === 'moved') moved()
    asked.reject(linkError(kind, text ?? `${name} was lost before it answered`))
  }
}

interface Asked {
  readonly call: PendingCall
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: LinkError) => void
}

/** @param kind undefined when it is no answer of the server */
function linkError(kind: RefusalKind | undefined, text: string): LinkError {
  switch (kind) {
    case undefined:
      return new LinkError('unsure', text)
    case 'refused':
    case 'noperm':
      return new LinkError('refused', text)
    case 'moved':
    case 'readonly':
    case 'not executed':
    case 'noscript':
      return new LinkError('down', text)
  }
}
