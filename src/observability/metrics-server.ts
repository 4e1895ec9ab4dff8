import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Clock } from '../base/clock.js'
import type { HttpReply } from '../core/ports/http.js'
import type { Logger } from '../core/ports/logger.js'
import type { MemoryFigures } from './process-memory.js'

/** The health paths answered here as well as on the public port. */
export type HealthPath = '/live' | '/ready' | '/health' | '/up'

export interface MetricsServerOptions {
  readonly host: string
  /** 0 = any free port; the one taken is in the answer of `startMetricsServer`. */
  readonly port: number
  readonly metrics: {
    readonly contentType: string
    text(): Promise<string>
    json(): Promise<string>
  }
  readonly health: (path: HealthPath) => HttpReply | Promise<HttpReply>
  readonly memory: () => MemoryFigures | Promise<MemoryFigures>
  readonly clock: Clock
  readonly log: Logger
}

export interface MetricsServer {
  readonly port: number
  /** Stops listening, lets answers in progress finish for a second, then closes. Resolves when the port is free. */
  close(): Promise<void>
}

interface Reply {
  readonly status: number
  readonly body: string
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
}

const connectionsMax = 64
const requestTimeoutMs = 10_000
const headersTimeoutMs = 5_000
/** Longer than the usual scrape interval of 15, 30 or 60 s, so that Prometheus keeps its connection. */
const keepAliveTimeoutMs = 75_000
const headerBytesMax = 8_192
const closeGraceMs = 1_000

/**
 * Listens for `GET /metrics` (`?json=1`), `/usage` and the health paths; everything else is 404.
 * @throws (rejects) with the system's error when the address cannot be used
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: headersTimeoutMs, maxHeaderSize: headerBytesMax },
    (request, response) => void answer(options, server, request, response),
  )
  server.keepAliveTimeout = keepAliveTimeoutMs
  server.maxConnections = connectionsMax
  const port = await listen(server, options.host, options.port)
  server.on('error', (err) => options.log.error({ err }, 'metrics server failed'))
  let closed: Promise<void> | undefined
  return { port, close: () => (closed ??= close(server, options.clock)) }
}

async function answer(
  options: MetricsServerOptions,
  server: Server,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const reply = await route(options, request.method ?? '', request.url ?? '')
    // A body that nobody asked for is not read, and a closing server keeps nobody: the connection ends with the answer.
    send(reply, response, server.listening && !hasBody(request))
  } catch (err) {
    options.log.error({ err }, 'metrics request failed')
    if (response.headersSent) response.destroy()
    else send(plain(500, 'internal error\n'), response, false)
  }
}

async function route(options: MetricsServerOptions, method: string, url: string): Promise<Reply> {
  if (method !== 'GET' && method !== 'HEAD') return notFound
  const [path = '', query = ''] = url.split('?', 2)
  switch (path) {
    case '/metrics':
      return metricsReply(options, new URLSearchParams(query).get('json'))
    case '/usage':
      return { status: 200, body: JSON.stringify({ memory: await options.memory() }), contentType: 'application/json' }
    case '/live':
    case '/ready':
    case '/health':
    case '/up':
      return options.health(path)
    default:
      return notFound
  }
}

const notFound = plain(404, 'not found\n')

async function metricsReply({ metrics }: MetricsServerOptions, json: string | null): Promise<Reply> {
  // Any value but an empty one and 0, as soketi has it.
  if (json !== null && json !== '' && json !== '0') {
    return { status: 200, body: await metrics.json(), contentType: 'application/json' }
  }
  return { status: 200, body: await metrics.text(), contentType: metrics.contentType }
}

function plain(status: number, body: string): Reply {
  return { status, body, contentType: 'text/plain; charset=utf-8' }
}

function send(reply: Reply, response: ServerResponse, keepAlive: boolean): void {
  response.writeHead(reply.status, {
    ...reply.headers,
    'content-type': reply.contentType,
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    ...(keepAlive ? {} : { connection: 'close' }),
  })
  response.end(reply.body)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function close(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const deadline = clock.after(closeGraceMs, () => server.closeAllConnections())
    server.close(() => {
      deadline.stop()
      resolve()
    })
    server.closeIdleConnections()
  })
}
