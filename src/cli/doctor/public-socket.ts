/** A client on the public address: the upgrade, the handshake, and what it hears. */
import { isIP } from 'node:net'
import type { WebSocket } from 'ws'
import { originOf, type Address } from '../target.js'
import { programVersion } from '../version.js'
import type { Findings } from './finding.js'
import { readBody } from './http-client.js'
import { isUpstreamStatus, upstreamRemedy } from './public-address.js'

const openMs = 10_000
/** From the upgrade to `pusher:connection_established`. */
const greetingMs = 5000

interface Trouble {
  readonly text: string
  readonly remedy: string
}

/** What a subscriber hears, and when. */
export interface Heard {
  readonly event: string
  readonly channel: string
}

export class PublicSocket {
  readonly #socket: WebSocket
  readonly #waiting: { readonly wanted: (frame: Heard) => boolean; readonly found: (isThere: boolean) => void }[] = []
  readonly activityTimeoutSeconds: number | undefined
  /** Set when it is over. */
  closed: { readonly code: number; readonly afterSilenceMs: number } | undefined
  #heardAtMs = performance.now()

  private constructor(socket: WebSocket, activityTimeoutSeconds: number | undefined) {
    this.#socket = socket
    this.activityTimeoutSeconds = activityTimeoutSeconds
    socket.on('message', (data: Buffer) => this.#hear(frameOf(data)))
    socket.on('close', (code) => {
      this.closed = { code, afterSilenceMs: performance.now() - this.#heardAtMs }
      for (const { found } of this.#waiting.splice(0)) found(false)
    })
  }

  /**
   * Connects and judges it.
   * @param isReached whether plain requests reach Belfry
   * @returns undefined when that failed
   */
  static async open(
    findings: Findings,
    address: Address,
    key: string,
    isReached: boolean,
  ): Promise<PublicSocket | undefined> {
    const { WebSocket } = await import('ws')
    const path = `${address.pathPrefix}/app/${encodeURIComponent(key)}`
    const socket = new WebSocket(
      `${originOf(address, 'ws')}${path}?protocol=7&client=belfry-doctor&version=${programVersion()}`,
      {
        // The certificate has been judged.
        rejectUnauthorized: false,
        handshakeTimeout: openMs,
        ...(isIP(address.host) === 0 ? { servername: address.host } : {}),
      },
    )
    const greeting = await greetingOf(socket, path.replace(/[^/]*$/, 'KEY'), address, isReached)
    if ('remedy' in greeting) {
      findings.failed('upgrade', greeting.text, greeting.remedy)
      socket.terminate()
      return undefined
    }
    const { activityTimeoutSeconds } = greeting
    const told =
      activityTimeoutSeconds === undefined ? '' : `, and asks for a sign of life every ${activityTimeoutSeconds} s`
    findings.ok('upgrade', `A WebSocket opens at ${originOf(address, 'ws')}${address.pathPrefix}${told}`)
    return new PublicSocket(socket, activityTimeoutSeconds)
  }

  /** @returns whether the server has confirmed it */
  subscribe(channel: string, withinMs: number): Promise<boolean> {
    const confirmed = this.hears(
      (frame) => frame.event === 'pusher_internal:subscription_succeeded' && frame.channel === channel,
      withinMs,
    )
    this.#socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel } }))
    return confirmed
  }

  hears(wanted: (frame: Heard) => boolean, withinMs: number): Promise<boolean> {
    if (this.closed !== undefined) return Promise.resolve(false)
    return new Promise((resolve) => {
      const timer = setTimeout(() => found(false), withinMs)
      const found = (isThere: boolean) => {
        clearTimeout(timer)
        resolve(isThere)
      }
      this.#waiting.push({ wanted, found })
    })
  }

  /** Says nothing but what answers the server's pings. @returns after how many ms of silence it was cut, or undefined when it was not */
  async staysSilent(forMs: number): Promise<number | undefined> {
    await this.hears(() => false, forMs)
    return this.closed?.afterSilenceMs
  }

  close(): void {
    this.#socket.close()
    // Nobody waits for the answer.
    this.#socket.terminate()
  }

  #hear(frame: Frame | undefined): void {
    this.#heardAtMs = performance.now()
    if (frame === undefined) return
    if (frame.event === 'pusher:ping') this.#socket.send(JSON.stringify({ event: 'pusher:pong', data: {} }))
    for (const [index, { wanted, found }] of this.#waiting.entries()) {
      if (!wanted(frame)) continue
      this.#waiting.splice(index, 1)
      found(true)
      return
    }
  }
}

interface Frame extends Heard {
  readonly data: unknown
}

/** The first thing that comes: the greeting, or why there is none. */
function greetingOf(
  socket: WebSocket,
  path: string,
  address: Address,
  isReached: boolean,
): Promise<Trouble | { readonly activityTimeoutSeconds: number | undefined }> {
  return new Promise((resolve) => {
    let refusal: Trouble | undefined
    const timer = setTimeout(() => {
      resolve({
        text: `The WebSocket of ${path} opens, but nothing comes through it within ${greetingMs / 1000} s`,
        remedy: 'turn buffering off in the proxy, and see whether it leads to Belfry',
      })
    }, openMs + greetingMs)
    const end = (result: Trouble | { readonly activityTimeoutSeconds: number | undefined }) => {
      clearTimeout(timer)
      resolve(result)
    }
    socket.on('unexpected-response', (request, response) => {
      void readBody(response).then((body) => {
        request.destroy()
        end(upgradeTrouble(path, response.statusCode ?? 0, body, isReached))
      })
    })
    socket.on('error', (error) => {
      const reason = 'code' in error ? String(error.code) : error.message
      end({
        text: `No WebSocket to ${path} comes about (${reason})`,
        remedy: 'see whether the proxy passes WebSockets on at all',
      })
    })
    socket.on('message', (data: Buffer) => {
      const frame = frameOf(data)
      if (frame?.event === 'pusher:connection_established') {
        const seconds = recordOf(String(frame.data))['activity_timeout']
        end({ activityTimeoutSeconds: typeof seconds === 'number' ? seconds : undefined })
      }
      if (frame?.event === 'pusher:error') refusal = refusalTrouble(frame.data, address)
    })
    socket.on('close', (code) => {
      end(
        refusal ?? {
          text: `The WebSocket of ${path} is closed at once (${code})`,
          remedy: 'see the logs of the proxy and of Belfry',
        },
      )
    })
  })
}

/**
 * The answer to an upgrade that is none. Belfry itself accepts every upgrade, and refuses by a close code.
 * @param isReached whether plain requests reach Belfry: then an error of the proxy is about the upgrade alone
 */
export function upgradeTrouble(path: string, status: number, body: string, isReached: boolean): Trouble {
  const asked = `The WebSocket upgrade of ${path} is answered ${status}`
  const isOurs = body.startsWith('Unknown path')
  if (isOurs || status === 400 || status === 426 || status === 505 || (isReached && isUpstreamStatus(status))) {
    return {
      text: `${asked}, since the proxy does not pass the upgrade on`,
      remedy: 'let it speak HTTP/1.1 to Belfry and pass the headers Upgrade and Connection on (docs/proxies.md)',
    }
  }
  if (status === 404) {
    return {
      text: `${asked} by something that is not Belfry`,
      remedy: 'route this path to Belfry in the proxy, and give clients the same prefix (wsPath)',
    }
  }
  if (isUpstreamStatus(status))
    return { text: `${asked}, since the proxy does not reach Belfry`, remedy: upstreamRemedy }
  if (status === 200) {
    return { text: `${asked} with a page of another server`, remedy: 'point this name or path at the port of Belfry' }
  }
  if (status >= 300 && status < 400) {
    return {
      text: `${asked}, a redirect, which WebSockets do not follow`,
      remedy: 'give clients the address it leads to, scheme and path included',
    }
  }
  if (status === 401 || status === 403) {
    return {
      text: `${asked} by something in front of Belfry`,
      remedy: 'take this path out of its login or firewall rules',
    }
  }
  return { text: `${asked} by something in front of Belfry`, remedy: 'see its log' }
}

/** What `pusher:error` says before the close. @param data `{ code, message }` */
export function refusalTrouble(data: unknown, address: Pick<Address, 'pathPrefix'>): Trouble {
  const { code, message } = recordOf(typeof data === 'string' ? data : JSON.stringify(data))
  const text = `Belfry refuses the connection with ${String(code)} (${String(message).replace(/[.?]$/, '')})`
  const prefix = address.pathPrefix === '' ? 'no prefix' : `the prefix ${address.pathPrefix}`
  const remedies: Readonly<Record<string, string>> = {
    4000: 'give an https:// address; behind a proxy list it in trustedProxies and let it set X-Forwarded-Proto',
    4001: 'give the app of that server by --app-id, --key and --secret, or correct its configuration',
    4003: 'enable the app in the configuration of that server',
    4004: 'raise limits.connections of the app',
    4005: `make pathPrefix and the path that the proxy passes on agree; this address has ${prefix}`,
    4009: 'this app wants an Origin, which the doctor has not; try with allowedOrigins ["*"], or look with a browser',
    4100: 'see "Capacity" in docs/operating.md',
  }
  return { text, remedy: remedies[String(code)] ?? 'see docs/errors.md' }
}

function frameOf(data: Buffer): Frame | undefined {
  const { event, channel, data: inner } = recordOf(data.toString('utf8'))
  return typeof event === 'string'
    ? { event, channel: typeof channel === 'string' ? channel : '', data: inner }
    : undefined
}

/** The object a text stands for; an empty one for any other text. */
function recordOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
