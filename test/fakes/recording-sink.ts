import type { BrokerSink, ControlMessage, SocketId, Topic, TruthKind } from '../../src/core/ports/broker.js'

export interface Delivered {
  readonly topic: Topic
  readonly frame: string
  readonly except: SocketId | undefined
  readonly kind: TruthKind
  readonly version: number
}

export interface Counted {
  readonly topic: Topic
  readonly total: number
}

interface Waiting {
  readonly met: () => boolean
  readonly resolve: () => void
}

/** Keeps everything a backend told the node, and lets a test wait for what is still under way. */
export class RecordingSink implements BrokerSink {
  readonly delivered: Delivered[] = []
  readonly controls: ControlMessage[] = []
  readonly counts: Counted[] = []
  /** Called within each delivery, after it was recorded. */
  onDeliver: ((delivered: Delivered) => void) | undefined
  #waiting: Waiting[] = []

  deliver(topic: Topic, frame: string, except: SocketId | undefined, kind: TruthKind, version: number): void {
    const delivered = { topic, frame, except, kind, version }
    this.delivered.push(delivered)
    this.onDeliver?.(delivered)
    this.#look()
  }

  counted(topic: Topic, total: number): void {
    this.counts.push({ topic, total })
    this.#look()
  }

  control(message: ControlMessage): void {
    this.controls.push(message)
    this.#look()
  }

  /** What came for one topic, in order. */
  of(topic: Topic): readonly Delivered[] {
    return this.delivered.filter((one) => one.topic === topic)
  }

  /** What came for one topic as soon as there are `count` of it; the test's own timeout is the deadline. */
  async atLeast(topic: Topic, count: number): Promise<readonly Delivered[]> {
    await this.#until(() => this.of(topic).length >= count)
    return this.of(topic)
  }

  /** The counts told of one topic, in order. */
  countsOf(topic: Topic): readonly number[] {
    return this.counts.filter((one) => one.topic === topic).map(({ total }) => total)
  }

  async countsAtLeast(topic: Topic, count: number): Promise<readonly number[]> {
    await this.#until(() => this.countsOf(topic).length >= count)
    return this.countsOf(topic)
  }

  async controlsAtLeast(count: number): Promise<readonly ControlMessage[]> {
    await this.#until(() => this.controls.length >= count)
    return this.controls
  }

  #until(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push({ met, resolve })
    })
  }

  #look(): void {
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ met }) => !met())
    for (const one of waiting) if (!this.#waiting.includes(one)) one.resolve()
  }
}
