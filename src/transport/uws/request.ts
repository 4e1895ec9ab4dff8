import { STATUS_CODES } from 'node:http'
import type { Clock } from '../../base/clock.js'
import { Overload } from '../../core/overload.js'
import type { HttpEntrance, HttpReply, HttpRoute } from '../../core/ports/http.js'
import type { Logger } from '../../core/ports/logger.js'
import { queryOf, type UwsRequest, type UwsResponse } from './library.js'

/** Bytes of bodies being read at any time by all requests together; above it the answer is 503. */
const bufferedBytesMax = 134_217_728
const noBody = Buffer.alloc(0)
const noHeaders: Readonly<Record<string, string>> = {}

/** A request between its first byte and its answer. */
interface Exchange {
  readonly response: UwsResponse
  readonly label: string
  readonly startedAtMs: number
  readonly cors: Readonly<Record<string, string>> | undefined
  /** A HEAD request: the answer announces its body and has none. */
  readonly bodiless: boolean
  /** The listener is closed: the connection ends with the answer, so that the client goes on elsewhere. */
  readonly leaving: boolean
  /** Set when the peer went away: the response must not be touched any more. */
  aborted: boolean
}

/** HTTP on uWebSockets.js: reads a request within bounds, lets the entrance decide, writes the answer with a real status line. */
export class UwsHttp<Admitted extends object> {
  readonly #entrance: HttpEntrance<Admitted>
  readonly #pathPrefix: string
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #overload: Overload
  #bufferedBytes = 0
  /** Requests that have no answer yet. */
  inFlight = 0

  constructor(entrance: HttpEntrance<Admitted>, pathPrefix: string, clock: Clock, logger: Logger) {
    this.#entrance = entrance
    this.#pathPrefix = pathPrefix
    this.#clock = clock
    this.#logger = logger
    this.#overload = new Overload(clock)
  }

  /**
   * The handler of every HTTP request. `request` is only valid until this returns. An exception here would end the process.
   * @param leaving whether the connection shall end with the answer
   */
  handle(response: UwsResponse, request: UwsRequest, leaving: boolean): void {
    try {
      this.#enter(response, request, leaving)
    } catch (error) {
      this.#logger.error({ err: error }, 'A fault of the server before it answered a request; its connection is closed')
      response.onAborted(() => undefined)
      response.close()
    }
  }

  #enter(response: UwsResponse, request: UwsRequest, leaving: boolean): void {
    const declaredBytes = contentLength(request)
    if (declaredBytes === undefined) {
      // Where its body ends is anybody's guess, so nothing more is read. Without a listener the library ends the process.
      response.onAborted(() => undefined)
      response.close()
      return
    }
    const method = request.getCaseSensitiveMethod().toUpperCase()
    const path = this.#withoutPrefix(request.getUrl())
    const origin = this.#entrance.readsOrigin ? request.getHeader('origin') : ''
    const cors = this.#entrance.readsOrigin ? this.#entrance.corsHeaders(origin) : undefined
    const startedAtMs = this.#clock.monotonicMs()
    const bodiless = method === 'HEAD'
    const open = method === 'POST' ? undefined : this.#entrance.open(method, path, origin)
    const route = open ?? this.#entrance.route(method, path)
    if ('status' in route) {
      const label = open === undefined ? 'none' : 'open'
      this.#answer({ response, label, startedAtMs, cors, bodiless, leaving, aborted: false }, route)
      return
    }
    const exchange = { response, label: route.label, startedAtMs, cors, bodiless, leaving, aborted: false }
    if (!this.#overload.admit(startedAtMs)) {
      this.#answer(exchange, this.#entrance.overloaded)
      return
    }
    const admitted = route.authenticate(method, path, queryOf(request))
    if ('status' in admitted) {
      this.#answer(exchange, admitted)
      return
    }
    this.#receive(exchange, route, admitted, method, declaredBytes)
  }

  #receive(
    exchange: Exchange,
    route: HttpRoute<Admitted>,
    admitted: Admitted,
    method: string,
    declaredBytes: number,
  ): void {
    const { response } = exchange
    if (method !== 'POST') {
      this.inFlight += 1
      response.onAborted(() => (exchange.aborted = true))
      this.#handle(exchange, route, admitted, noBody)
      return
    }
    if (declaredBytes > route.bodyBytesMax) {
      this.#answer(exchange, this.#entrance.bodyTooLarge(route.bodyBytesMax), true)
      return
    }
    if (this.#bufferedBytes + declaredBytes > bufferedBytesMax) {
      this.#answer(exchange, this.#entrance.overloaded, true)
      return
    }
    this.inFlight += 1
    this.#readBody(exchange, route.bodyBytesMax, (body) => this.#handle(exchange, route, admitted, body))
  }

  /** Collects the body; a body in one piece, which is the usual one, is passed on without a copy. */
  #readBody(exchange: Exchange, bodyBytesMax: number, whole: (body: Buffer) => void): void {
    const { response } = exchange
    const chunks: Buffer[] = []
    let bytes = 0
    let ended = false
    const release = (): void => {
      this.#bufferedBytes -= bytes
      ended = true
    }
    response.onAborted(() => {
      exchange.aborted = true
      if (!ended) {
        release()
        this.inFlight -= 1
      }
    })
    response.onData((chunk, isLast) => {
      if (ended) return
      if (isLast && chunks.length === 0 && chunk.byteLength <= bodyBytesMax) {
        ended = true
        whole(Buffer.from(chunk))
        return
      }
      bytes += chunk.byteLength
      this.#bufferedBytes += chunk.byteLength
      if (bytes > bodyBytesMax || this.#bufferedBytes > bufferedBytesMax) {
        const tooLarge = bytes > bodyBytesMax
        release()
        this.inFlight -= 1
        this.#answer(exchange, tooLarge ? this.#entrance.bodyTooLarge(bodyBytesMax) : this.#entrance.overloaded, true)
        return
      }
      // The library takes the memory back when this returns.
      chunks.push(Buffer.copyBytesFrom(new Uint8Array(chunk)))
      if (!isLast) return
      release()
      whole(Buffer.concat(chunks))
    })
  }

  #handle(exchange: Exchange, route: HttpRoute<Admitted>, admitted: Admitted, body: Buffer): void {
    route.handle(admitted, body).then(
      (reply) => this.#finish(exchange, reply),
      (error: unknown) => {
        this.#logger.error({ err: error, route: route.label }, 'A fault of the server while it answered a request')
        this.#finish(exchange, this.#entrance.internalError)
      },
    )
  }

  #finish(exchange: Exchange, reply: HttpReply): void {
    this.inFlight -= 1
    if (exchange.aborted) return
    exchange.response.cork(() => this.#answer(exchange, reply))
  }

  /** The status line comes first, or the library sends 200 (trap 5), which is what it is left to do for a 200. */
  #answer(exchange: Exchange, reply: HttpReply, closeConnection = false): void {
    const { response, cors, bodiless } = exchange
    if (reply.status !== 200) response.writeStatus(`${reply.status} ${STATUS_CODES[reply.status] ?? ''}`)
    response.writeHeader('Content-Type', reply.contentType)
    // One object, because the reply to a preflight has the CORS headers already.
    writeHeaders(response, cors === undefined ? (reply.headers ?? noHeaders) : { ...reply.headers, ...cors })
    if (bodiless) {
      // Given the length as an argument, the library would wait for a body that never comes, and end the process.
      response.writeHeader('Content-Length', String(Buffer.byteLength(reply.body)))
      response.endWithoutBody()
    } else response.end(reply.body, closeConnection || exchange.leaving)
    this.#entrance.observe(exchange.label, reply.status, (this.#clock.monotonicMs() - exchange.startedAtMs) / 1000)
  }

  #withoutPrefix(url: string): string {
    const prefix = this.#pathPrefix
    if (prefix === '' || !url.startsWith(prefix)) return url
    const rest = url.slice(prefix.length)
    return rest === '' || rest.startsWith('/') ? rest : url
  }
}

function writeHeaders(response: UwsResponse, headers: Readonly<Record<string, string>>): void {
  for (const name in headers) response.writeHeader(name, headers[name] ?? '')
}

/** The declared length of the body (0 when none), or undefined when it is declared twice, which the library does not notice. */
function contentLength(request: UwsRequest): number | undefined {
  let seen = 0
  let bytes = 0
  request.forEach((name, value) => {
    if (name !== 'content-length') return
    seen += 1
    bytes = Number(value)
  })
  return seen > 1 || !Number.isFinite(bytes) ? undefined : bytes
}
