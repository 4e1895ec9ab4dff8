import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type PusherLibrary from 'pusher'
import { accountOf, AuthEndpoint, listenOnFreePort, readText, type Account } from '../../harness/auth-endpoint.js'
import { credentials, type TestServer } from '../../harness/test-server.js'
import { libraryFor } from './application.js'

const types: Readonly<Record<string, string>> = { html: 'text/html', css: 'text/css', js: 'text/javascript' }
const pageFolder = fileURLToPath(new URL('page', import.meta.url))
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const vendor: Readonly<Record<string, string>> = {
  '/vendor/pusher.js': join(modules, 'pusher-js/dist/web/pusher.min.js'),
  '/vendor/echo.js': join(modules, 'laravel-echo/dist/echo.iife.js'),
}

/** A small chat application: its pages, its auth endpoint and its messages, all on one address, with a cookie as its session. */
export class PageServer {
  readonly library: PusherLibrary
  readonly #socketPort: number
  readonly #accounts: ReadonlyMap<string, Account>
  readonly #auth: AuthEndpoint
  readonly #server: Server
  url = ''

  private constructor(server: TestServer, accounts: ReadonlyMap<string, Account>) {
    this.#accounts = accounts
    this.#socketPort = server.running.port
    this.library = libraryFor(server)
    this.#auth = new AuthEndpoint({ library: this.library, accounts })
    this.#server = createServer((request, response) => void this.#handle(request, response))
  }

  static async start(server: TestServer, accounts: ReadonlyMap<string, Account>): Promise<PageServer> {
    const pages = new PageServer(server, accounts)
    pages.url = await listenOnFreePort(pages.#server)
    return pages
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** What the application's backend does for a message, from wherever it comes. */
  async broadcast(account: Account, text: string, socketId?: string): Promise<void> {
    const data = { user: account.info, text }
    const params = socketId === undefined ? {} : { socket_id: socketId }
    await this.library.trigger('presence-launch', 'App\\Events\\MessageSent', data, params)
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (await this.#auth.handle(request, response)) return
    const { pathname } = new URL(request.url ?? '/', 'http://application')
    const account = accountOf(request, this.#accounts)
    if (pathname === '/settings') {
      sendJson(response, { port: this.#socketPort, key: credentials.key, you: account?.info ?? { id: '', name: '?' } })
    } else if (pathname === '/messages' && account !== undefined) {
      const { text } = JSON.parse(await readText(request)) as { text: string }
      await this.broadcast(account, text, String(request.headers['x-socket-id']))
      sendJson(response, {})
    } else {
      await sendFile(response, pathname)
    }
  }
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

async function sendFile(response: ServerResponse, pathname: string): Promise<void> {
  const name = /^\/page\/([a-z-]+\.(?:css|js))$/.exec(pathname)?.[1] ?? (pathname === '/' ? 'chat.html' : undefined)
  const file = vendor[pathname] ?? (name === undefined ? undefined : join(pageFolder, name))
  if (file === undefined) {
    response.writeHead(404).end()
    return
  }
  const type = types[file.slice(file.lastIndexOf('.') + 1)] ?? ''
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(await readFile(file))
}
