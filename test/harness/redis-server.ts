/**
 * A real redis-server for tests: loopback only, nothing saved, debug commands allowed, in a temporary folder. It ends with the test
 * process, also when that is interrupted (end-together.ts).
 *
 *     const redis = await RedisServer.start()
 *     await redis.command('SET', 'key', 'value')
 *     redis.freeze(); redis.thaw()        // SIGSTOP, SIGCONT
 *     await redis.kill()                  // SIGKILL
 *     await redis.restart()               // the same port, empty
 *     await redis.close()
 */
import { randomBytes } from 'node:crypto'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis, type RedisOptions } from 'ioredis'
import { endTogether, removeFolder, removeTogether } from './end-together.js'
import { eventually } from './eventually.js'
import { freePort } from './free-port.js'

const host = '127.0.0.1'
const startMs = 10_000
const endMs = 5000
const commandMs = 5000
const portAttemptsMax = 5
/** The user of `command()`, whatever the test does to the others. */
const adminName = 'harness-admin'

export interface RedisServerOptions {
  /** Of the default user. */
  readonly password?: string
  /** `user` lines without that word: `alice on >secret ~* &* +@all`, `default off`. */
  readonly acl?: readonly string[]
  /** Serve TLS instead of plain TCP. PEM files. */
  readonly tls?: {
    readonly certFile: string
    readonly keyFile: string
    readonly caFile: string
    readonly clientsNeedCertificate?: boolean
  }
  /** Lines of redis.conf after ours: `maxmemory 2mb`. */
  readonly config?: readonly string[]
  /** Ends of the command line: `--sentinel`. */
  readonly arguments?: readonly string[]
  /** Instead of a free one. */
  readonly port?: number
}

export class RedisServer {
  readonly port: number
  /** What a node connects to; with the password of the default user, if there is one. */
  readonly url: string
  /** Its working folder, with redis.conf and log.txt. */
  readonly folder: string
  readonly #options: RedisServerOptions
  readonly #adminPassword = randomBytes(12).toString('hex')
  #child: ChildProcess | undefined
  #client: Redis | undefined

  private constructor(options: RedisServerOptions, port: number) {
    this.#options = options
    this.port = port
    this.folder = mkdtempSync(join(tmpdir(), 'belfry-redis-'))
    removeTogether(this.folder)
    const { password, tls } = options
    const user = password === undefined ? '' : `:${encodeURIComponent(password)}@`
    this.url = `redis${tls === undefined ? '' : 's'}://${user}${host}:${port}/0`
  }

  /** Resolves when it answers. @throws Error with its log when it does not start */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let attempt = 1; ; attempt += 1) {
      const server = new RedisServer(options, options.port ?? (await freePort()))
      try {
        await server.#spawn()
        return server
      } catch (error) {
        await server.close()
        // Somebody else may have taken the port in between.
        if (options.port !== undefined || attempt === portAttemptsMax) throw error
      }
    }
  }

  /** 0 when it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get running(): boolean {
    return this.#child !== undefined
  }

  /** Runs a command as a user that may do everything. @throws Error when Redis refuses it or does not answer within 5 s */
  async command(name: string, ...args: (string | number)[]): Promise<unknown> {
    this.#client ??= this.#adminClient()
    return this.#client.call(name, ...args.map(String))
  }

  /**
   * A connection that the caller ends with `disconnect()`; as the default user unless the options name another.
   * It does not reconnect.
   */
  client(options: RedisOptions = {}): Redis {
    const { password, tls } = this.#options
    const client = new Redis({
      host,
      port: this.port,
      ...(password === undefined ? {} : { password }),
      ...(tls === undefined ? {} : { tls: clientTls(tls) }),
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      commandTimeout: commandMs,
      ...options,
    })
    // The commands tell their errors; a connection without one to tell has nobody to tell it to.
    client.on('error', () => undefined)
    return client
  }

  /** SIGKILL. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#dropClient()
    const child = this.#child
    if (child === undefined) return
    child.kill('SIGKILL')
    await eventually('the end of redis-server', () => this.#child === undefined, endMs)
  }

  /** SIGSTOP: connections stay and nothing answers. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** On the same port and without data. Kills it first when it runs. @param more ends of the command line, this time */
  async restart(more: readonly string[] = []): Promise<void> {
    await this.kill()
    rmSync(join(this.folder, 'dump.rdb'), { force: true })
    await this.#spawn(more)
  }

  /** Ends it and removes its folder. */
  async close(): Promise<void> {
    await this.kill()
    removeFolder(this.folder)
  }

  /** What MIGRATE to this server needs. */
  get authArguments(): string[] {
    return ['AUTH2', adminName, this.#adminPassword]
  }

  log(): string {
    try {
      return readFileSync(join(this.folder, 'log.txt'), 'utf8')
    } catch (_neverStarted) {
      return ''
    }
  }

  /** A failover or a CLIENT KILL ends connections; the next command gets another. */
  #adminClient(): Redis {
    const client = this.client({ username: adminName, password: this.#adminPassword })
    client.once('end', () => {
      if (this.#client === client) this.#client = undefined
    })
    return client
  }

  async #spawn(more: readonly string[] = []): Promise<void> {
    const file = join(this.folder, 'redis.conf')
    writeFileSync(file, this.#configText())
    const child = spawn('redis-server', [file, ...(this.#options.arguments ?? []), ...more], { stdio: 'ignore' })
    let problem: Error | undefined
    this.#child = child
    child.once('error', (error) => {
      problem = error
      this.#child = undefined
    })
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    endTogether(child)
    await eventually('redis-server answers', () => problem !== undefined || !this.running || this.#answers(), startMs)
    if (problem !== undefined)
      throw new Error(`needs redis-server (Debian: apt-get install redis-server): ${problem.message}`)
    if (!this.running) throw new Error(`redis-server did not start: ${this.log()}`)
  }

  async #answers(): Promise<boolean> {
    try {
      return (await this.command('PING')) === 'PONG'
    } catch (_notYet) {
      this.#dropClient()
      await new Promise((resolve) => setTimeout(resolve, 20))
      return false
    }
  }

  #dropClient(): void {
    this.#client?.disconnect()
    this.#client = undefined
  }

  #configText(): string {
    const { password, acl = [], tls, config = [] } = this.#options
    const lines = [
      `bind ${host}`,
      `dir "${this.folder}"`,
      'logfile log.txt',
      'save ""',
      'appendonly no',
      'enable-debug-command yes',
      // Bound to loopback; proxies of the tests connect from other addresses of it.
      'protected-mode no',
      'repl-diskless-sync-delay 0',
      `user ${adminName} on >${this.#adminPassword} ~* &* +@all`,
      ...acl.map((line) => `user ${line}`),
    ]
    if (password !== undefined) lines.push(`requirepass "${password}"`, `masterauth "${password}"`)
    if (tls === undefined) lines.push(`port ${this.port}`)
    else {
      lines.push('port 0', `tls-port ${this.port}`, `tls-cert-file "${tls.certFile}"`, `tls-key-file "${tls.keyFile}"`)
      lines.push(`tls-ca-cert-file "${tls.caFile}"`)
      lines.push(`tls-auth-clients ${tls.clientsNeedCertificate === true ? 'yes' : 'no'}`)
    }
    return `${[...lines, ...config].join('\n')}\n`
  }
}

/** Trusts whoever answers: the certificate is what the node under test looks at. */
function clientTls(tls: NonNullable<RedisServerOptions['tls']>): NonNullable<RedisOptions['tls']> {
  const certificate = { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) }
  return { rejectUnauthorized: false, ...(tls.clientsNeedCertificate === true ? certificate : {}) }
}
