/**
 * What webhooks are sent to: a process of its own, so that its work is neither the server's nor the generator's. Accepts everything
 * and counts it; what is wrong with it is counted too.
 *
 *     const receiver = await WebhookReceiver.start(app)
 *     receiver.url                                    // for the server's configuration
 *     const { events } = await receiver.figures()
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { hmacHex } from './target.js'
import type { Target } from './target.js'

const host = '127.0.0.1'
/** Signatures checked: of one request in so many. */
const checkedEvery = 20
const answerMs = 5_000

type App = Target['app']

export interface WebhookFigures {
  requests: number
  events: number
  /** Events whose id had come before. */
  repeated: number
  /** Requests with a wrong key or signature, or a body that is not what it should be. */
  malformed: number
}

export class WebhookReceiver {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `http://${host}:${port}/`
  }

  /** @param app whose webhooks these are */
  static async start(app: App): Promise<WebhookReceiver> {
    const child = fork(import.meta.filename, [JSON.stringify(app)])
    const [port] = (await once(child, 'message', { signal: AbortSignal.timeout(answerMs) })) as [number]
    return new WebhookReceiver(child, port)
  }

  /** Everything since its start. */
  async figures(): Promise<WebhookFigures> {
    const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(answerMs) })
    this.#child.send('figures')
    const [figures] = (await answer) as [WebhookFigures]
    return figures
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}

async function receive(app: App): Promise<void> {
  const figures: WebhookFigures = { requests: 0, events: 0, repeated: 0, malformed: 0 }
  const ids = new Set<unknown>()
  const take = (body: string, key: unknown, signature: unknown) => {
    figures.requests += 1
    const isChecked = figures.requests % checkedEvery === 1
    if (key !== app.key || (isChecked && signature !== hmacHex(app.secret, body))) figures.malformed += 1
    for (const id of idsOf(body)) {
      if (ids.has(id)) figures.repeated += 1
      if (id === undefined) figures.malformed += 1
      ids.add(id)
      figures.events += 1
    }
  }
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      take(Buffer.concat(parts).toString(), request.headers['x-pusher-key'], request.headers['x-pusher-signature'])
      response.end()
    })
  })
  server.keepAliveTimeout = 0
  server.listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  process.on('message', () => process.send?.(figures))
  process.on('disconnect', () => process.exit())
  process.send?.(typeof address === 'object' ? address?.port : 0)
}

/** Undefined where an event has no id. */
function idsOf(body: string): readonly unknown[] {
  const { events } = JSON.parse(body) as { events: { id?: string }[] }
  return events.map(({ id }) => id)
}

if (process.argv[1] === import.meta.filename) await receive(JSON.parse(process.argv[2] ?? '') as App)
