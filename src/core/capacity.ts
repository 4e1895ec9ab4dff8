import type { Clock } from '../base/clock.js'
import { TokenBucket } from '../base/token-bucket.js'

/** The marks above which this server refuses new connections with 4100. */
export interface CapacityMarks {
  readonly connections: number
  /** Percent of the memory limit; 0 = off. */
  readonly memoryPercent: number
  /** New connections per second (burst = rate); 0 = off. */
  readonly acceptPerSecond: number
  /** Connections from one client address; 0 = off. */
  readonly connectionsPerAddress: number
}

/** Counts what is open against the marks. */
export class Capacity {
  readonly #marks: CapacityMarks
  readonly #clock: Clock
  readonly #accepts: TokenBucket | undefined
  readonly #perAddress = new Map<string, number>()
  #open = 0
  #memoryFull = false
  #closed = false

  constructor(marks: CapacityMarks, clock: Clock) {
    this.#marks = marks
    this.#clock = clock
    this.#accepts = marks.acceptPerSecond > 0 ? new TokenBucket(marks.acceptPerSecond, clock.monotonicMs()) : undefined
  }

  /** Counts a connection in unless a mark is reached; `address` may be empty when it is not needed. */
  admit(address: string): boolean {
    const { connections, connectionsPerAddress } = this.#marks
    if (this.#closed || this.#memoryFull || this.#open >= connections) return false
    const fromAddress = connectionsPerAddress === 0 ? 0 : (this.#perAddress.get(address) ?? 0)
    if (connectionsPerAddress > 0 && fromAddress >= connectionsPerAddress) return false
    if (this.#accepts?.take(this.#clock.monotonicMs()) === false) return false
    if (connectionsPerAddress > 0) this.#perAddress.set(address, fromAddress + 1)
    this.#open += 1
    return true
  }

  release(address: string): void {
    this.#open -= 1
    if (this.#marks.connectionsPerAddress === 0) return
    const left = (this.#perAddress.get(address) ?? 1) - 1
    if (left === 0) this.#perAddress.delete(address)
    else this.#perAddress.set(address, left)
  }

  /** The memory in use now, in percent of the limit; called by the sweep. */
  setMemory(percent: number): void {
    this.#memoryFull = this.#marks.memoryPercent > 0 && percent >= this.#marks.memoryPercent
  }

  /** From now on nothing is admitted: the node is closing its connections. */
  close(): void {
    this.#closed = true
  }

  /** Why this node should get no new connections, or undefined when it may. */
  reasonFull(): 'memory' | 'connections' | undefined {
    if (this.#memoryFull) return 'memory'
    return this.#open >= this.#marks.connections ? 'connections' : undefined
  }

  /** Whether the client's address must be known. */
  get countsAddresses(): boolean {
    return this.#marks.connectionsPerAddress > 0
  }
}
