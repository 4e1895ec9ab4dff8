import type { Clock, Timer } from '../../base/clock.js'

/** How exact a timeout is: one timer for all calls, which runs only while something is pending. */
const stepMs = 25

/** So many done calls may stay at the front of a queue, so that it is not copied all the time. */
const compactAt = 1024

/** Something that waits for an answer. */
export interface PendingCall {
  readonly startedAtMs: number
  readonly bytes: number
  readonly queue: Queue
  /** What to do when the time is over; undefined once it is done or has been called. */
  giveUp: (() => void) | undefined
  /** Answered, or its connection lost. A late call stays pending until then. */
  done: boolean
}

export interface PendingLimits {
  readonly calls: number
  readonly bytes: number
  /** An unanswered call older than this makes `overdue`. */
  readonly overdueMs: number
}

/** Calls in the order they were started, a queue per timeout: timeouts are few constants, so nothing is sorted. */
export class PendingCalls {
  readonly #clock: Clock
  readonly #limits: PendingLimits
  readonly #queues = new Map<number, Queue>()
  #count = 0
  #bytes = 0
  #timer: Timer | undefined
  #overdue = false
  #closed = false

  constructor(clock: Clock, limits: PendingLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get count(): number {
    return this.#count
  }

  /** The oldest call without an answer has waited longer than `overdueMs`. */
  get overdue(): boolean {
    return this.#overdue
  }

  /** Whether there is room for one more call of that size. */
  admits(bytes: number): boolean {
    return this.#count < this.#limits.calls && this.#bytes + bytes <= this.#limits.bytes
  }

  /** @param giveUp called once, when `timeoutMs` have passed without `end` */
  start(timeoutMs: number, bytes: number, giveUp: () => void): PendingCall {
    // Rounded, so that the number of queues is bounded whatever callers ask for.
    const roundedMs = Math.ceil(timeoutMs / stepMs) * stepMs
    let queue = this.#queues.get(roundedMs)
    if (queue === undefined) {
      queue = new Queue(timeoutMs)
      this.#queues.set(roundedMs, queue)
    }
    const call = { startedAtMs: this.#clock.monotonicMs(), bytes, queue, giveUp, done: false }
    queue.calls.push(call)
    this.#count += 1
    this.#bytes += bytes
    this.#arm()
    return call
  }

  /** The answer has come, or never will. Twice is harmless. */
  end(call: PendingCall): void {
    if (call.done) return
    call.done = true
    call.giveUp = undefined
    this.#count -= 1
    this.#bytes -= call.bytes
    call.queue.drop()
    if (this.#overdue) this.#overdue = this.#isOverdue(this.#clock.monotonicMs())
  }

  /** Stops the timer; what is pending stays so for its owner to end. */
  close(): void {
    this.#closed = true
    this.#timer?.stop()
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#closed) return
    // Judged after the loop has read its sockets: after a long turn the answers are there and only not read yet.
    this.#timer = this.#clock.after(stepMs, () => setImmediate(() => this.#check()))
  }

  #check(): void {
    this.#timer = undefined
    if (this.#closed) return
    const nowMs = this.#clock.monotonicMs()
    for (const [roundedMs, queue] of this.#queues) {
      queue.giveUpLate(nowMs)
      if (queue.oldest() === undefined) this.#queues.delete(roundedMs)
    }
    this.#overdue = this.#isOverdue(nowMs)
    if (this.#count > 0) this.#arm()
  }

  #isOverdue(nowMs: number): boolean {
    for (const queue of this.#queues.values()) {
      const oldest = queue.oldest()
      if (oldest !== undefined && nowMs - oldest.startedAtMs > this.#limits.overdueMs) return true
    }
    return false
  }
}

/** Calls of one timeout. `calls[head]` is the first without an answer, `calls[late]` the first whose time is not over. */
class Queue {
  calls: PendingCall[] = []
  readonly #timeoutMs: number
  #head = 0
  #late = 0

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  oldest(): PendingCall | undefined {
    return this.calls[this.#head]
  }

  /** Forgets what is done at the front: answers come in order, so that this is nearly everything that is done. */
  drop(): void {
    while (this.calls[this.#head]?.done === true) this.#head += 1
    if (this.#late < this.#head) this.#late = this.#head
    if (this.#head < compactAt || this.#head * 2 < this.calls.length) return
    this.calls = this.calls.slice(this.#head)
    this.#late -= this.#head
    this.#head = 0
  }

  giveUpLate(nowMs: number): void {
    for (let call = this.calls[this.#late]; call !== undefined; call = this.calls[this.#late]) {
      if (!call.done && nowMs - call.startedAtMs < this.#timeoutMs) return
      this.#late += 1
      const giveUp = call.giveUp
      call.giveUp = undefined
      giveUp?.()
    }
  }
}
