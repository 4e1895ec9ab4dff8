/** One attempt to deliver a webhook. */
export interface WebhookRequest {
  /** An http: or https: address; its user and password are sent as basic authentication. */
  readonly url: URL
  /** All but Host and Content-Length. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** For everything from the name's resolution to the end of the answer. */
  readonly timeoutMs: number
  /** Whether the address may be one of this machine or of a private network. */
  readonly allowPrivateNetwork: boolean
}

/** Delivered: answered with 2xx. Otherwise the reason in half a sentence, without secrets, for a log line. */
export type Attempt = { readonly delivered: true } | { readonly delivered: false; readonly reason: string }

/** Brings requests out of the house. */
export interface WebhookPoster {
  /** One attempt; never repeated, never redirected, never rejects. */
  post(request: WebhookRequest): Promise<Attempt>
  /** Ends what is under way, and closes idle connections. */
  close(): void
}
