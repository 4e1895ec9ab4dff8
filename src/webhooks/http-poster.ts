import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Clock, Timer } from '../base/clock.js'
import { GuardedLookup, refusalOf, systemResolve, type Resolve } from './guarded-lookup.js'
import { cut, reasonOf, wasCut } from './post-failures.js'
import type { Attempt, WebhookPoster, WebhookRequest } from './poster.js'

export interface HttpPosterOptions {
  readonly clock: Clock
  /** How names become addresses. Default: the system's resolver. */
  readonly resolve?: Resolve
  /** Certificates (PEM) to trust in place of Node's own, which NODE_EXTRA_CA_CERTS adds to. */
  readonly ca?: string
  /** Requests under way in all; above it an attempt fails at once, unless it is the only one at its address. Default 1024. */
  readonly openMax?: number
  /** Requests open at one address; the others wait, and their time runs. Default 32. */
  readonly openPerAddressMax?: number
}

/** What of an answer's body is read, to be able to use the connection again. */
const bodyBytesMax = 65_536
const headerBytesMax = 16_384
/** Idle connections are closed before the receiver does it: after 5 s with many servers. */
const idleMs = 4000
const idlePerHostMax = 8

/** What says where a request ends, or whom it is for, is ours. */
const ownHeaders = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'expect',
  'trailer',
])

/**
 * Posts webhooks over HTTP/1.1 with Node's own client and connections that are kept.
 *
 * - Without `allowPrivateNetwork` no connection is opened to an address of this machine or of a private network
 *   (private-addresses.ts): neither to one in the URL, nor to one that a name resolves to. The address that was checked is the
 *   one that is connected to. Connections of webhooks that may are never used for those that may not.
 * - An attempt is decided by the status. What follows it, a body that never ends or breaks off, changes nothing: it is
 *   read and dropped up to 64 KiB and until the time is over, for the sake of the connection, and then cut. `post` resolves
 *   after that, so a request is never open longer than its answer seems to be.
 * - When the receiver closes a kept connection just as it is used again, the request goes out once more on a new one,
 *   within the same time: that is no failure. The receiver may have seen it already; delivery is at least once.
 * - Certificates are always verified. A user and a password in the URL become basic authentication, unless the headers
 *   hold an `Authorization`. Proxies named by the environment (`HTTP_PROXY`) are not used.
 */
export class HttpPoster implements WebhookPoster {
  readonly #clock: Clock
  readonly #ca: string | undefined
  readonly #openMax: number
  readonly #turns: Turns
  readonly #open = new Set<Posting>()
  readonly #anywhere: Way
  readonly #publicOnly: Way
  #closed = false

  constructor({ clock, resolve = systemResolve, ca, openMax = 1024, openPerAddressMax = 32 }: HttpPosterOptions) {
    this.#clock = clock
    this.#ca = ca
    this.#openMax = openMax
    this.#turns = new Turns(openPerAddressMax)
    const names = new GuardedLookup(resolve)
    this.#anywhere = wayWith(names, true)
    this.#publicOnly = wayWith(names, false)
  }

  post(request: WebhookRequest): Promise<Attempt> {
    const address = `${request.url.origin}${request.url.pathname}${request.url.search}`
    const refusal = this.#refusalOf(request, address)
    if (refusal !== undefined) return Promise.resolve({ delivered: false, reason: refusal })
    return new Promise((resolve) => {
      const posting = new Posting(request, this.#clock, this.#optionsFor(request), (attempt) => {
        this.#open.delete(posting)
        this.#turns.leave(address, posting)
        resolve(attempt)
      })
      this.#open.add(posting)
      this.#turns.enter(address, posting)
    })
  }

  close(): void {
    this.#closed = true
    // The last first: those that wait end before those whose turn they would take.
    for (const posting of [...this.#open].reverse()) posting.end('the server is stopping')
    for (const { http, https } of [this.#anywhere, this.#publicOnly]) {
      http.destroy()
      https.destroy()
    }
  }

  #refusalOf({ url, allowPrivateNetwork }: WebhookRequest, address: string): string | undefined {
    if (this.#closed) return 'the server is stopping'
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'the address is neither http: nor https:'
    if (this.#open.size >= this.#openMax && this.#turns.has(address)) {
      return `${this.#openMax} webhook requests are under way already`
    }
    return allowPrivateNetwork ? undefined : refusalOf(hostOf(url))
  }

  #optionsFor({ url, headers, body, allowPrivateNetwork }: WebhookRequest): RequestOptions {
    const way = allowPrivateNetwork ? this.#anywhere : this.#publicOnly
    const sent = Object.entries(headers).filter(([name]) => !ownHeaders.has(name.toLowerCase()))
    return {
      agent: url.protocol === 'https:' ? way.https : way.http,
      lookup: way.lookup,
      method: 'POST',
      protocol: url.protocol,
      hostname: hostOf(url),
      ...(url.port === '' ? {} : { port: url.port }),
      path: `${url.pathname}${url.search}`,
      headers: { ...Object.fromEntries(sent), 'Content-Length': Buffer.byteLength(body) },
      ...(url.username === '' && url.password === '' ? {} : { auth: credentialsOf(url) }),
      ...(this.#ca === undefined ? {} : { ca: this.#ca }),
      // Said here, so that neither the environment nor a switch of Node changes it.
      rejectUnauthorized: true,
      insecureHTTPParser: false,
      maxHeaderSize: headerBytesMax,
    }
  }
}

/** One attempt. Tells its result once, and nothing of it is left afterwards. */
class Posting {
  readonly #request: WebhookRequest
  readonly #options: RequestOptions
  readonly #timeout: Timer
  readonly #done: (attempt: Attempt) => void
  #sent: ClientRequest | undefined
  /** What the status says, once it is known. */
  #answer: Attempt | undefined
  #over = false

  constructor(request: WebhookRequest, clock: Clock, options: RequestOptions, done: (attempt: Attempt) => void) {
    this.#request = request
    this.#options = options
    this.#done = done
    this.#timeout = clock.after(request.timeoutMs, () => this.end(`no answer within ${request.timeoutMs} ms`))
  }

  /** Opens or takes a connection. A second call abandons the first. */
  send(options: RequestOptions = this.#options): void {
    if (this.#over) return
    const host = hostOf(this.#request.url)
    let sent: ClientRequest
    try {
      sent = options.protocol === 'https:' ? httpsRequest(options) : httpRequest(options)
    } catch (error) {
      // What Node refuses to send at all: a header with a line break in its value, for instance.
      this.end(reasonOf(error, host))
      return
    }
    this.#sent = sent
    let bytesBefore = 0
    sent.on('socket', (socket) => {
      bytesBefore = socket.bytesRead
    })
    sent.on('response', (response) => this.#read(sent, response))
    sent.on('upgrade', (response) => {
      this.#answer = attemptOf(response)
      this.end(cut)
    })
    sent.on('error', (error) => {
      if (this.#over || this.#sent !== sent) return
      const answered = this.#answer !== undefined || sent.socket?.bytesRead !== bytesBefore
      if (!answered && sent.reusedSocket && wasCut(error)) this.send({ ...options, agent: false })
      else this.end(reasonOf(error, host))
    })
    // Comes last, also where no error does.
    sent.on('close', () => {
      if (this.#sent === sent) this.end(cut)
    })
    sent.end(this.#request.body)
  }

  /** It is over: as its status says if that is known, otherwise not delivered for `reason`. Later calls do nothing. */
  end(reason: string): void {
    if (this.#over) return
    this.#settle(reason)
    this.#sent?.destroy()
  }

  #read(sent: ClientRequest, response: IncomingMessage): void {
    this.#answer = attemptOf(response)
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bodyBytesMax) this.end(cut)
    })
    response.on('error', () => this.end(cut))
    response.on('end', () => {
      // The agent keeps the connection, unless the receiver has not even taken all of the request.
      if (sent.writableFinished) this.#settle(cut)
      else this.end(cut)
    })
  }

  #settle(reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#timeout.stop()
    this.#done(this.#answer ?? { delivered: false, reason })
  }
}

/** Who may send, per address, in order of arrival. */
class Turns {
  readonly #max: number
  readonly #byAddress = new Map<string, { open: number; readonly waiting: Set<Posting> }>()

  constructor(max: number) {
    this.#max = max
  }

  /** Whether anything is under way to an address. */
  has(address: string): boolean {
    return this.#byAddress.has(address)
  }

  /** Sends now, or when others have left. */
  enter(address: string, posting: Posting): void {
    const place = this.#byAddress.get(address) ?? { open: 0, waiting: new Set() }
    this.#byAddress.set(address, place)
    if (place.open < this.#max) {
      place.open += 1
      posting.send()
    } else place.waiting.add(posting)
  }

  /** Once for each that has entered, whether it has sent or not. */
  leave(address: string, posting: Posting): void {
    const place = this.#byAddress.get(address)
    if (place === undefined || place.waiting.delete(posting)) return
    const [next] = place.waiting
    if (next !== undefined) {
      place.waiting.delete(next)
      // Not before the agent has got back the connection of the one that leaves.
      process.nextTick(() => next.send())
    } else {
      place.open -= 1
      if (place.open === 0) this.#byAddress.delete(address)
    }
  }
}

/** Connections of one kind of webhook, and how names become addresses for them. */
interface Way {
  readonly http: HttpAgent
  readonly https: HttpsAgent
  readonly lookup: LookupFunction
}

function wayWith(names: GuardedLookup, allowPrivateNetwork: boolean): Way {
  const options = { keepAlive: true, maxFreeSockets: idlePerHostMax, timeout: idleMs }
  return { http: new HttpAgent(options), https: new HttpsAgent(options), lookup: names.lookupFor(allowPrivateNetwork) }
}

function attemptOf({ statusCode = 0 }: IncomingMessage): Attempt {
  if (statusCode >= 200 && statusCode < 300) return { delivered: true }
  const redirect = statusCode >= 300 && statusCode < 400
  return {
    delivered: false,
    reason: `the receiver answered ${statusCode}${redirect ? ', and redirects are not followed' : ''}`,
  }
}

/** Without the brackets of an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

function credentialsOf({ username, password }: URL): string {
  return `${decoded(username)}:${decoded(password)}`
}

/** A URL may hold a `%` that encodes nothing; it stands for itself. */
function decoded(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return encoded
    }
  })
}
