/** Structured log. Fields are plain values; secrets, signatures, auth tokens and payloads are never passed in. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

export interface LogFields {
  readonly app_id?: string
  readonly socket_id?: string
  readonly channel?: string
  readonly code?: string | number
  readonly err?: unknown
  readonly [field: string]: unknown
}
