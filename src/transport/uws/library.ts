/** The only door to uWebSockets.js: another source of the binaries replaces it here and nowhere else. */
import type { AppOptions, HttpRequest, TemplatedApp, us_listen_socket } from 'uWebSockets.js'

export type {
  HttpRequest as UwsRequest,
  HttpResponse as UwsResponse,
  TemplatedApp as UwsApp,
  WebSocket as UwsWebSocket,
  WebSocketBehavior as UwsBehavior,
  us_listen_socket as UwsListenSocket,
  us_socket_context_t as UwsSocketContext,
} from 'uWebSockets.js'

/** What we use of the module. The typings lack the constants as values and the exclusive form of `listen` with a host. */
export interface UwsLibrary {
  App(options?: AppOptions): UwsListeningApp
  SSLApp(options: AppOptions): UwsListeningApp
  us_listen_socket_close(socket: us_listen_socket): void
  us_socket_local_port(socket: us_listen_socket): number
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number
  readonly DISABLED: number
  readonly SHARED_COMPRESSOR: number
}

export type UwsListeningApp = Omit<TemplatedApp, 'listen'> & {
  listen(host: string, port: number, options: number, callback: (socket: us_listen_socket | false) => void): unknown
  listen(host: string, port: number, callback: (socket: us_listen_socket | false) => void): unknown
}

/**
 * Loads the library. It reads its bound on request headers from the environment while it loads, so that is set first.
 * @param headerBytesMax bytes of request line and headers; above it the answer is 431
 */
export async function loadUws(headerBytesMax: number): Promise<UwsLibrary> {
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(headerBytesMax)
  const library: unknown = await import('uWebSockets.js')
  // The one place where the library's incomplete typings are widened.
  return library as UwsLibrary
}

/** The raw query without `?`. The library gives undefined when the URL has none, which its typings do not say. */
export function queryOf(request: HttpRequest): string {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- see above
  return request.getQuery() ?? ''
}
