import { setTimeout as wait } from 'node:timers/promises'
import { cpuMicroseconds, processTree, residentBytes } from './process-cost.js'

/** Lets work that the last answer did not wait for (a flush, a garbage collection) end before the clock is read. */
const settleMs = 15

/** A measured span on CLOCK_MONOTONIC, in microseconds: the clock that V8's CPU profiles use. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** Reads the cost of one server from outside and remembers when it was measured. */
export class Meter {
  readonly #rootPid: number
  readonly spans: Span[] = []

  constructor(rootPid: number) {
    this.#rootPid = rootPid
  }

  /** Runs the work; resolves with the server's CPU time meanwhile in microseconds, and the work's own result. */
  async cpu<T>(work: () => Promise<T>): Promise<{ readonly microseconds: number; readonly result: T }> {
    await wait(settleMs)
    const pids = processTree(this.#rootPid)
    const from = now()
    const before = cpuMicroseconds(pids)
    const result = await work()
    await wait(settleMs)
    const microseconds = cpuMicroseconds(pids) - before
    this.spans.push({ from, to: now() })
    return { microseconds, result }
  }

  /** Resident memory of the server's process tree, in bytes. */
  residentBytes(): number {
    return residentBytes(processTree(this.#rootPid))
  }
}

function now(): number {
  return Number(process.hrtime.bigint() / 1000n)
}
