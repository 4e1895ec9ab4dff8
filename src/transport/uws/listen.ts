import { createSecureContext } from 'node:tls'
import { readFileSync } from 'node:fs'
import type { Clock, Timer } from '../../base/clock.js'
import { listenProblem } from '../../base/listen-problem.js'
import type { Logger } from '../../core/ports/logger.js'
import { errors } from '../../protocol/errors.js'
import type { ClientAddresses } from './client-address.js'
import { Generation } from './generation.js'
import { loadUws, type UwsLibrary, type UwsListenSocket } from './library.js'
import type { UwsFanout } from './uws-fanout.js'
import type { UwsHttp } from './request.js'
import { webSocketBehavior, type WebSocketOptions } from './websocket.js'

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
  readonly passphrase?: string | undefined
}

export interface ListenOptions {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  /** Whether other processes of ours listen on the port as well: the kernel spreads the connections over them. */
  readonly isShared: boolean
  readonly pathPrefix: string
  readonly tls: TlsFiles | undefined
  /** Bytes of request line and headers. */
  readonly headerBytesMax: number
  readonly messageBytesMax: number
  readonly backpressureBytesMax: number
  readonly compression: boolean
}

export interface ListenParts {
  readonly gateway: WebSocketOptions['gateway']
  readonly admissions: WebSocketOptions['admissions']
  readonly addresses: ClientAddresses
  readonly http: Pick<UwsHttp<object>, 'handle'>
  readonly fanout: UwsFanout
  readonly clock: Clock
  readonly logger: Logger
}

/** After this many certificate reloads with sockets still on the first certificate, those sockets are asked to reconnect. */
const generationsMax = 3
/** Closes per step while an old generation is emptied, and the time between steps. */
const emptiedPerStep = 50
const emptyStepMs = 100
/** An idle HTTP connection is closed by the library after 10 s, an active one by us with its next answer. */
const httpGoneMs = 60_000

/** The listening side of uWebSockets.js: one app, and one more after each certificate reload, all on one port. */
export class UwsListener {
  readonly #library: UwsLibrary
  readonly #options: ListenOptions
  readonly #parts: ListenParts
  /** Apps that serve nothing any more but perhaps a last HTTP request; the timer closes them. */
  readonly #dropped = new Map<Generation, Timer>()
  port = 0

  private constructor(library: UwsLibrary, options: ListenOptions, parts: ListenParts) {
    this.#library = library
    this.#options = options
    this.#parts = parts
  }

  /** @throws Error with one sentence when the port or the certificate cannot be used */
  static async start(options: ListenOptions, parts: ListenParts): Promise<UwsListener> {
    const listener = new UwsListener(await loadUws(options.headerBytesMax), options, parts)
    await listener.#listen(options.port)
    return listener
  }

  /**
   * Reads the certificate files again: new connections get the new certificate, open ones stay as they are.
   * @throws Error with one sentence when the files cannot be used; then everything stays as it was
   */
  async reloadCertificates(): Promise<void> {
    if (this.#options.tls === undefined) return
    const { generations } = this.#parts.fanout
    const old = [...generations]
    await this.#listen(this.port)
    for (const generation of old) this.#stopGeneration(generation)
    this.#dropEmpty()
    if (generations.length > generationsMax && generations[0] !== undefined) this.#empty(generations[0])
  }

  stopListening(): void {
    for (const generation of this.#parts.fanout.generations) this.#stopGeneration(generation)
  }

  /** Cuts whatever is still open. */
  close(): void {
    for (const generation of this.#parts.fanout.generations) generation.app.close()
    this.#parts.fanout.generations.length = 0
    for (const generation of [...this.#dropped.keys()]) this.#closeDropped(generation)
  }

  async #listen(port: number): Promise<void> {
    const { host, tls, isShared } = this.#options
    const generation = this.#createGeneration()
    const socket = await new Promise<UwsListenSocket | false>((resolve) => {
      // Alone on its port, so that a left-over process is an error and not a thief of connections; a certificate reload needs it shared.
      if (isShared || tls !== undefined) generation.app.listen(host, port, resolve)
      else generation.app.listen(host, port, this.#library.LIBUS_LISTEN_EXCLUSIVE_PORT, resolve)
    })
    if (socket === false) throw new Error(listenProblem(host, port))
    generation.listenSocket = socket
    this.port = this.#library.us_socket_local_port(socket)
    this.#parts.fanout.generations.push(generation)
  }

  #createGeneration(): Generation {
    const { gateway, admissions, addresses, http, clock, logger } = this.#parts
    const { tls, compression, messageBytesMax, backpressureBytesMax, pathPrefix } = this.#options
    const app = tls === undefined ? this.#library.App() : this.#library.SSLApp(readTls(tls))
    const generation = new Generation(app, compression, clock)
    const webSocket: WebSocketOptions = {
      gateway,
      admissions,
      addresses,
      logger,
      messageBytesMax,
      backpressureBytesMax,
      compression: compression ? this.#library.SHARED_COMPRESSOR : this.#library.DISABLED,
      tls: tls !== undefined,
    }
    app.ws(`${pathPrefix}/app/:key`, webSocketBehavior(webSocket, generation, true))
    app.ws('/*', webSocketBehavior(webSocket, generation, false))
    app.any('/*', (response, request) => http.handle(response, request, generation.listenSocket === undefined))
    return generation
  }

  #stopGeneration(generation: Generation): void {
    if (generation.listenSocket === undefined) return
    this.#library.us_listen_socket_close(generation.listenSocket)
    generation.listenSocket = undefined
  }

  /** Apps without listener and without sockets are done, once their HTTP connections have had the time to end by themselves. */
  #dropEmpty(): void {
    const { generations } = this.#parts.fanout
    for (const generation of [...generations]) {
      if (generation.listenSocket !== undefined || generation.sockets.size > 0) continue
      generations.splice(generations.indexOf(generation), 1)
      const timer = this.#parts.clock.after(httpGoneMs, () => this.#closeDropped(generation))
      this.#dropped.set(generation, timer)
    }
  }

  #closeDropped(generation: Generation): void {
    this.#dropped.get(generation)?.stop()
    this.#dropped.delete(generation)
    generation.app.close()
  }

  /** Asks the sockets of an old generation to reconnect, some at a time. */
  #empty(generation: Generation): void {
    const error = errors.reconnect()
    let closing = 0
    for (const socket of generation.sockets) {
      if (closing >= emptiedPerStep) break
      closing += 1
      if (socket.connection === undefined) socket.end(error.code ?? 0, error.message)
      else socket.connection.handOver(error)
    }
    if (generation.sockets.size > 0) this.#parts.clock.after(emptyStepMs, () => this.#empty(generation))
    else this.#dropEmpty()
  }
}

/** Checks the files first: the library itself only says that it failed. */
function readTls(tls: TlsFiles): { cert_file_name: string; key_file_name: string; passphrase?: string } {
  const passphrase = tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }
  try {
    createSecureContext({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile), ...passphrase })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(
      `The TLS files ${tls.certFile} and ${tls.keyFile} cannot be used (${reason}); check tls.certFile, tls.keyFile and the passphrase`,
      { cause: error },
    )
  }
  return { cert_file_name: tls.certFile, key_file_name: tls.keyFile, ...passphrase }
}
