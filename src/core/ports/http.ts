/** A request to the REST API after the transport has read it. Nothing in it is trusted. */
export interface HttpRequest {
  /** Upper case. */
  readonly method: string
  /** As received, without the query and without the configured path prefix; still percent-encoded. */
  readonly path: string
  /** Raw query string without the `?`; empty when there is none. */
  readonly query: string
  /** The exact bytes of the body; empty when there is none. */
  readonly body: Buffer
}

export interface HttpReply {
  readonly status: number
  readonly body: string
  readonly contentType: 'application/json' | 'text/plain; charset=utf-8'
  readonly headers?: Readonly<Record<string, string>>
}

export type HttpHandler = (request: HttpRequest) => Promise<HttpReply>
