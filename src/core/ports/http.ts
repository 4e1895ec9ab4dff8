/** An answer of the HTTP side. */
export interface HttpReply {
  readonly status: number
  readonly body: string
  readonly contentType: 'application/json' | 'text/plain; charset=utf-8'
  readonly headers?: Readonly<Record<string, string>>
}

/** One request's way through the API, as the transport walks it: `authenticate`, read the body, `handle`. */
export interface HttpRoute<Admitted extends object> {
  /** A small enumeration, for metrics. */
  readonly label: string
  /** A larger body is refused before it is buffered. */
  readonly bodyBytesMax: number
  /** Every check that needs no body. */
  authenticate(method: string, path: string, query: string): Admitted | HttpReply
  /** Has read the body before it first waits: the bytes are the transport's again afterwards. Rejects only with a fault of ours. */
  handle(admitted: Admitted, body: Buffer): Promise<HttpReply>
}

/** Everything a transport needs to answer HTTP; it knows nothing of the API itself. */
export interface HttpEntrance<Admitted extends object> {
  /** Paths that need no signature (health, CORS preflight), or undefined. */
  open(method: string, path: string, origin: string): HttpReply | undefined
  route(method: string, path: string): HttpRoute<Admitted> | HttpReply
  /** Headers to add to every answer to this origin; undefined when there are none. */
  corsHeaders(origin: string): Readonly<Record<string, string>> | undefined
  /** Whether the `Origin` header matters at all. */
  readonly readsOrigin: boolean
  bodyTooLarge(bodyBytesMax: number): HttpReply
  readonly overloaded: HttpReply
  readonly internalError: HttpReply
  observe(label: string, status: number, seconds: number): void
}
