import { eventually } from '../../harness/eventually.js'
import { RawClient } from '../../harness/raw-client.js'
import { rest, type RestTarget } from '../../harness/rest.js'

const channels = ['innocent', 'private-innocent', 'presence-innocent'] as const

export interface InnocentReport {
  /** Events published; each goes to every channel. */
  readonly published: number
  /** Milliseconds from before the trigger to the receipt, over all channels. */
  readonly p99Ms: number
  readonly maxMs: number
}

/**
 * A client that does everything right, on a public, a private and a presence channel, and a publisher with a steady stream of
 * numbered events for it. Every gap, repeat, wrong order, foreign frame or failed trigger is a problem.
 */
export class Innocent {
  readonly problems: string[] = []
  readonly #client: RawClient
  readonly #target: RestTarget
  readonly #periodMs: number
  readonly #sentAtMs: number[] = []
  readonly #latenciesMs: number[] = []
  readonly #received = new Map<string, number>(channels.map((channel) => [channel, 0]))
  #running = true
  #stream: Promise<void> = Promise.resolve()

  private constructor(client: RawClient, target: RestTarget, periodMs: number) {
    this.#client = client
    this.#target = target
    this.#periodMs = periodMs
  }

  /** Connects, subscribes and starts the stream. @param target the server's REST side, with the app's credentials */
  static async start(target: RestTarget, periodMs = 20): Promise<Innocent> {
    const client = await RawClient.connect(`${target.url.replace('http', 'ws')}/app/${target.key}?protocol=7`)
    await client.subscribe(channels[0])
    await client.subscribePrivate(channels[1], target)
    await client.subscribePresence(channels[2], target, 'innocent', { name: 'I. N.' })
    const innocent = new Innocent(client, target, periodMs)
    client.socket.on('message', (data) => innocent.#receive((data as Buffer).toString('utf8')))
    client.socket.on('close', (code) => {
      if (innocent.#running) innocent.problems.push(`the innocent connection was closed with ${code}`)
    })
    innocent.#stream = innocent.#publish()
    return innocent
  }

  get published(): number {
    return this.#sentAtMs.length
  }

  /** Proves that the stream runs: waits for the next events to arrive. @throws Error with the problems so far */
  async check(deadlineMs = 5000): Promise<void> {
    const before = this.#received.get(channels[2]) ?? 0
    await eventually('further events for the innocent', () => this.#arrived(before + 1), deadlineMs).catch(
      (error: unknown) => {
        this.problems.push(String(error))
      },
    )
    this.#throwProblems()
  }

  /** Stops the stream and waits for what is under way. @throws Error with every problem */
  async finish(): Promise<InnocentReport> {
    this.#running = false
    await this.#stream
    await eventually('the last events', () => this.#arrived(this.published)).catch((error: unknown) => {
      this.problems.push(`${String(error)}; received ${JSON.stringify([...this.#received])} of ${this.published}`)
    })
    this.#client.close()
    this.#throwProblems()
    const sorted = this.#latenciesMs.sort((a, b) => a - b)
    return {
      published: this.published,
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      maxMs: sorted.at(-1) ?? 0,
    }
  }

  #arrived(count: number): boolean {
    return [...this.#received.values()].every((received) => received >= count)
  }

  #throwProblems(): void {
    if (this.problems.length > 0) throw new Error(`the innocent noticed: ${this.problems.slice(0, 10).join('; ')}`)
  }

  async #publish(): Promise<void> {
    while (this.#running) {
      const body = { name: 'tick', channels, data: String(this.#sentAtMs.length) }
      this.#sentAtMs.push(performance.now())
      await this.#trigger(body)
      if (this.problems.length > 50) return
      await sleep(this.#periodMs)
    }
  }

  /** Nothing may be refused, nor shed (503, 4.11): a steady stream like this one is no overload, whatever others send. */
  async #trigger(body: unknown): Promise<void> {
    try {
      const answer = await rest(this.#target, 'POST', 'events', { body })
      if (answer.status !== 200) this.problems.push(`a trigger was answered ${answer.status} ${answer.text}`)
    } catch (error) {
      // The cause says what happened to the connection; without it there is only "fetch failed".
      this.problems.push(`a trigger failed: ${String(error)} ${String((error as Error).cause)}`)
    }
  }

  #receive(text: string): void {
    const frame = JSON.parse(text) as { event?: string; channel?: string; data?: unknown }
    if (frame.event === 'pusher:ping') return
    const expected = this.#received.get(frame.channel ?? '')
    if (frame.event !== 'tick' || expected === undefined || frame.data !== String(expected)) {
      this.problems.push(`received ${text.slice(0, 200)} where ${frame.channel ?? ''} expects tick ${expected ?? '?'}`)
      return
    }
    this.#received.set(frame.channel ?? '', expected + 1)
    this.#latenciesMs.push(performance.now() - (this.#sentAtMs[expected] ?? 0))
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
