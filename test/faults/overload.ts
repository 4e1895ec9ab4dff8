/** Triggers at a rate the node cannot sustain: open loop, over thousands of connections. */
import { signedRequest, type Target } from '../../bench/load/target.js'
import { LatencyHistogram } from '../black-box/latency.js'
import { RestClient } from '../black-box/rest-client.js'
import { sleep, timeUntil } from '../black-box/waiting.js'

export const watchedChannel = 'overload'
const eventName = 'numbered'
/**
 * A trigger must cost the node much more than the load generator, or one process could not offer four times too much: it goes
 * to a hundred channels, of which only one is listened to, in requests that are signed before the clock starts and sent again.
 */
const silentChannels = Array.from({ length: 99 }, (_, index) => `nobody-${index}`)
const ringSize = 2000
/** All open before the clock starts: a full queue of connections to accept is the kernel's matter. What is due while all wait is not sent, and counted. */
const connections = 8000
const openingAtOnce = 100

export class Offered {
  /** How often each number of the ring was answered 200. */
  readonly accepted = new Uint32Array(ringSize)
  readonly statuses = new Map<number, number>()
  readonly acceptedLatency = new LatencyHistogram()
  readonly refusedLatency = new LatencyHistogram()
  sent = 0
  /** Triggers due while every connection waited for an answer. */
  notSent = 0

  count(status: number): number {
    return this.statuses.get(status) ?? 0
  }

  get answered(): number {
    return this.acceptedLatency.count + this.refusedLatency.count
  }

  take(number: number, status: number, tookMs: number): void {
    this.statuses.set(status, this.count(status) + 1)
    if (status === 200) this.accepted[number] = (this.accepted[number] ?? 0) + 1
    ;(status === 200 ? this.acceptedLatency : this.refusedLatency).add(tookMs)
  }
}

export class Publisher {
  readonly #target: Target
  readonly #requests: readonly Buffer[]
  readonly #free: RestClient[] = []
  readonly #all: RestClient[] = []
  #next = 0

  constructor(target: Target) {
    this.#target = target
    this.#requests = Array.from({ length: ringSize }, (_, number) => {
      const event = { name: eventName, channels: [watchedChannel, ...silentChannels], data: String(number) }
      return signedRequest(target, 'POST', '/events', JSON.stringify(event))
    })
  }

  get connections(): number {
    return this.#all.length
  }

  /** Opens what openLoop() needs, each with one trigger. */
  async open(offered: Offered): Promise<void> {
    while (this.#all.length < connections) {
      const opened = Array.from({ length: openingAtOnce }, () => this.#open())
      await Promise.all(opened.map((rest) => this.#publish(rest, offered)))
      this.#free.push(...opened)
    }
  }

  /** As fast as the node answers, over so many connections. @returns triggers per second */
  async closedLoop(lanes: number, durationMs: number, offered: Offered): Promise<number> {
    const startedAtMs = performance.now()
    const before = offered.count(200)
    const lane = async () => {
      const rest = this.#free.pop() ?? this.#open()
      while (performance.now() < startedAtMs + durationMs) await this.#publish(rest, offered)
      this.#free.push(rest)
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return ((offered.count(200) - before) * 1000) / (performance.now() - startedAtMs)
  }

  /** At this rate whatever the node does; ends when everything is answered. */
  async openLoop(perSecond: number, durationMs: number, offered: Offered): Promise<void> {
    const startedAtMs = performance.now()
    let due = 0
    for (let nowMs = startedAtMs; nowMs < startedAtMs + durationMs; nowMs = performance.now()) {
      const dueNow = Math.floor(((nowMs - startedAtMs) * perSecond) / 1000)
      for (; due < dueNow; due += 1) {
        const rest = this.#free.pop()
        if (rest === undefined) offered.notSent += 1
        else void this.#publish(rest, offered).then(() => this.#free.push(rest))
      }
      await sleep(1)
    }
    await timeUntil(() => this.#free.length === this.#all.length, 30_000)
  }

  close(): void {
    for (const rest of this.#all) rest.close()
  }

  #open(): RestClient {
    const rest = new RestClient(this.#target)
    this.#all.push(rest)
    return rest
  }

  async #publish(rest: RestClient, offered: Offered): Promise<void> {
    const number = this.#next
    this.#next = (number + 1) % ringSize
    offered.sent += 1
    const startedAtMs = performance.now()
    const { status } = await rest.sendSigned(this.#requests[number]!)
    offered.take(number, status, performance.now() - startedAtMs)
  }
}
