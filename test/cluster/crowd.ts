/**
 * Thousands of clients in a process of their own, so that what they do does not slow down what the scenario measures. They come back
 * at once, all together, when their connections end:
 *
 *     const crowd = await Crowd.start(run, { count: 3000, target, returnTo })      // connected and subscribed
 *     const report = await crowd.back()
 */
import { fork, type ChildProcess } from 'node:child_process'
import type { Target } from '../../bench/load/target.js'
import type { Run } from '../black-box/run.js'
import { WireClient } from '../black-box/wire-client.js'
import { endTogether } from '../harness/end-together.js'

const openingMax = 64
const rooms = 50
/** One client in so many is a member of a presence channel, of 30 in all. */
const memberEvery = 10
const presenceRooms = 10
const retryMs = 1000

export interface CrowdOptions {
  readonly count: number
  readonly target: Target
  readonly returnTo: Target
}

export interface CrowdReport {
  /** Since the connections ended: when the last client had its handshake, and its subscription. */
  readonly connectedMs: number
  readonly subscribedMs: number
  /** Until half of them had theirs. */
  readonly halfMs: number
  /** Attempts that ended before the handshake, by code. */
  readonly failed: Readonly<Record<string, number>>
}

type Message = { readonly opened: true } | { readonly report: CrowdReport }

export class Crowd {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(run: Run, options: CrowdOptions): Promise<Crowd> {
    const child = fork(import.meta.filename, [JSON.stringify(options)])
    endTogether(child)
    const crowd = new Crowd(child)
    run.onEnd(() => crowd.close())
    await crowd.#message('opened')
    return crowd
  }

  /** Resolves when the last client is back. */
  async back(): Promise<CrowdReport> {
    const message = await this.#message('report')
    if (!('report' in message)) throw new Error('the crowd said something else')
    return message.report
  }

  /** All of them vanish. */
  close(): void {
    this.#child.kill('SIGKILL')
  }

  #message(kind: 'opened' | 'report'): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.#child.on('message', (message) => {
        if (kind in (message as object)) resolve(message as Message)
      })
      this.#child.once('exit', (code) => reject(new Error(`the crowd ended with ${code ?? 'a signal'}`)))
    })
  }
}

async function playCrowd(): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? '') as CrowdOptions
  const clients: WireClient[] = new Array<WireClient>(options.count)
  let next = 0
  const lane = async () => {
    for (let index = next++; index < options.count; index = next++) {
      clients[index] = new WireClient(options.target)
      await clients[index]!.connected
      await enter(clients[index]!, index)
    }
  }
  await Promise.all(Array.from({ length: openingMax }, lane))
  const returns = new Returns(options)
  for (const [index, client] of clients.entries()) client.onClosed = () => returns.begin(index)
  tell({ opened: true })
}

async function enter(client: WireClient, index: number): Promise<void> {
  if (index % memberEvery === 0)
    await client.subscribe(`presence-room-${(index / memberEvery) % presenceRooms}`, `user-${index}`)
  else await client.subscribe(`room-${index % rooms}`)
}

class Returns {
  readonly #options: CrowdOptions
  #startedAtMs: number | undefined
  readonly #connectedAtMs: number[] = []
  #subscribed = 0
  readonly #failed: Record<string, number> = {}

  constructor(options: CrowdOptions) {
    this.#options = options
  }

  begin(index: number): void {
    this.#startedAtMs ??= performance.now()
    const client = new WireClient(this.#options.returnTo)
    client.connected.then(
      () => {
        this.#connectedAtMs.push(performance.now())
        return enter(client, index).then(() => this.#entered())
      },
      () => {
        const code = String(client.closed?.code)
        this.#failed[code] = (this.#failed[code] ?? 0) + 1
        setTimeout(() => this.begin(index), retryMs)
      },
    )
  }

  #entered(): void {
    this.#subscribed += 1
    if (this.#subscribed < this.#options.count) return
    const since = (atMs: number | undefined) => (atMs ?? Infinity) - (this.#startedAtMs ?? 0)
    tell({
      report: {
        connectedMs: since(this.#connectedAtMs.at(-1)),
        halfMs: since(this.#connectedAtMs[this.#options.count / 2]),
        subscribedMs: since(performance.now()),
        failed: this.#failed,
      },
    })
  }
}

function tell(message: Message): void {
  process.send?.(message)
}

// This very file as the child.
if (process.send !== undefined && process.argv[1] === import.meta.filename) await playCrowd()
