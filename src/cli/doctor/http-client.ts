import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { originOf, type Address } from '../target.js'

const answerMs = 10_000
const bodyCharsMax = 10_000

export interface HttpAnswer {
  /** 0 when there was none. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Its beginning. */
  readonly body: string
  /** Why there was no answer. */
  readonly error: string | undefined
}

/** Asks one address. Certificates are not looked at: that has been done. */
export class HttpClient {
  readonly #origin: string
  readonly #agent: HttpAgent | HttpsAgent
  readonly #secure: boolean

  constructor(address: Address) {
    this.#origin = originOf(address, 'http')
    this.#secure = address.secure
    this.#agent = address.secure
      ? new HttpsAgent({ keepAlive: true, rejectUnauthorized: false })
      : new HttpAgent({ keepAlive: true })
  }

  /** Never rejects. @param headers more of them */
  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    return new Promise((resolve) => {
      const send = this.#secure ? httpsRequest : httpRequest
      const request = send(`${this.#origin}${path}`, { agent: this.#agent, headers: { ...headers } })
      const end = (answer: Partial<HttpAnswer>) => {
        clearTimeout(timer)
        resolve({ status: 0, headers: {}, body: '', error: undefined, ...answer })
      }
      const timer = setTimeout(() => request.destroy(new Error(`no answer within ${answerMs / 1000} s`)), answerMs)
      request.on('error', (error) => end({ error: 'code' in error ? String(error.code) : error.message }))
      request.on('response', (response) => void readBody(response).then((body) => end({ ...shown(response), body })))
      // Whoever takes a plain request for an upgrade.
      request.on('upgrade', (response, socket) => {
        socket.destroy()
        end(shown(response))
      })
      request.end()
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

function shown({ statusCode = 0, headers }: IncomingMessage): Pick<HttpAnswer, 'status' | 'headers'> {
  return { status: statusCode, headers }
}

/** Its beginning; what came until then when it breaks off. */
export function readBody(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (part: string) => {
      if (body.length < bodyCharsMax) body += part
    })
    response.on('close', () => resolve(body.slice(0, bodyCharsMax)))
    response.on('error', () => resolve(body))
  })
}
