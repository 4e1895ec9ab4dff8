import type { Certificate } from './certificate.js'
import type { Edit } from './snippet.js'

/** A proxy that runs from its shipped snippet: only addresses, ports and certificate paths are others. */
export interface Proxy {
  /** HTTP and ws://. */
  readonly port: number
  /** HTTPS and wss://. */
  readonly tlsPort: number
  readonly certificate: Certificate
  /** Begins to read configuration and certificates again. */
  reload(): void | Promise<void>
  close(): Promise<void>
}

export interface ProxyKind {
  /** @param nodes ports of the servers behind it @param edits of the shipped snippet, beside addresses */
  start(nodes: readonly number[], edits: readonly Edit[]): Promise<Proxy>
  /** Makes 3 s of its read timeout (nginx's 60 s). */
  readonly shortIdle: readonly Edit[]
  /** Serves only what is below /ws/. */
  readonly onlyPrefix: readonly Edit[]
}
